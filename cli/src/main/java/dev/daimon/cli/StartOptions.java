package dev.daimon.cli;

import dev.daimon.posix.Capability;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.startup.FilePurposes;
import dev.daimon.startup.OutputPaths;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes a request of the options of {@code start}, {@code run} and {@code restart}. */
final class StartOptions {
  /** Options for what a program that daemonizes itself does by itself. */
  private static final List<CommandOption> NOT_WITH_SELF =
      List.of(
          CommandOption.LOCK,
          CommandOption.NO_LOCK,
          CommandOption.STDOUT,
          CommandOption.STDERR,
          CommandOption.SIGPIPE,
          CommandOption.APPEND,
          CommandOption.TRUNCATE,
          CommandOption.USER,
          CommandOption.GROUP,
          CommandOption.GROUPS,
          CommandOption.CHROOT,
          CommandOption.RLIMIT,
          CommandOption.NICE,
          CommandOption.OOM_SCORE_ADJ,
          CommandOption.NO_NEW_PRIVS,
          CommandOption.KEEP_CAP,
          CommandOption.LISTEN,
          CommandOption.PIDFILE_OWNER,
          CommandOption.FOREGROUND);

  /** Options that say when a start has succeeded. */
  private static final List<CommandOption> READINESS =
      List.of(
          CommandOption.SELF,
          CommandOption.READY,
          CommandOption.ALIVE,
          CommandOption.READY_TIMEOUT,
          CommandOption.START_TIMEOUT);

  private final Command command;
  private final CommandLine line;

  private StartOptions(Command command, CommandLine line) {
    this.command = command;
    this.line = line;
  }

  static Request request(Command command, CommandLine line) {
    return new StartOptions(command, line).request();
  }

  private Request request() {
    Request request = new Request();
    request.command = program();
    request.isUndefined = line.isUndefined();
    request.foreground = command == Command.RUN || line.has(CommandOption.FOREGROUND);
    request.pidFile = line.pidFile();
    request.lockFile = line.path(CommandOption.LOCK);
    request.lock = !line.has(CommandOption.NO_LOCK);
    Path directory = line.path(CommandOption.CHDIR);
    request.directory = directory == null ? request.directory : directory;
    request.umask = umask(request.umask);
    request.truncate = line.has(CommandOption.TRUNCATE);
    user(request);
    request.groups = groups();
    request.rootDirectory = line.path(CommandOption.CHROOT);
    request.limits = limits();
    request.niceness = number(CommandOption.NICE, -20, 19);
    request.oomScoreAdjust = number(CommandOption.OOM_SCORE_ADJ, -1000, 1000);
    request.noNewPrivileges = line.has(CommandOption.NO_NEW_PRIVS);
    request.keptCapabilities = keptCapabilities();
    request.closeDescriptors = !line.has(CommandOption.NO_CLOSE_FDS);
    request.keptDescriptors = keptDescriptors();
    if (line.has(CommandOption.LISTEN)) {
      request.listen = ListenOption.addresses(line);
    }
    request.variables = variables();
    request.programName = line.value(CommandOption.NAME);
    request.verbose = line.has(CommandOption.VERBOSE);
    request.dryRun = line.has(CommandOption.DRY_RUN);
    request.okIfRunning = line.has(CommandOption.OKNODO);
    request.rootsPidFile = pidFileOwner();
    request.makesDirectories = line.has(CommandOption.MKDIR);
    if (request.truncate && line.has(CommandOption.APPEND)) {
      throw line.usage("--append and --truncate exclude each other");
    }
    if (!request.lock && request.lockFile != null) {
      throw line.usage("--no-lock and --lock exclude each other");
    }
    request.guard = line.path(CommandOption.GUARD);
    if (!request.foreground || isReadinessTyped()) {
      readiness(request);
    }
    if (command == Command.RESTART) {
      request.stop = ControlOptions.policy(line);
      request.overlap = line.has(CommandOption.OVERLAP);
    }
    output(request);
    request.pidOnly = line.has(CommandOption.PID_ONLY);
    checkControl(request);
    name(request);
    if (request.ready != null) {
      ReadyOption.check(line, request);
    }
    if (request.overlap) {
      checkOverlap(request);
    }
    checkOverlaps(request);
    return request;
  }

