package dev.daimon.cli;

import dev.daimon.control.ControlledDaemon;
import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.Guard;
import dev.daimon.control.Outcome;
import dev.daimon.control.StartSpec;
import dev.daimon.control.StopPolicy;
import dev.daimon.forking.Child;
import dev.daimon.forking.Descriptors;
import dev.daimon.forking.Environment;
import dev.daimon.forking.Executable;
import dev.daimon.forking.NotExecutableException;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.privileges.RootDirectoryException;
import dev.daimon.signals.Dispositions;
import dev.daimon.signals.SignalMask;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.FileSet;
import dev.daimon.startup.NamedProcess;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code daimon start}, {@code run} and {@code restart}: the steps from a request to a running
 * program, in the one order in which every failure leaves things as they were.
 *
 * <p>First everything is judged, as the target user; then files are locked and opened; then, with
 * nothing left that is likely to fail, files are emptied, the program is started, and the pidfile
 * names it.
 */
final class StartCommand {
  private final Request request;
  private final Terminal terminal;
  private final Caller caller;

  /** What the program gives up; null for nothing. */
  private @Nullable PrivilegeDrop drop;

  /** What the start is written down in; null if it is somebody else's to do. */
  private @Nullable Guard guard;

  StartCommand(Request request) {
    this.request = request;
    terminal = new Terminal(request.verbose);
    caller = Caller.find(!request.keptDescriptors.isEmpty() || !request.closeDescriptors);
  }

  int launch() {
    try {
      return carryOut();
    } catch (StartException failure) {
      if (request.okIfRunning && failure.reason() == Reason.ALREADY_RUNNING && isRunning()) {
        terminal.error(String.valueOf(failure.getMessage()));
        return 0;
      }
      throw PathOptions.named(failure, request);
    }
  }

  /** A held lock is not enough: whoever holds it may have outlived the daemon. */
  private boolean isRunning() {
    if (request.pidFile == null) {
      return true;
    }
    try {
      return request.control(request.pidFile).status().state() == State.RUNNING;
    } catch (IOException unknown) {
      return false;
    }
  }

  private int carryOut() {
    if (!Caller.leavesSignalsAlone()) {
      Respawn.leavingSignalsAlone();
    }
    if (request.foreground && caller.isWaiting()) {
      return ScriptProtocol.RUN_BY_EXEC;
    }
    if (!request.foreground
        && !request.dryRun
        && !request.self
        && !caller.hasMadeSession()
        && ThisProcess.isGroupLeader()) {
      return Respawn.inNewSession();
    }
    checkKeptDescriptors();
    Identity identity = identity();
    prepareDrop(identity);
    Environment environment = environment(identity);
    Path executable = judge(environment);
    if (request.dryRun) {
      new Plan(request, identity, executable, terminal).print();
      return 0;
    }
    try {
      carryOut(new OpenThenStart(executable, identity, environment));
      return 0;
    } catch (IOException failure) {
      throw ControlFailure.of(failure);
    } catch (InterruptedException impossible) {
      throw new IllegalStateException("nobody interrupts this thread", impossible);
    }
  }

  private void carryOut(OpenThenStart step) throws IOException, InterruptedException {
    if (request.pidFile == null || !request.lock) {
      step.start();
      return;
    }
    ActionWords words = new ActionWords(terminal);
    DaemonControl control = request.control(request.pidFile).listener(words);
    if (request.stop != null) {
      restart(step, control, request.stop);
    } else if (!request.self) {
      startGuarded(step, control, words);
    } else if (control.start(step) == Outcome.ALREADY_DONE) {
      DaemonStatus status = control.status();
      throw new StartException(
          Reason.ALREADY_RUNNING,
          (status.state() == DaemonStatus.State.RUNNING ? "already " : "already running; now: ")
              + status.reason());
    }
  }

  private void startGuarded(OpenThenStart step, DaemonControl control, ActionWords words)
      throws IOException, InterruptedException {
    Guard held = step.guard(control).orElse(null);
    guard = held;
    try {
      startOrReplace(step, control, held);
    } catch (IOException | RuntimeException | Error failure) {
      if (held != null) {
        held.takeBack(failure);
      }
      try (held) {
        throw failure;
      }
    }
    try {
      if (held != null) {
        held.close();
      }
    } catch (PosixException failure) {
      // The program runs.
      words.failedAfterwards(
          new IOException("the guard could not be closed: " + failure.getMessage(), failure));
    }
  }

