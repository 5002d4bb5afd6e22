package dev.daimon.cli;

import dev.daimon.control.ControlFailure;
import dev.daimon.control.ControlledDaemon;
import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.Guard;
import dev.daimon.control.OutputReader;
import dev.daimon.control.OverlapSpec;
import dev.daimon.control.RunningDaemon;
import dev.daimon.control.StartSpec;
import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.signals.Dispositions;
import dev.daimon.signals.SignalMask;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.FileSet;
import dev.daimon.startup.ListenSockets;
import dev.daimon.startup.MadeDirectories;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A start whose checks have passed. What is left takes milliseconds: lock and open the files, empty
 * them, start the program, write its pid. A step that fails takes back those before it.
 */
final class PreparedStart implements StartSpec, OverlapSpec {
  private final Request request;
  private final Terminal terminal;
  private final Caller caller;
  private final RequestedProgram program;
  private final @Nullable Identity identity;

  /** What the program gives up; null for nothing. */
  private final @Nullable PrivilegeDrop drop;

  /** The programs that read the output; null if there is none. */
  private final @Nullable OutputReaders readers;

  /** The wait for the program; null if it need only be executed, or has not been started yet. */
  private @Nullable AwaitedStart awaited;

  /** The guard file in which the start is recorded; null if none is held here. */
  private @Nullable Guard guard;

  /** The control that records the start; null if there is none. */
  private @Nullable ControlledDaemon controlled;

  /** The signals that were ignored before an overlapping start. */
  private Set<Signal> ignored = Set.of();

  /** Whether the program has taken an old daemon's place. */
  private boolean replaces;

  /** The files of an overlapping start; null before it. */
  private @Nullable DaemonFiles filesBeside;

  /** The sockets of an overlapping start; null before it. */
  private @Nullable ListenSockets socketsBeside;

  PreparedStart(
      Request request,
      Terminal terminal,
      Caller caller,
      RequestedProgram program,
      @Nullable Identity identity,
      @Nullable PrivilegeDrop drop) {
    this.request = request;
    this.terminal = terminal;
    this.caller = caller;
    this.program = program;
    this.identity = identity;
    this.drop = drop;
    readers = program.readers();
  }

  /** What {@code --dry-run} prints, and what a restart checks before it stops the daemon. */
  Plan plan() {
    return new Plan(request, identity, program.executable(), terminal);
  }

  /**
   * Takes the guard: as the user that the program will run as, like its other files; as root only
   * if that user may not.
   */
  Optional<Guard> takeGuard(DaemonControl control) throws IOException, InterruptedException {
    Optional<Guard> taken =
        identity == null || request.rootsPidFile
            ? Optional.empty()
            : identity.accessFiles(() -> takeUsersGuard(control));
    if (taken.isEmpty()) {
      if (request.guard != null) {
        // The default guard is beside the pidfile, whose path is checked with the other files.
        Ownership.requireFixedPath(request.guard);
      }
      taken = control.takeGuard();
    }
    return taken;
  }

