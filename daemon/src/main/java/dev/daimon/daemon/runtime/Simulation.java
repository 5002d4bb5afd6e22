package dev.daimon.daemon.runtime;

import dev.daimon.forking.ThisProcess;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;

/** A simulated start, which is taken back when its daemon is closed. */
public final class Simulation {
  private final DaemonFiles files;
  private final int umask;

  /**
   * A simulation that has opened files.
   *
   * @param umask the umask before it
   */
  public Simulation(DaemonFiles files, int umask) {
    this.files = files;
    this.umask = umask;
  }

  /**
   * Takes everything back.
   *
   * @throws StartException if that was not possible; the causes are its suppressed exceptions
   */
  void takeBack() {
    StartException left = new StartException(Reason.FILE, "not all was taken back");
    files.undo(left);
    int _ = ThisProcess.umask(umask);
    if (left.getSuppressed().length > 0) {
      throw left;
    }
  }
}
