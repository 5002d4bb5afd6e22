package dev.daimon.daemon;

import dev.daimon.forking.ThisProcess;
import dev.daimon.privileges.Identity;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.Progress;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A daemon that is this very process: in the foreground, or as a simulation. */
final class InProcessStart {
  private InProcessStart() {}

  static Daemon start(DaemonConfig config) {
    config.requireValid(config.relaunch());
    @Nullable Identity identity = Identities.permitted(config);
    int umask = ThisProcess.umask(config.umask);
    DaemonFiles files = new DaemonFiles(config.files(), identity, Progress.UNTOLD);
    try {
      files.open();
      return config.simulate
          ? daemon(config, identity, files, Streams.untouched(), new Simulation(files, umask), null)
          : foreground(config, identity, files, new Foreground(umask));
    } catch (RuntimeException | Error failure) {
      files.undo(failure);
      int _ = ThisProcess.umask(umask);
      throw failure;
    }
  }

  private static Daemon foreground(
      DaemonConfig config, @Nullable Identity identity, DaemonFiles files, Foreground foreground) {
    files.prepare();
    files.writePid(ThisProcess.id());
    try {
      return daemon(config, identity, files, Streams.inForeground(config, files), null, foreground);
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static Daemon daemon(
      DaemonConfig config,
      @Nullable Identity identity,
      DaemonFiles files,
      Streams streams,
      @Nullable Simulation simulation,
      @Nullable Foreground foreground) {
    OpenResources own =
        new OpenResources(
            files.pidFileLock(),
            files.lockFileLock(),
            simulation == null ? files.pendingChowns() : List.of(),
            config.kept,
            streams);
    return new Daemon(config, identity, own, null, simulation, foreground);
  }

  /** What is over when a daemon in the foreground is closed. */
  static final class Foreground {
    private final int umask;
    private final AtomicBoolean over = new AtomicBoolean();

    private Foreground(int umask) {
      this.umask = umask;
    }

    /** Lets another one begin, with the umask of before. A second call does nothing. */
    void end() {
      if (over.compareAndSet(false, true)) {
        int _ = ThisProcess.umask(umask);
        Daemonizer.closed();
      }
    }
  }

  /** What is taken back when a simulation is closed. */
  static final class Simulation {
    private final DaemonFiles files;
    private final int umask;

    private Simulation(DaemonFiles files, int umask) {
      this.files = files;
      this.umask = umask;
    }

    /** Throws what could not be taken back. */
    void takeBack() {
      StartException left = new StartException(Reason.FILE, "not all was taken back");
      files.undo(left);
      int _ = ThisProcess.umask(umask);
      if (left.getSuppressed().length > 0) {
        throw left;
      }
    }
  }
}
