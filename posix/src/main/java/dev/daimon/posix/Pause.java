package dev.daimon.posix;

import java.util.concurrent.locks.LockSupport;

/** A pause between two looks at what nobody tells of. */
public final class Pause {
  private Pause() {}

  /**
   * Pauses the calling thread. One that is interrupted already pauses all the same, and stays
   * interrupted. An interrupt during the pause ends it; it may also end early for no reason, so
   * call this in a loop that looks again.
   *
   * @param nanos how long, in ns; 0 or less for no pause
   */
  public static void nanos(long nanos) {
    boolean before = Thread.interrupted();
    LockSupport.parkNanos(nanos);
    boolean meanwhile = Thread.interrupted();
    if (before || meanwhile) {
      Thread.currentThread().interrupt();
    }
  }
}