  private static Optional<Guard> takeUsersGuard(DaemonControl control) throws IOException {
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

  /** Makes the missing directories of the files, each for the file's owner. */
  void makeDirectories(MadeDirectories made) {
    // As the files have it.
    ThisProcess.umask(request.umask);
    Identity locksOwner = request.rootsPidFile ? null : identity;
    makeAbove(request.lockFile, locksOwner, made);
    makeAbove(request.pidFile, locksOwner, made);
    makeAbove(request.standardOutput, identity, made);
    makeAbove(request.standardError, identity, made);
    for (Path directory : made.paths()) {
      terminal.step("made the directory " + directory);
    }
  }

  private static void makeAbove(
      @Nullable Path file, @Nullable Identity owner, MadeDirectories made) {
    if (file != null) {
      made.makeAbove(file, owner);
    }
  }

  /**
   * Prints what the program has written last, if the start has failed while it was waited for: not
   * that of one which has taken an old daemon's place, and runs.
   */
  void printLastLines(Reason reason) {
    if (awaited != null && (!replaces || reason == Reason.DAEMON_FAILED)) {
      awaited.printLastLines();
    }
  }

  /** Has the start recorded in a guard file, for later commands. */
  void recordIn(@Nullable Guard held) {
    guard = held;
  }

  @Override
  public void start(ControlledDaemon daemon) throws IOException, InterruptedException {
    if (request.self) {
      if (request.named != null) {
        request.named.daemon().requireNotLost();
      }
      ignoreTermination();
      prepareName();
      try {
        ThisProcess.umask(request.umask);
        StartSpec.self(program::withCallersStreams, request.startTimeout).start(daemon);
      } catch (IOException | InterruptedException | RuntimeException | Error failure) {
        takeBackName(failure);
        throw failure;
      }
      nameSelf();
    } else {
      controlled = daemon;
      start();
    }
  }

  /** Starts the program with its files; in the foreground this process becomes the program. */
  void start() {
    ThisProcess.umask(request.umask);
    DaemonFiles files = new DaemonFiles(fileSet(), identity, terminal);
    ListenSockets sockets = null;
    try {
      if (!request.foreground) {
        ignoreTermination();
      }
      prepareName();
      openFiles(files);
      request.requireReplaceable(files.namedProcess());
      if (!request.listen.isEmpty()) {
        boolean locked = request.lock && request.pidFile != null;
        sockets = ListenSockets.open(request.listen, identity, locked);
      }
      if (readers != null) {
        readers.openPipes();
      }
      if (request.foreground) {
        become(program.with(files, sockets), files);
      } else {
        spawn(program.with(files, sockets), files, null);
      }
    } catch (RuntimeException | Error failure) {
      undo(files, sockets, failure);
      throw failure;
    }
  }

  private void undo(DaemonFiles files, @Nullable ListenSockets sockets, Throwable reason) {
    if (readers != null) {
      readers.end(reason);
    }
    if (sockets != null) {
      sockets.undo(reason);
    }
    files.undo(reason);
    takeBackName(reason);
  }

  /**
   * Starts the program beside a daemon that runs, with its lock and its sockets; returns the
   * process id when the program is ready and the pidfile names it.
   */
  @Override
  public long start(RunningDaemon old) throws PosixException {
    ignored = Dispositions.current().ignored();
    ThisProcess.umask(request.umask);
    // The pidfile and its lock are the old daemon's, and are shared.
    FileSet output =
        new FileSet(null, false, null, request.standardOutput, request.standardError, false, false);
    DaemonFiles files = new DaemonFiles(output, identity, terminal);
    ListenSockets sockets = null;
    long pid;
    try {
      ignoreTermination();
      prepareName();
      files.open();
      sockets = ListenSockets.open(request.listen, identity, /* locked= */ true, old.sockets());
      if (readers != null) {
        readers.openPipes();
      }
      pid = spawn(program.with(files, sockets, List.of(old.lock())), files, old);
    } catch (RuntimeException | Error failure) {
      undo(files, sockets, failure);
      throw failure;
    }
    filesBeside = files;
    socketsBeside = sockets;
    return pid;
  }

  /** Nothing of the new daemon stays: the old one has its pidfile, lock and sockets as before. */
  @Override
  public void takeBack(Throwable reason) {
    try {
      Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
    } catch (PosixException failure) {
      reason.addSuppressed(failure);
    }
    // What takes time comes last.
    takeBackName(reason);
    if (awaited != null) {
      StartedProcesses.end(reason, terminal);
    }
    if (filesBeside != null) {
      undo(filesBeside, socketsBeside, reason);
    }
  }

  private FileSet fileSet() {
    return new FileSet(
        request.pidFile,
        request.lock,
        request.lockFile,
        request.standardOutput,
        request.standardError,
        request.truncate,
        request.rootsPidFile);
  }

  /** Starts the program as a daemon: in a session that this JVM leads until it ends. */
  private long spawn(Program daemon, DaemonFiles files, @Nullable RunningDaemon old) {
    Child child;
    try {
      if (!caller.hasMadeSession()) {
        ThisProcess.setsid();
      }
      // To find all that is to be ended if the start fails; and to learn how a reader has ended.
      ThisProcess.adoptOrphans();
      files.applyPendingChowns();
      files.prepare();
      startReaders(files);
      if (request.ready != null) {
        awaited = AwaitedStart.open(request.ready, request, terminal, caller, files, readers);
        awaited.addTo(daemon, program.environment());
      }
      child = drop == null ? daemon.spawn() : drop.start(change -> daemon.become(change).spawn());
    } catch (IOException failure) {
      throw notStarted(failure);
    }
    try {
      terminal.step("started " + child);
      files.writePid(child.pid());
      record(child.pid());
      long pid = child.pid();
      if (awaited != null) {
        pid = awaited.await(child);
        if (old == null) {
          Caller.tellReady();
        }
        if (pid != child.pid() && old == null) {
          files.rewritePid(pid);
          record(pid);
        }
      }
      files.requireInPlace();
      if (readers != null) {
        readers.requireAll();
      }
      if (old != null) {
        replace(old, pid);
      }
      if (awaited == null || old != null) {
        Caller.tellReady();
      }
      name(pid);
      if (readers != null && old == null) {
        readers.release();
      }
      return pid;
    } catch (RuntimeException | Error failure) {
      StartedProcesses.end(failure, terminal);
      throw failure;
    }
  }

  /** In the daemon's session, and before it. */
  private void startReaders(DaemonFiles files) throws IOException {
    if (readers != null) {
      readers.start(files, program.nullDevice());
      terminal.step("started " + readers.described());
    }
  }

  /** The programs that read the output of the daemon that was started. */
  @Override
  public List<OutputReader> readers() {
    return readers == null ? List.of() : readers.described();
  }

  private static void replace(RunningDaemon old, long pid) {
    try {
      old.replaceBy(pid);
    } catch (IOException failure) {
      throw ControlFailure.of(failure);
    }
  }

  /**
   * Turns this process into the program. Returns only by an exception.
   *
   * <p>A signal ends this process at any moment, as it would end the program. Then a pidfile may be
   * left that nobody has locked.
   */
  private void become(Program daemon, DaemonFiles files) {
    refuseTyping();
    try {
      files.applyPendingChowns();
      files.prepare();
      Dispositions.resetIgnored();
      startReaders(files);
      if (readers != null && !request.sigpipe) {
        Dispositions.ignore(Signal.PIPE);
      }
      files.writePid(ThisProcess.id());
      files.requireInPlace();
      record(ThisProcess.id());
      if (readers != null) {
        readers.requireAll();
        // Nothing of them is to be the program's: neither a child nor an open pipe's end.
        readers.leave();
      }
      name(ThisProcess.id());
      if (drop == null) {
        SignalMask.clear();
        daemon.exec();
      } else {
        boolean _ =
            drop.start(change -> {
              SignalMask.clear();
              daemon.become(change).exec();
              return false;
            });
      }
    } catch (IOException failure) {
      throw notStarted(failure);
    }
  }

  /**
   * Opens the files. A daemon by a name may run that has lost its pidfile: then that is said, and
   * not what is wrong with the file in its place.
   */
  private void openFiles(DaemonFiles files) {
    try {
      files.open();
    } catch (StartException refused) {
      requireNotLost(files);
      throw refused;
    }
    requireNotLost(files);
  }

  private void requireNotLost(DaemonFiles files) {
    if (request.named == null) {
      return;
    }
    if (files.pidFileLock() == null) {
      request.named.daemon().requireNotLost();
    } else {
      // By the record alone: the pidfile leads to this start.
      request.named.daemon().requireEnded(files.namedProcess().pid());
    }
  }

  /** Writes what a start by a name writes, under other names for now; a second time nothing. */
  void prepareName() {
    if (request.named != null) {
      request.named.prepare(
          program.executable(),
          readers == null ? Map.of() : readers.paths(),
          request.foreground,
          request.foreground || request.overlap);
    }
  }

  private void name(long pid) {
    if (request.named != null) {
      request.named.started(pid, terminal);
    }
  }

  /** Records a daemon that has written its pidfile itself. */
  private void nameSelf() {
    if (request.named != null) {
      long pid = 0;
      try {
        DaemonStatus status = request.control(request.named.daemon().pidFile()).status();
        pid = status.state() == State.RUNNING ? status.pid().orElse(0) : 0;
      } catch (IOException unknown) {
        // What it was started with is written even so.
        pid = 0;
      }
      request.named.started(pid, terminal);
    }
  }

  /** Removes what {@link #prepareName} has written, unless it has got its name. */
  void undoName(Throwable reason) {
    if (request.named != null) {
      request.named.undo(reason);
    }
  }

  /** Removes what {@link #prepareName} has written, and what has got its name. */
  private void takeBackName(Throwable reason) {
    if (request.named != null) {
      request.named.takeBack(reason, terminal);
    }
  }

  private void record(long pid) {
    if (guard != null) {
      guard.record(pid, Objects.requireNonNull(request.pidFile), readers());
    }
    if (controlled != null) {
      controlled.started(pid);
    }
  }

  /**
   * Refuses the system call {@code TIOCSTI} to this process, which becomes the program. With that
   * call another user's program could type into this user's terminal.
   */
  private void refuseTyping() {
    if (TargetIdentity.user(identity) == Identity.effectiveUser()) {
      return;
    }
    try {
      ThisProcess.refuseTyping(request.noNewPrivileges);
    } catch (IOException failure) {
      throw new StartException(
          Reason.PERMISSION,
          request.account()
              + " could type into this terminal, and that cannot be prevented here: "
              + failure.getMessage()
              + "; use --no-new-privs, or leave the terminal with setsid -w");
    }
  }

  /** The failure of an execution, though the program was executable when it was checked. */
  private static StartException notStarted(IOException failure) {
    return new StartException(OutputReaders.reason(failure), failure);
  }

  /**
   * The point of no return. Up to here nothing was changed, and a signal ends this JVM. From here
   * on, for milliseconds, signals are ignored: the start succeeds, or takes itself back.
   */
  private void ignoreTermination() {
    try {
      Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
      // If SIGCHLD were ignored, the exit status of a program that ends at once would be lost.
      Dispositions.reset(Signal.CHLD);
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
    if (caller.isGone()) {
      throw new StartException(Reason.SYSTEM, "the launcher has ended; nothing was started");
    }
  }

  /** From here on a signal ends this JVM again, unless it was ignored before. */
  @Override
  public void handedOver() throws PosixException {
    replaces = true;
    for (Signal signal : List.of(Signal.HUP, Signal.INT, Signal.TERM)) {
      if (!ignored.contains(signal)) {
        Dispositions.reset(signal);
      }
    }
  }
}