  /** Reads when the start has succeeded. */
  private void readiness(Request request) {
    request.self = line.has(CommandOption.SELF);
    if (line.has(CommandOption.READY) || line.has(CommandOption.ALIVE)) {
      ReadyOption.read(line, request);
    }
    request.startTimeout = startTimeout(request);
  }

  /** In the foreground nobody waits: what a definition says of it is for starts as a daemon. */
  private boolean isReadinessTyped() {
    for (CommandOption option : READINESS) {
      if (line.isTyped(option)) {
        return true;
      }
    }
    return false;
  }

  private void name(Request request) {
    RequestedDaemon daemon = line.daemon();
    if (daemon != null) {
      request.named = new NamedStart(daemon, line.effective(), line.has(CommandOption.SAVE));
    } else if (line.has(CommandOption.SAVE)) {
      throw line.usage("--save needs a name: it writes the definition of that name");
    }
  }

  /** Checks options that need each other, or exclude each other. */
  private void checkControl(Request request) {
    if (request.pidFile == null) {
      if (line.has(CommandOption.GUARD)) {
        throw line.usage("--guard needs --pidfile");
      }
      if (request.self) {
        throw line.usage(self() + " needs --pidfile");
      }
      if (request.stop != null) {
        throw line.usage("a name or --pidfile is missing");
      }
    }
    if (!request.lock && (request.stop != null || request.guard != null)) {
      throw line.usage(
          "--no-lock excludes --guard and restart: without its lock the daemon is not known");
    }
    // In a definition it may be meant for the commands that control the daemon.
    if (line.isTyped(CommandOption.PID_ONLY)
        && request.stop == null
        && !request.self
        && request.lock) {
      throw line.usage("--pid-only needs --self or --no-lock: otherwise the pidfile is locked");
    }
    boolean defined =
        line.has(CommandOption.SAVE)
            || (!line.isTyped(CommandOption.NO_LOCK) && !request.foreground);
    if (!request.lock && defined && !request.pidOnly && !request.self) {
      throw line.usage(
          "--no-lock needs --pid-only in a definition: otherwise the daemon could not be stopped by"
              + " its name");
    }
    if (request.self) {
      for (CommandOption option : NOT_WITH_SELF) {
        if (line.has(option)) {
          throw line.usage(
              self() + " and " + option + " exclude each other: the program does that itself");
        }
      }
      // A definition is judged all the same, as check does it.
      if (request.dryRun
          && (line.isTyped(CommandOption.SELF) || line.isTyped(CommandOption.READY))) {
        throw line.usage(
            self() + " and --dry-run exclude each other: what the program does cannot be checked");
      }
    }
  }

  /** The option by which the program is said to daemonize itself. */
  private String self() {
    return line.has(CommandOption.SELF) ? "--self" : "--ready exit";
  }

  /** Checks what an overlapping restart needs, and what it cannot do. */
  private void checkOverlap(Request request) {
    if (request.ready == null) {
      throw line.usage("--overlap needs --ready with another condition than exec and exit");
    }
    ReadyOption.checkOverlap(line, request.ready);
    if (request.listen.isEmpty()) {
      throw line.usage("--overlap needs --listen: those are the sockets that both daemons share");
    }
    for (CommandOption option :
        List.of(CommandOption.LOCK, CommandOption.TRUNCATE, CommandOption.PID_ONLY)) {
      if (line.has(option)) {
        throw line.usage("--overlap and " + option + " exclude each other");
      }
    }
  }

  /** Reads the two outputs, each a file or a program; by its name a daemon has a file. */
  private void output(Request request) {
    RequestedDaemon daemon = line.daemon();
    String output = line.value(CommandOption.STDOUT);
    String error = line.value(CommandOption.STDERR);
    if (output == null && daemon != null && !request.foreground && !request.self) {
      request.standardOutput = daemon.log();
    } else if (!isCommand(output)) {
      request.standardOutput = line.path(CommandOption.STDOUT);
    }
    if (isCommand(output) || isCommand(error)) {
      OutputOption.read(line, request);
    } else {
      Path standardError = line.path(CommandOption.STDERR);
      request.standardError =
          standardError == null ? OutputPaths.errorBeside(request.standardOutput) : standardError;
    }
    request.sigpipe = line.has(CommandOption.SIGPIPE);
    if (request.sigpipe && !request.hasReaders()) {
      throw line.usage("--sigpipe needs --stdout or --stderr with |COMMAND, syslog or journal");
    }
  }

  private static boolean isCommand(@Nullable String value) {
    return value != null && !value.startsWith("/") && OutputOption.isCommand(value);
  }

