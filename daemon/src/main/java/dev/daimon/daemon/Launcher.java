package dev.daimon.daemon;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.config.Validation;
import dev.daimon.daemon.handover.Handover;
import dev.daimon.daemon.handover.LaunchContext;
import dev.daimon.daemon.javacommand.RelaunchCommand;
import dev.daimon.daemon.streams.EarlyOutput;
import dev.daimon.forking.Detached;
import dev.daimon.forking.ExecException;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.readiness.LauncherEnd;
import dev.daimon.signals.Dispositions;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.Progress;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The launcher's side of a start. Its steps have the one order in which each failure leaves
 * everything as it was.
 *
 * <p>The launcher takes the locks, and the daemon inherits them: at each moment one of them holds
 * them.
 */
final class Launcher {
  /** Held while this process has the daemon's umask. */
  private static final Object UMASK = new Object();

  /** The variable that says which process is to ping the manager's watchdog. */
  private static final String WATCHED = "WATCHDOG_PID";

  private static final String INTERRUPTED = "interrupted";

  private final Settings settings;
  private final boolean exits;
  private final RelaunchCommand relaunch;

  /** Whether a service manager waits for this process to be told that the daemon is ready. */
  private final boolean managed;

  /** Held while files are opened and the daemon is started: an exit of this JVM waits for that. */
  private final ReentrantLock steps = new ReentrantLock();

  private boolean interrupted;
  private @Nullable PendingDaemon start;

  /** The identity that the daemon becomes; null if it keeps this process' own. */
  private @Nullable Identity identity;

  /**
   * Prepares a start.
   *
   * @param exits whether this JVM exits as soon as it knows the result
   */
  Launcher(Settings settings, boolean exits) {
    this.settings = settings;
    this.exits = exits;
    relaunch = settings.relaunchCommand();
    byte[] socket = relaunch.variable(LaunchContext.NOTIFY_SOCKET);
    managed = exits && socket != null && socket.length > 0;
  }

  /** Whether a service manager's watchdog is for this process: then it will be for the daemon. */
  private boolean isWatched() {
    byte[] process = relaunch.variable(WATCHED);
    return process != null
        && new String(process, StandardCharsets.ISO_8859_1).equals(Long.toString(ThisProcess.id()));
  }

  /**
   * Starts the daemon, and waits until it is ready or has failed.
   *
   * @throws StartException if no daemon was started, or this process had to stop it
   */
  LaunchedDaemon launch() {
    Validation.require(settings, relaunch);
    if (settings.preserveWorkingDirectory) {
      requireLaunchDirectory();
    }
    identity = settings.permittedIdentity();
    DaemonFiles files = new DaemonFiles(settings.files(), identity, Progress.IGNORED);
    Thread hook = new Interruption();
    add(hook);
    steps.lock();
    try {
      if (interrupted) {
        throw new StartException(Reason.SYSTEM, INTERRUPTED);
      }
      if (settings.directories != null) {
        files.undoLast(settings.directories.make(settings.namesLog, /* withRecords= */ false));
      }
      open(files);
      return start(files);
    } catch (RuntimeException | Error failure) {
      files.undo(failure);
      throw failure;
    } finally {
      if (steps.isHeldByCurrentThread()) {
        steps.unlock();
      }
      remove(hook);
    }
  }

  /** Stops the daemon if this JVM ends meanwhile: by Ctrl-C, a signal, or an exit elsewhere. */
  private final class Interruption extends Thread {
    Interruption() {
      super("daimon-interrupted");
    }

    @Override
    public void run() {
      steps.lock();
      try {
        interrupted = true;
      } finally {
        steps.unlock();
      }
      if (start != null) {
        start.interrupted();
      }
    }
  }

  private static void add(Thread hook) {
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      throw new StartException(Reason.SYSTEM, INTERRUPTED);
    }
  }

  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // The hook runs, and finds the start decided.
      return;
    }
  }

  /** Refuses a removed directory; a configured one was checked with the configuration. */
  private void requireLaunchDirectory() {
    try {
      Program.checkDirectory(settings.directory());
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, "working directory: " + failure.getMessage());
    }
  }

  /** Opens the files with the daemon's umask. */
  private void open(DaemonFiles files) {
    synchronized (UMASK) {
      int before = ThisProcess.umask(settings.umask);
      try {
        files.open();
      } finally {
        int _ = ThisProcess.umask(before);
      }
    }
  }

  private LaunchedDaemon start(DaemonFiles files) {
    LaunchedDaemon result = null;
    try (EarlyOutput early = EarlyOutput.keep(settings, files)) {
      Handover handover = handover(files, early);
      try (LauncherEnd connection = LauncherEnd.open(handover.encode())) {
        Program program = program(handover, early);
        for (Descriptor descriptor : connection.daemonDescriptors()) {
          program.keep(descriptor);
        }
        files.prepare();
        if (exits && !managed) {
          adoptDaemon();
        }
        try (Detached process = detach(program)) {
          connection.started(process.pid());
          connection.release();
          start = new PendingDaemon(settings, exits, managed, files, early, connection, process);
          steps.unlock();
          result = start.await();
          return result;
        }
      }
    } catch (IOException failure) {
      if (result != null) {
        new StatusLine(settings.displayName(), exits).warn(failure);
        return result;
      }
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /**
   * Makes this process the daemon's parent, instead of init, until this JVM has exited: only the
   * parent learns how a process ends, and none that ignores {@code SIGCHLD}.
   *
   * <p>Not where a service manager is told of the daemon: it has to be the manager's own child by
   * then. For a main process that is not, systemd does not wait when it stops the service.
   */
  private static void adoptDaemon() {
    try {
      Dispositions.reset(Signal.CHLD);
      ThisProcess.adoptOrphans();
    } catch (PosixException refused) {
      // This process will know that the daemon has ended, but not how.
      return;
    }
  }

  private Handover handover(DaemonFiles files, EarlyOutput early) {
    return new Handover(
        LaunchContext.find().launchDirectory(),
        settings.lines(),
        files.pidFileLock() == null ? null : files.pidFileLock().descriptor(),
        files.lockFileLock() == null ? null : files.lockFileLock().descriptor(),
        early.errorMemory(),
        early.errorLater(),
        settings.kept,
        files.pendingChowns());
  }

  private Program program(Handover handover, EarlyOutput early) {
    Program program =
        relaunch
            .program(settings.programName, settings.environment)
            .directory(settings.directory())
            .standardInput(Redirect.nullDevice())
            .standardOutput(early.standardOutput())
            .standardError(early.standardError())
            .closeOtherDescriptors(settings.closeDescriptors == null || settings.closeDescriptors);
    for (Descriptor descriptor : handover.descriptors()) {
      program.keep(descriptor);
    }
    if (managed && isWatched()) {
      program.pidVariable(WATCHED);
    }
    return program;
  }

  private Detached detach(Program program) throws IOException {
    try {
      return identity == null
          ? program.detach(settings.umask)
          : PrivilegeDrop.to(identity).startSelfApplying(() -> program.detach(settings.umask));
    } catch (ExecException failure) {
      throw new StartException(Reason.PROGRAM, failure);
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }
}
