package dev.daimon.testing;

import org.jspecify.annotations.Nullable;

/**
 * Takes the whole heap of this JVM, so that whoever needs memory gets an {@link OutOfMemoryError}.
 * For a JVM of its own with a small heap ({@code -Xmx}), and with {@code -XX:-UseTLAB}: otherwise
 * each thread has a reserve.
 */
public final class FullHeap {
  private static final int LARGEST = 1 << 20;

  private static Object @Nullable [] taken;

  private FullHeap() {}

  /** Takes all that is left. */
  public static void take() {
    for (int size = LARGEST; size > 0; size /= 2) {
      takeAll(size);
    }
    takeAll(0);
  }

  private static void takeAll(int size) {
    try {
      while (true) {
        taken = new Object[] {taken, new byte[size]};
      }
    } catch (OutOfMemoryError full) {
      return;
    }
  }

  /** Gives all of it back. */
  public static void giveBack() {
    taken = null;
  }
}