  /**
   * Once more if only a stranger's lock was in the way, and the guard allows to remove its file.
   */
  private static void startOrReplace(
      OpenThenStart step, DaemonControl control, @Nullable Guard held) throws IOException {
    try {
      step.start();
    } catch (StartException refused) {
      if (held == null || refused.reason() != Reason.CANNOT_TELL || !control.removeForeignLocked()) {
        throw refused;
      }
      step.start();
    }
  }

  private void restart(OpenThenStart step, DaemonControl control, StopPolicy policy)
      throws IOException, InterruptedException {
    if (!request.self) {
      new Plan(request, step.identity, step.executable, terminal).check(control);
      // Makes it where the user may, and root may not; released at once, for the restart to take.
      Guard guard = step.guard(control).orElse(null);
      if (guard != null) {
        guard.close();
      }
    }
    try {
      Outcome _ = control.restart(step, policy, new StopProgress(terminal));
    } finally {
      terminal.clear();
    }
  }

  /** What is left to do when everything was judged, and takes milliseconds. */
  private final class OpenThenStart implements StartSpec {
    private final Path executable;
    private final @Nullable Identity identity;
    private final Environment environment;

    OpenThenStart(Path executable, @Nullable Identity identity, Environment environment) {
      this.executable = executable;
      this.identity = identity;
      this.environment = environment;
    }

    @Override
    public void start(ControlledDaemon daemon) throws IOException, InterruptedException {
      if (request.self) {
        ignoreTermination();
        ThisProcess.umask(request.umask);
        StartSpec.self(this::selfDaemonizing, request.startTimeout).start(daemon);
      } else {
        start();
      }
    }

    /** As the target user, as its other files; by root only if that user may not. */
    Optional<Guard> guard(DaemonControl control) throws IOException, InterruptedException {
      Optional<Guard> users =
          identity == null || request.rootsPidFile
              ? Optional.empty()
              : identity.accessFiles(() -> users(control));
      if (users.isPresent()) {
        return users;
      }
      if (request.guard != null) {
        // The other one is beside the pidfile, whose path is judged with the files.
        Ownership.requireFixedPath(request.guard);
      }
      return control.takeGuard();
    }

    private static Optional<Guard> users(DaemonControl control) throws IOException {
      try {
        return control.takeGuard();
      } catch (PosixException failure) {
        if (failure.errno().equals(Errno.EACCES)) {
          return Optional.empty();
        }
        throw failure;
      } catch (InterruptedException impossible) {
        throw new IllegalStateException("nobody interrupts this thread", impossible);
      }
    }

    private Program selfDaemonizing() {
      return program(executable, environment, null);
    }

    void start() {
      ThisProcess.umask(request.umask);
      DaemonFiles files = new DaemonFiles(files(), identity, terminal);
      try {
        if (!request.foreground) {
          ignoreTermination();
        }
        files.open();
        requireReplaceable(request, files.namedProcess());
        Program program = program(executable, environment, files);
        if (request.foreground) {
          become(program, identity, files);
        } else {
          StartCommand.this.start(program, files);
        }
      } catch (RuntimeException | Error failure) {
        files.undo(failure);
        throw failure;
      }
    }
  }

  /** Refuses to start over a process that may be the daemon; the pidfile says so, and no lock. */
  static void requireReplaceable(Request request, NamedProcess named) {
    if (request.pidFile == null || named.pid() == 0) {
      return;
    }
    try {
      request.control(request.pidFile).requireReplaceable(named.pid(), named.owner());
    } catch (IOException failure) {
      throw ControlFailure.of(failure);
    }
  }

  private FileSet files() {
    return new FileSet(
        request.pidFile,
        request.lock,
        request.lockFile,
        request.standardOutput,
        request.standardError,
        request.truncate,
        request.rootsPidFile);
  }

  private void checkKeptDescriptors() {
    int[] open = caller.descriptors();
    for (int number : request.keptDescriptors) {
      if (open != null && Arrays.binarySearch(open, number) < 0) {
        throw new StartException(
            Reason.CONFIGURATION, "--keep-fd " + number + ": no such descriptor is open");
      }
    }
  }

  /** The user and group to become; null if none is asked for. */
  private @Nullable Identity identity() {
    String user = readable(request.user);
    String group = readable(request.group);
    if (request.userGroup != null) {
      checkGroup(user, group, request.userGroup);
    }
    Identity identity = TargetIdentity.resolve(user, group, request.groups);
    if (identity != null) {
      TargetIdentity.requirePermitted(identity, who(), "");
    }
    return identity;
  }

