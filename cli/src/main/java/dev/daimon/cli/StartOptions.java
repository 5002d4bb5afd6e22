package dev.daimon.cli;

import dev.daimon.posix.Capability;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.startup.FilePurposes;
import dev.daimon.startup.OutputPaths;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.apache.commons.cli.Options;
import org.jspecify.annotations.Nullable;

/** The options of {@code start}, {@code run} and {@code restart}, and the request they make. */
final class StartOptions {
  /** What a program that daemonizes itself has to do itself. */
  private static final List<String> NOT_WITH_SELF =
      List.of(
          "lock",
          "no-lock",
          "stdout",
          "stderr",
          "append",
          "truncate",
          "user",
          "group",
          "groups",
          "chroot",
          "rlimit",
          "nice",
          "oom-score-adj",
          "no-new-privs",
          "keep-cap",
          "pidfile-owner",
          "foreground",
          "dry-run");

  private final String command;
  private final CommandLine line;

  private StartOptions(String command, CommandLine line) {
    this.command = command;
    this.line = line;
  }

  static void addTo(Options options, String command) {
    CommandLine.value(options, "l", "lock");
    CommandLine.flag(options, null, "no-lock");
    CommandLine.value(options, "c", "chdir");
    CommandLine.value(options, "m", "umask");
    CommandLine.value(options, "o", "stdout");
    CommandLine.value(options, "e", "stderr");
    CommandLine.flag(options, "a", "append");
    CommandLine.flag(options, null, "truncate");
    CommandLine.value(options, "u", "user");
    CommandLine.value(options, "g", "group");
    CommandLine.value(options, null, "groups");
    CommandLine.value(options, null, "chroot");
    CommandLine.value(options, null, "rlimit");
    CommandLine.value(options, null, "nice");
    CommandLine.value(options, null, "oom-score-adj");
    CommandLine.flag(options, null, "no-new-privs");
    CommandLine.value(options, null, "keep-cap");
    CommandLine.value(options, null, "pidfile-owner");
    CommandLine.flag(options, null, "no-close-fds");
    CommandLine.value(options, null, "keep-fd");
    CommandLine.value(options, "E", "env");
    CommandLine.value(options, "n", "name");
    CommandLine.flag(options, "v", "verbose");
    if (!command.equals("restart")) {
      CommandLine.flag(options, "f", "foreground");
      CommandLine.flag(options, null, "dry-run");
    }
    if (command.equals("start")) {
      CommandLine.flag(options, null, "oknodo");
    }
  }

  static Request request(String command, CommandLine line) {
    return new StartOptions(command, line).request();
  }

  private Request request() {
    Request request = new Request();
    request.command = program();
    request.foreground = command.equals("run") || line.has("foreground");
    request.pidFile = line.path("pidfile");
    request.lockFile = line.path("lock");
    request.lock = !line.has("no-lock");
    Path directory = line.path("chdir");
    request.directory = directory == null ? request.directory : directory;
    request.umask = umask(request.umask);
    request.standardOutput = line.path("stdout");
    Path standardError = line.path("stderr");
    request.standardError =
        standardError == null ? OutputPaths.errorBeside(request.standardOutput) : standardError;
    request.truncate = line.has("truncate");
    user(request);
    request.groups = groups();
    request.rootDirectory = line.path("chroot");
    request.limits = limits();
    request.niceness = number("nice", -20, 19);
    request.oomScoreAdjust = number("oom-score-adj", -1000, 1000);
    request.noNewPrivileges = line.has("no-new-privs");
    request.keptCapabilities = keptCapabilities();
    request.closeDescriptors = !line.has("no-close-fds");
    request.keptDescriptors = keptDescriptors();
    request.variables = variables();
    request.programName = line.value("name");
    request.verbose = line.has("verbose");
    request.dryRun = line.has("dry-run");
    request.okIfRunning = line.has("oknodo");
    request.rootsPidFile = pidFileOwner();
    if (request.truncate && line.has("append")) {
      throw line.usage("--append and --truncate exclude each other");
    }
    if (!request.lock && request.lockFile != null) {
      throw line.usage("--no-lock and --lock exclude each other");
    }
    if (!command.equals("run")) {
      request.guard = line.path("guard");
      request.self = line.has("self");
      request.startTimeout = ControlOptions.startTimeout(line);
    }
    if (command.equals("restart")) {
      request.stop = ControlOptions.policy(line);
    }
    request.pidOnly = line.has("pid-only");
    checkControl(request);
    checkOverlaps(request);
    return request;
  }

