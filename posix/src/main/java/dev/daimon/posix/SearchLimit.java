package dev.daimon.posix;

/**
 * How far a search goes whose length others decide, such as that of the descriptors of a process.
 * The time alone says little on a busy machine. So 5,000 are examined in any case, which is more
 * than anybody has who does not want to delay the search; and more only until the time is over.
 */
public final class SearchLimit {
  private static final int EXAMINED_ALWAYS = 5_000;

  private final long begin = System.nanoTime();
  private final long time;

  /**
   * Begins the time.
   *
   * @param time the time, in ns
   */
  public SearchLimit(long time) {
    this.time = time;
  }

  /**
   * Tells whether the search has to end.
   *
   * @param examined how many were examined
   * @return whether that is enough, and the time is over
   */
  public boolean isOver(int examined) {
    return examined >= EXAMINED_ALWAYS && System.nanoTime() - begin > time;
  }
}
