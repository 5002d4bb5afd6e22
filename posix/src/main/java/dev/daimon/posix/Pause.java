package dev.daimon.posix;

/** A pause between two looks at what nobody tells of. */
public final class Pause {
  private Pause() {}

  /**
   * Pauses the calling thread. One that is interrupted already pauses all the same, and stays
   * interrupted. An interrupt during the pause ends it.
   *
   * @param nanos how long, in ns; 0 or less for no pause
   */
  public static void nanos(long nanos) {
    if (nanos <= 0) {
      return;
    }
    boolean interrupted = Thread.interrupted();
    try {
      // Not a park: an interrupt leaves a permit, with which the next park does not wait.
      Thread.sleep(nanos / 1_000_000, (int) (nanos % 1_000_000));
    } catch (InterruptedException ended) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