  /** Options that need each other, or do not go together. */
  private void checkControl(Request request) {
    if (request.pidFile == null) {
      for (String option : List.of("guard", "self")) {
        if (line.has(option)) {
          throw line.usage("--" + option + " needs --pidfile");
        }
      }
      if (request.stop != null) {
        throw line.usage("--pidfile is missing");
      }
    }
    if (!request.lock && (request.stop != null || request.guard != null)) {
      throw line.usage("--no-lock leaves nothing to tell the daemon by");
    }
    if (request.pidOnly && request.stop == null && !request.self) {
      throw line.usage("--pid-only is for --self: what is started here has its pidfile locked");
    }
    if (request.self) {
      for (String option : NOT_WITH_SELF) {
        if (line.has(option)) {
          throw line.usage(
              "--self and --" + option + " exclude each other: the program does that itself");
        }
      }
    }
  }

  private List<String> program() {
    List<String> program = line.words();
    if (program.isEmpty()) {
      throw line.usage("no program was given");
    }
    if (program.get(0).isEmpty()) {
      throw line.usage("the program's name is empty");
    }
    return program;
  }

  /** {@code USER}, {@code USER:GROUP}, or {@code USER:} for the user's own group. */
  private void user(Request request) {
    String user = line.value("user");
    request.group = line.value("group");
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

  private boolean pidFileOwner() {
    String value = line.value("pidfile-owner");
    if (value == null) {
      return false;
    }
    if (!value.equals("root") && !value.equals("user")) {
      throw line.usage("--pidfile-owner wants root or user, not \"" + Text.readable(value) + "\"");
    }
    if (!line.has("user") && !line.has("group")) {
      throw line.usage("--pidfile-owner needs --user or --group");
    }
    if (!line.has("pidfile") && !line.has("lock")) {
      throw line.usage("--pidfile-owner needs --pidfile or --lock");
    }
    return value.equals("root");
  }

  private int umask(int unset) {
    String value = line.value("umask");
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

  /** A list of names with commas between, or {@code none}. */
  private @Nullable List<String> groups() {
    String value = line.value("groups");
    if (value == null) {
      return null;
    }
    if (!line.has("user") && !line.has("group")) {
      throw line.usage("--groups needs --user or --group");
    }
    List<String> groups = new ArrayList<>();
    for (int start = 0; start <= value.length() && !value.equals("none"); ) {
      int comma = value.indexOf(',', start);
      int end = comma < 0 ? value.length() : comma;
      if (start == end) {
        throw line.usage(
            "--groups wants names with commas between, or none, not \""
                + Text.readable(value)
                + "\"");
      }
      groups.add(Text.readable(value.substring(start, end)));
      start = end + 1;
    }
    return groups;
  }

  /** Of each resource the last one, as everywhere. */
  private List<ResourceLimit> limits() {
    List<ResourceLimit> limits = new ArrayList<>();
    for (String value : line.values("rlimit")) {
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

  private @Nullable Integer number(String option, int min, int max) {
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
      // Refused as one that is out of range.
    }
    throw line.usage(
        "--"
            + option
            + " wants a number from "
            + min
            + " to "
            + max
            + ", not \""
            + Text.readable(value)
            + "\"");
  }

  private @Nullable Set<Capability> keptCapabilities() {
    if (!line.has("keep-cap")) {
      return null;
    }
    Set<Capability> kept = EnumSet.noneOf(Capability.class);
    List<String> values = line.values("keep-cap");
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
    for (String value : line.values("keep-fd")) {
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
    for (String value : line.values("env")) {
      if (value.isEmpty() || value.startsWith("=")) {
        throw line.usage("--env wants NAME=VALUE or NAME, not \"" + Text.readable(value) + "\"");
      }
      variables.add(value.indexOf('=') < 0 ? value + "=" : value);
    }
    return variables;
  }

  /** Refuses two purposes for one file, the guard's default one included. */
  private void checkOverlaps(Request request) {
    FilePurposes purposes = new FilePurposes();
    add(purposes, "guard", request.guardFile(), /* output= */ false);
    add(purposes, "pidfile", request.pidFile, /* output= */ false);
    add(purposes, "lock", request.lockFile, /* output= */ false);
    add(purposes, "stdout", request.standardOutput, /* output= */ true);
    add(purposes, "stderr", request.standardError, /* output= */ true);
  }

  private void add(FilePurposes purposes, String option, @Nullable Path path, boolean output) {
    FilePurposes.Purpose other = purposes.add(option, path, output);
    if (other != null) {
      throw line.usage(
          "--" + other.name() + " and --" + option + " are the same file, " + other.path());
    }
  }
}