  private List<String> program() {
    List<String> program = line.words();
    RequestedDaemon daemon = line.daemon();
    if (program.isEmpty() && daemon != null) {
      line.use(definition(daemon));
      Definition effective = line.effective();
      if (command != Command.RESTART && !effective.ofStop().lines().isEmpty()) {
        ControlOptions.checkStop(daemon, effective);
      }
      return effective.program();
    }
    if (program.isEmpty()) {
      throw line.usage("no program was given");
    }
    if (program.get(0).isEmpty()) {
      throw line.usage("the program's name is empty");
    }
    if (daemon != null && command == Command.RESTART) {
      ControlOptions.useDefinition(line, daemon);
    }
    return program;
  }

  /** The daemon's definition; a restart takes what it was started with if there is none. */
  private Definition definition(RequestedDaemon daemon) {
    Definition definition = daemon.definition();
    if (definition != null) {
      return definition;
    }
    StartedFile started = command == Command.RESTART ? daemon.started() : null;
    if (started != null && daemon.isOfAnother(started)) {
      throw new StartException(
          Reason.CONFIGURATION,
          daemon.notByName("; to restart it, type -- and the program behind the name"));
    }
    if (started != null) {
      return started.definition();
    }
    throw daemon.undefined("start a program under this name, type -- and the program behind it");
  }

  /** Reads {@code USER}, {@code USER:GROUP}, or {@code USER:} for the user's own group. */
  private void user(Request request) {
    String user = line.value(CommandOption.USER);
    request.group = line.value(CommandOption.GROUP);
    int colon = user == null ? -1 : user.indexOf(':');
    if (user == null || colon < 0) {
      request.user = user;
      return;
    }
    if (colon == 0) {
      throw line.usage(
          "--user wants USER or USER:GROUP, not \""
              + Text.readable(user)
              + "\"; for a group alone"
              + " there is --group");
    }
    String group = user.substring(colon + 1);
    request.user = user.substring(0, colon);
    if (request.group != null) {
      request.userGroup = group;
    } else if (!group.isEmpty()) {
      request.group = group;
    }
  }

  private Duration startTimeout(Request request) {
    CommandOption option =
        line.has(CommandOption.READY_TIMEOUT)
            ? CommandOption.READY_TIMEOUT
            : CommandOption.START_TIMEOUT;
    Duration timeout = line.time(option);
    if (timeout == null) {
      return request.startTimeout;
    }
    if (line.has(CommandOption.READY_TIMEOUT) && line.has(CommandOption.START_TIMEOUT)) {
      throw line.usage("--ready-timeout and --start-timeout are the same: give one");
    }
    if (!request.self && request.ready == null) {
      throw line.usage(option + " is for --ready and --self");
    }
    return timeout;
  }

  private boolean pidFileOwner() {
    String value = line.value(CommandOption.PIDFILE_OWNER);
    if (value == null) {
      return false;
    }
    if (!value.equals("root") && !value.equals("user")) {
      throw line.usage("--pidfile-owner wants root or user, not \"" + Text.readable(value) + "\"");
    }
    if (!line.has(CommandOption.USER) && !line.has(CommandOption.GROUP)) {
      throw line.usage("--pidfile-owner needs --user or --group");
    }
    if (line.pidFile() == null && !line.has(CommandOption.LOCK)) {
      throw line.usage("--pidfile-owner needs --pidfile or --lock");
    }
    return value.equals("root");
  }

  private int umask(int unset) {
    String value = line.value(CommandOption.UMASK);
    if (value == null) {
      return unset;
    }
    boolean octal = !value.isEmpty() && value.length() <= 4;
    for (int i = 0; i < value.length(); i++) {
      octal &= value.charAt(i) >= '0' && value.charAt(i) <= '7';
    }
    int mask = octal ? Integer.parseInt(value, 8) : -1;
    if (mask < 0 || mask > 0777) {
      throw line.usage(
          "--umask wants an octal mode from 0 to 777, not \"" + Text.readable(value) + "\"");
    }
    return mask;
  }

