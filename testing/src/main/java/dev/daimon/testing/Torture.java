package dev.daimon.testing;

import java.util.Random;

/**
 * How much of its full size a test with the tag {@code torture} runs, and where its random choices
 * come from: {@code -Dtorture.percent} and {@code -Dtorture.seed} of a build.
 */
public final class Torture {
  private static final int PERCENT = Integer.getInteger("daimon.torture.percent", 1);
  private static final long SEED = Long.getLong("daimon.torture.seed", System.nanoTime());

  private Torture() {}

  /**
   * Returns a test's size in this run.
   *
   * @param full the size of {@code -Ptorture}
   * @param least the smallest one that shows anything
   */
  public static int size(int full, int least) {
    return (int) Math.max(least, (long) full * PERCENT / 100);
  }

  /** Returns a source of random choices: in one run, always the same ones. */
  public static Random random() {
    return new Random(SEED);
  }

  /** Returns what a failure says, so that the same choices can be made again. */
  public static String seed() {
    return "-Dtorture.seed=" + SEED;
  }
}
