package dev.daimon.daemon;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.config.Validation;
import dev.daimon.daemon.runtime.Foreground;
import dev.daimon.daemon.runtime.Resources;
import dev.daimon.daemon.runtime.Simulation;
import dev.daimon.daemon.streams.Streams;
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

/** Makes this very process the daemon: in the foreground, or as a simulation. */
final class InProcessStart {
  private InProcessStart() {}

  /**
   * Starts in this process.
   *
   * @param daemonized whether this process is a daemon; the end of one in the foreground clears it
   */
  static Daemon start(Settings settings, AtomicBoolean daemonized) {
    Validation.requireInProcess(settings);
    @Nullable Identity identity = settings.permittedIdentity();
    int umask = ThisProcess.umask(settings.umask);
    DaemonFiles files = new DaemonFiles(settings.files(), identity, Progress.IGNORED);
    try {
      if (settings.directories != null) {
        files.undoLast(settings.directories.make(settings.namesLog, /* withRecords= */ false));
      }
      files.open();
      if (settings.simulate) {
        Simulation simulation = new Simulation(files, umask);
        return daemon(settings, identity, files, Streams.untouched(), simulation, null);
      }
      return foreground(settings, identity, files, new Foreground(umask, daemonized));
    } catch (RuntimeException | Error failure) {
      files.undo(failure);
      int _ = ThisProcess.umask(umask);
      throw failure;
    }
  }

  private static Daemon foreground(
      Settings settings, @Nullable Identity identity, DaemonFiles files, Foreground foreground) {
    files.prepare();
    files.writePid(ThisProcess.id());
    files.requireInPlace();
    try {
      return daemon(
          settings, identity, files, Streams.inForeground(settings, files), null, foreground);
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static Daemon daemon(
      Settings settings,
      @Nullable Identity identity,
      DaemonFiles files,
      Streams streams,
      @Nullable Simulation simulation,
      @Nullable Foreground foreground) {
    Resources.Open own =
        new Resources.Open(
            files.pidFileLock(),
            files.lockFileLock(),
            simulation == null ? files.pendingChowns() : List.of(),
            settings.kept,
            streams);
    return new Daemon(settings, identity, own, null, simulation, foreground);
  }
}
