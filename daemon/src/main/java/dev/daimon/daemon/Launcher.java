package dev.daimon.daemon;

import dev.daimon.forking.Detached;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.readiness.LauncherEnd;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.Progress;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The launcher's side of a start: the steps from a configuration to a daemon that is ready, in the
 * one order in which every failure leaves things as they were.
 *
 * <p>The locks are taken here and shared with the daemon, so there is no moment without a holder.
 */
final class Launcher {
  /** Held while this process's umask is the daemon's. */
  private static final Object UMASK = new Object();

  private final DaemonConfig config;
  private final boolean exits;
  private final RelaunchCommand relaunch;

  /** Held while files are opened and the daemon is started: that is carried through, or undone. */
  private final ReentrantLock steps = new ReentrantLock();

  private boolean interrupted;
  private @Nullable PendingDaemon start;

  /** Who the daemon is to become; null if it stays who it is. */
  private @Nullable Identity identity;

  /**
   * Begins a start.
   *
   * @param exits whether this JVM exits when the verdict is there
   */
  Launcher(DaemonConfig config, boolean exits) {
    this.config = config;
    this.exits = exits;
    relaunch = RelaunchCommand.of(config);
  }

  /**
   * Starts the daemon and waits for its verdict.
   *
   * @throws StartException if nothing was started, or it had to be stopped for a reason of this
   *     process's own
   */
  LaunchedDaemon launch() {
    config.requireValid(relaunch);
    if (config.preserveWorkingDirectory) {
      requireLaunchDirectory();
    }
    identity = Identities.permitted(config);
    DaemonFiles files = new DaemonFiles(config.files(), identity, Progress.UNTOLD);
    Thread hook = new Interruption();
    Runtime.getRuntime().addShutdownHook(hook);
    steps.lock();
    try {
      if (interrupted) {
        throw new StartException(Reason.SYSTEM, "interrupted");
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

  /** What happens if this JVM is ended meanwhile: by Ctrl-C, a signal, an exit somewhere else. */
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

  private static void remove(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // Then it runs, and finds that everything is over.
      return;
    }
  }

  /** It may have been removed; one that is named was looked at with the configuration. */
  private static void requireLaunchDirectory() {
    try {
      Program.checkDirectory(Daemonizer.launchDirectory());
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, "working directory: " + failure.getMessage());
    }
  }

  /** Files are created with the daemon's umask. */
  private void open(DaemonFiles files) {
    synchronized (UMASK) {
      int before = ThisProcess.umask(config.umask);
      try {
        files.open();
      } finally {
        int _ = ThisProcess.umask(before);
      }
    }
  }

  private LaunchedDaemon start(DaemonFiles files) {
    LaunchedDaemon verdict = null;
    try (EarlyOutput early = EarlyOutput.keep(config, files)) {
      Handover handover = handover(files, early);
      try (LauncherEnd connection = LauncherEnd.open(handover.encode())) {
        Program program = program(handover, early);
        for (Descriptor descriptor : connection.daemonDescriptors()) {
          program.keep(descriptor);
        }
        files.prepare();
        if (exits) {
          adoptDaemon();
        }
        try (Detached process = detach(program)) {
          connection.started(process.pid());
          connection.release();
          start = new PendingDaemon(config, exits, files, early, connection, process);
          steps.unlock();
          verdict = start.await();
          return verdict;
        }
      }
    } catch (IOException failure) {
      if (verdict != null) {
        new StatusLine(ProgramName.of(config), exits).warn(failure);
        return verdict;
      }
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /**
   * Becomes the daemon's parent, in init's stead, until this JVM has exited: how a process ends is
   * told to its parent alone.
   */
  private static void adoptDaemon() {
    try {
      ThisProcess.adoptOrphans();
    } catch (PosixException refused) {
      // Then it is only told that it has ended.
      return;
    }
  }

  private Handover handover(DaemonFiles files, EarlyOutput early) {
    return new Handover(
        Daemonizer.launchDirectory(),
        config.settings(),
        files.pidFileLock() == null ? null : files.pidFileLock().descriptor(),
        files.lockFileLock() == null ? null : files.lockFileLock().descriptor(),
        early.errorMemory(),
        early.errorLater(),
        config.kept,
        files.pendingChowns());
  }

  private Program program(Handover handover, EarlyOutput early) {
    Program program =
        relaunch
            .program()
            .directory(config.directory(Daemonizer.launchDirectory()))
            .standardInput(Redirect.nullDevice())
            .standardOutput(early.standardOutput())
            .standardError(early.standardError())
            .closeOtherDescriptors(config.closeDescriptors == null || config.closeDescriptors);
    for (Descriptor descriptor : handover.descriptors()) {
      program.keep(descriptor);
    }
    return program;
  }

  private Detached detach(Program program) throws IOException {
    try {
      return identity == null
          ? program.detach(config.umask)
          : PrivilegeDrop.to(identity).startSelfApplying(() -> program.detach(config.umask));
    } catch (PosixException failure) {
      boolean missing =
          failure.call().equals("posix_spawn")
              && (failure.errno().equals(Errno.ENOENT) || failure.errno().equals(Errno.EACCES));
      throw new StartException(missing ? Reason.PROGRAM : Reason.SYSTEM, failure);
    }
  }
}