  /** One group by two options, be it by its name in one and by its number in the other. */
  private static void checkGroup(@Nullable String user, @Nullable String group, String userGroup) {
    Identity one = TargetIdentity.resolve(user, group, null);
    Identity other =
        TargetIdentity.resolve(user, userGroup.isEmpty() ? null : readable(userGroup), null);
    if (one != null && other != null && one.gid() != other.gid()) {
      throw new StartException(
          Reason.CONFIGURATION, "--user and --group name different groups; see daimon help start");
    }
  }

  /** What else the program gives up; tried before anything is done, as the identity is. */
  private void prepareDrop(@Nullable Identity identity) {
    try {
      for (ResourceLimit limit : request.limits) {
        ThisProcess.allow(limit);
      }
      if (identity != null || request.hasDrop()) {
        drop = drop(identity);
      }
      if (drop != null && request.hasDrop()) {
        boolean _ = drop.start(_ -> true);
      }
    } catch (RootDirectoryException unusable) {
      throw new StartException(Reason.SYSTEM, unusable);
    } catch (PosixException failure) {
      boolean denied = failure.errno().equals(Errno.EPERM) || failure.errno().equals(Errno.EACCES);
      throw new StartException(denied ? Reason.PERMISSION : Reason.SYSTEM, failure);
    } catch (IOException failure) {
      throw new StartException(Reason.PERMISSION, failure);
    }
  }

  private PrivilegeDrop drop(@Nullable Identity identity) {
    PrivilegeDrop.Builder builder = PrivilegeDrop.builder();
    if (identity != null) {
      builder.identity(identity);
    }
    if (request.rootDirectory != null) {
      builder.rootDirectory(request.rootDirectory);
    }
    if (request.niceness != null) {
      builder.niceness(request.niceness);
    }
    if (request.oomScoreAdjust != null) {
      builder.oomScoreAdjust(request.oomScoreAdjust);
    }
    if (request.noNewPrivileges) {
      builder.noNewPrivileges();
    }
    if (request.keptCapabilities != null) {
      builder.keepCapabilities(request.keptCapabilities);
    }
    return builder.build();
  }

  private String who() {
    String user = request.user == null ? "" : "user " + Text.readable(request.user);
    String group = request.group == null ? "" : "group " + Text.readable(request.group);
    return user + (user.isEmpty() || group.isEmpty() ? "" : ", ") + group;
  }

  private static @Nullable String readable(@Nullable String text) {
    return text == null ? null : Text.readable(text);
  }

  /** The caller's environment, with the target user's own variables and those asked for. */
  private Environment environment(@Nullable Identity identity) {
    Environment environment = caller.environment();
    if (identity != null && identity.name().isPresent() && identity.home().isPresent()) {
      environment =
          environment
              .with(Text.bytes("HOME"), identity.home().get())
              .with(Text.bytes("USER"), identity.name().get())
              .with(Text.bytes("LOGNAME"), identity.name().get());
    }
    for (String variable : request.variables) {
      int equals = variable.indexOf('=');
      environment =
          environment.with(
              Text.bytes(variable.substring(0, equals)),
              Text.bytes(variable.substring(equals + 1)));
    }
    return environment;
  }

