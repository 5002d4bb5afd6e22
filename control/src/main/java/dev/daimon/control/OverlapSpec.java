package dev.daimon.control;

import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** How {@link DaemonControl} starts a daemon while the one in whose place it comes still runs. */
@FunctionalInterface
public interface OverlapSpec {
  /**
   * Starts the new daemon, with the lock of the old one kept open, and returns when it is ready and
   * {@linkplain RunningDaemon#replaceBy named by the pidfile}. If it fails, it has stopped what it
   * has started.
   *
   * @param old the daemon that runs, and goes on running
   * @return the new daemon's process id, which {@link RunningDaemon#replaceBy} was called with:
   *     otherwise the restart fails by an {@link IllegalStateException}
   * @throws IOException if it was not started
   * @throws InterruptedException if the thread is interrupted
   */
  long start(RunningDaemon old) throws IOException, InterruptedException;

  /**
   * Is called when the new daemon is recorded, and so the daemon: whatever comes from now on, it
   * stays, unless it ends before the old one. Does nothing by default.
   *
   * @throws IOException if what this does fails; the new daemon stays even then
   */
  default void handedOver() throws IOException {}

  /**
   * Is called if the new daemon has ended while the old one still runs, and so is the daemon again:
   * takes back what the start has done, and ends what the new daemon has left. Does nothing by
   * default.
   *
   * @param reason why; failures of this method are added to it as suppressed
   */
  default void takeBack(Throwable reason) {
    Objects.requireNonNull(reason, "reason");
  }

  /**
   * Tells which programs read the new daemon's output, through pipes that the start has made. They
   * are recorded with the start.
   *
   * @return the programs, known once it was started; none by default
   */
  default List<OutputReader> readers() {
    return List.of();
  }
}