  /** Reads a list of names, separated by commas, or {@code none}. */
  private @Nullable List<String> groups() {
    String value = line.value(CommandOption.GROUPS);
    if (value == null) {
      return null;
    }
    if (!line.has(CommandOption.USER) && !line.has(CommandOption.GROUP)) {
      throw line.usage("--groups needs --user or --group");
    }
    List<String> groups = new ArrayList<>();
    for (int start = 0; start <= value.length() && !value.equals("none"); ) {
      int comma = value.indexOf(',', start);
      int end = comma < 0 ? value.length() : comma;
      if (start == end) {
        throw line.usage(
            "--groups wants names separated by commas, or none, not \""
                + Text.readable(value)
                + "\"");
      }
      groups.add(Text.readable(value.substring(start, end)));
      start = end + 1;
    }
    return groups;
  }

  /** The limits, the last one of each resource. */
  private List<ResourceLimit> limits() {
    List<ResourceLimit> limits = new ArrayList<>();
    for (String value : line.values(CommandOption.RLIMIT)) {
      try {
        ResourceLimit limit = ResourceLimit.parse(Text.readable(value));
        for (int i = limits.size() - 1; i >= 0; i--) {
          if (limits.get(i).resource() == limit.resource()) {
            limits.remove(i);
          }
        }
        limits.add(limit);
      } catch (IllegalArgumentException wrong) {
        throw line.usage("--rlimit: " + wrong.getMessage());
      }
    }
    return limits;
  }

  private @Nullable Integer number(CommandOption option, int min, int max) {
    String value = line.value(option);
    if (value == null) {
      return null;
    }
    try {
      int number = Integer.parseInt(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException noNumber) {
      // Refused below, like a number that is out of range.
    }
    throw line.usage(
        option
            + " wants a number from "
            + min
            + " to "
            + max
            + ", not \""
            + Text.readable(value)
            + "\"");
  }

  private @Nullable Set<Capability> keptCapabilities() {
    if (!line.has(CommandOption.KEEP_CAP)) {
      return null;
    }
    Set<Capability> kept = EnumSet.noneOf(Capability.class);
    List<String> values = line.values(CommandOption.KEEP_CAP);
    if (values.size() == 1 && values.get(0).equals("none")) {
      return kept;
    }
    for (String value : values) {
      try {
        kept.add(Capability.parse(Text.readable(value)));
      } catch (IllegalArgumentException wrong) {
        throw line.usage("--keep-cap: " + wrong.getMessage());
      }
    }
    return kept;
  }

  private List<Integer> keptDescriptors() {
    List<Integer> numbers = new ArrayList<>();
    for (String value : line.values(CommandOption.KEEP_FD)) {
      int number = -1;
      try {
        number = value.startsWith("+") ? -1 : Integer.parseInt(value);
      } catch (NumberFormatException noNumber) {
        number = -1;
      }
      if (number < 3) {
        throw line.usage(
            "--keep-fd wants a descriptor's number from 3 up, not \""
                + Text.readable(value)
                + "\"");
      }
      numbers.add(number);
    }
    return numbers;
  }

  private List<String> variables() {
    List<String> variables = new ArrayList<>();
    for (String value : line.values(CommandOption.ENV)) {
      if (value.isEmpty() || value.startsWith("=")) {
        throw line.usage("--env wants NAME=VALUE or NAME, not \"" + Text.readable(value) + "\"");
      }
      variables.add(value.indexOf('=') < 0 ? value + "=" : value);
    }
    return variables;
  }

  /** Refuses two purposes for one file, those included that no option names. */
  private void checkOverlaps(Request request) {
    FilePurposes purposes = new FilePurposes();
    NamedStart named = request.named;
    if (named != null) {
      named.addFiles(purposes);
    }
    add(purposes, CommandOption.GUARD, request.guardFile(), /* output= */ false);
    add(purposes, CommandOption.PIDFILE, request.pidFile, /* output= */ false);
    add(purposes, CommandOption.LOCK, request.lockFile, /* output= */ false);
    add(purposes, CommandOption.STDOUT, request.standardOutput, /* output= */ true);
    add(purposes, CommandOption.STDERR, request.standardError, /* output= */ true);
    for (ListenAddress address : request.listen) {
      add(purposes, CommandOption.LISTEN, address.path(), /* output= */ false);
    }
    if (request.ready != null) {
      ReadyOption.checkFile(line, request.ready, purposes);
    }
  }

  private void add(
      FilePurposes purposes, CommandOption option, @Nullable Path path, boolean output) {
    FilePurposes.Purpose other = purposes.add(option.toString(), path, output);
    if (other != null) {
      throw line.usage(option + " and " + other.name() + " are the same file, " + other.path());
    }
  }
}