  /** Finds the program, and makes sure, as the target user, that it and its directory will do. */
  private Path judge(Environment environment) {
    byte[] name = Text.bytes(request.command.get(0));
    Path here = request.rootDirectory == null ? caller.directory() : Path.of("/");
    byte[] searchPath = environment.get("PATH");
    try {
      Path executable;
      if (drop == null) {
        executable = Executable.find(name, searchPath, here);
        Program.checkDirectory(request.directory);
      } else {
        executable =
            drop.accessFiles(() -> {
              Path found = Executable.find(name, searchPath, here);
              Program.checkDirectory(request.directory);
              return found;
            });
      }
      terminal.step("found " + executable);
      return executable;
    } catch (NotExecutableException missing) {
      throw new StartException(Reason.PROGRAM, missing);
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** The program; without files it has the streams that the caller has. */
  private Program program(Path executable, Environment environment, @Nullable DaemonFiles files) {
    List<byte[]> arguments = new ArrayList<>();
    for (String argument : request.command.subList(1, request.command.size())) {
      arguments.add(Text.bytes(argument));
    }
    String name = request.programName == null ? request.command.get(0) : request.programName;
    Redirect unset = request.foreground || files == null ? Redirect.inherit() : nullDevice();
    Program program =
        Program.at(executable)
            .name(Text.bytes(name))
            .arguments(arguments)
            .environment(environment)
            .directory(request.directory)
            .standardInput(unset)
            .standardOutput(redirect(files == null ? null : files.standardOutput(), unset))
            .standardError(redirect(files == null ? null : files.standardError(), unset));
    if (files != null) {
      for (Descriptor descriptor : files.lockDescriptors()) {
        program.keep(descriptor);
      }
    }
    for (int number : request.keptDescriptors) {
      program.keep(number);
    }
    for (ResourceLimit limit : request.limits) {
      program.limit(limit);
    }
    if (!request.closeDescriptors) {
      keepAll(program);
    }
    return program;
  }

  /** Opened here where the program's root directory may have none. */
  private Redirect nullDevice() {
    if (request.rootDirectory == null) {
      return Redirect.nullDevice();
    }
    try {
      return Redirect.to(Descriptors.openNullDevice());
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static Redirect redirect(@Nullable Descriptor descriptor, Redirect unset) {
    return descriptor == null ? unset : Redirect.to(descriptor);
  }

  /** All of the caller's: the JVM's own are closed even so, where they can be told apart. */
  private void keepAll(Program program) {
    int[] descriptors = caller.descriptors();
    if (descriptors == null) {
      program.closeOtherDescriptors(false);
      return;
    }
    for (int number : descriptors) {
      if (number > 2) {
        program.keep(number);
      }
    }
  }

  /** Starts the program as a daemon: in a session that this JVM leads, and leaves by ending. */
  private void start(Program program, DaemonFiles files) {
    Child child;
    try {
      if (!caller.hasMadeSession()) {
        ThisProcess.setsid();
      }
      files.applyPendingChowns();
      files.prepare();
      child = drop == null ? program.spawn() : drop.start(change -> program.become(change).spawn());
    } catch (IOException failure) {
      throw notStarted(failure);
    }
    try {
      terminal.step("started " + child);
      files.writePid(child.pid());
      record(child.pid());
    } catch (RuntimeException | Error failure) {
      stop(child, failure);
      throw failure;
    }
  }

  /** Tells later commands which process was started. */
  private void record(long pid) {
    if (guard != null) {
      guard.record(pid, Objects.requireNonNull(request.pidFile));
    }
  }

  /**
   * Turns this process into the program. Returns never.
   *
   * <p>A signal ends it at any moment, as it would end the program: what then stays is a pidfile
   * that nobody has locked.
   */
  private void become(Program program, @Nullable Identity identity, DaemonFiles files) {
    keepFromTyping(identity);
    try {
      files.applyPendingChowns();
      files.prepare();
      Dispositions.resetIgnored();
      files.writePid(ThisProcess.id());
      record(ThisProcess.id());
      if (drop == null) {
        SignalMask.clear();
        program.exec();
      } else {
        boolean _ =
            drop.start(change -> {
              SignalMask.clear();
              program.become(change).exec();
              return false;
            });
      }
    } catch (IOException failure) {
      throw notStarted(failure);
    }
  }

  /** Another user's program has no business in the input of this user's shell. */
  private void keepFromTyping(@Nullable Identity identity) {
    if (TargetIdentity.user(identity) == Identity.effectiveUser()) {
      return;
    }
    try {
      ThisProcess.refuseTyping(request.noNewPrivileges);
    } catch (IOException failure) {
      throw new StartException(
          Reason.PERMISSION,
          who()
              + " could type into this terminal, and that cannot be prevented here: "
              + failure.getMessage()
              + "; use --no-new-privs, or leave the terminal with setsid -w");
    }
  }

  /** The program was judged to be fine, and could not be executed all the same. */
  private static StartException notStarted(IOException failure) {
    boolean program =
        failure instanceof PosixException posix
            && (posix.errno().equals(Errno.ENOENT)
                || posix.errno().equals(Errno.EACCES)
                || posix.errno().equals(Errno.ENOEXEC));
    return new StartException(program ? Reason.PROGRAM : Reason.SYSTEM, failure);
  }

  /**
   * The point of no return. Until here nothing was changed, and a signal simply ends this JVM; from
   * here on it takes milliseconds, and the start is carried through, or taken back by itself.
   */
  private void ignoreTermination() {
    try {
      Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
      // Ignored, it would let a program that is killed at once vanish, and nobody could tell.
      Dispositions.reset(Signal.CHLD);
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
    if (caller.isGone()) {
      throw new StartException(Reason.SYSTEM, "the launcher has ended; nothing was started");
    }
  }

  /** Takes back the start of a program that ran for a moment. */
  private static void stop(Child child, Throwable reason) {
    try {
      child.signal(Signal.KILL);
      child.waitFor();
    } catch (PosixException second) {
      reason.addSuppressed(second);
    }
  }
}
