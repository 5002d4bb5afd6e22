package dev.daimon.testing;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A heap that has room for no further object, or for a few bytes. It is that of a JVM from {@link
 * #child}: small, and without a piece of it that each thread has for itself.
 *
 * <p>Until {@link #free}, a test in that JVM can do only what makes no object, as {@code
 * FileInputStream.read()}. It should have done all else once before: a class that is loaded, or
 * code that runs for the first time, needs memory too.
 */
public final class FullHeap {
  /** What such a JVM is given. */
  public static final List<String> OPTIONS = List.of("-Xmx8m", "-XX:-UseTLAB", "-Xlog:disable");

  /** The size of a {@link Piece} and of an array's header, in bytes. */
  private static final int PIECE = 16;

  /** What is kept free at first, in bytes: less of it the collector would not find again. */
  private static final int RESERVE = 1 << 16;

  private static Object @Nullable [] large;
  private static @Nullable Piece small;

  private record Piece(@Nullable Piece next) {}

  private FullHeap() {}

  /** Returns a JVM for the {@code main} of this class, whose heap is filled in a moment. */
  public static ChildJvm child(Class<?> main) {
    ChildJvm jvm = ChildJvm.of(main);
    OPTIONS.forEach(jvm::option);
    return jvm;
  }

  /** Fills the heap of this JVM. */
  public static void fill() {
    for (int size = 1 << 20; size > 0; size /= 16) {
      addAll(size);
    }
    addPieces(Integer.MAX_VALUE);
  }

  private static void addAll(int size) {
    try {
      while (true) {
        Object[] next = new Object[size];
        next[0] = large;
        large = next;
      }
    } catch (OutOfMemoryError full) {
      return;
    }
  }

  private static void addPieces(int count) {
    try {
      for (int i = 0; i < count; i++) {
        small = new Piece(small);
      }
    } catch (OutOfMemoryError full) {
      return;
    }
  }

  /**
   * Fills the heap of this JVM but for so many bytes, the first time for some hundred less: what
   * makes several objects gets that far.
   *
   * @param left a multiple of 16, at most 64 Ki
   */
  public static void fillBut(int left) {
    Object[] first = {new byte[RESERVE]};
    large = first;
    fill();
    first[0] = null;
    addPieces((RESERVE + PIECE - left) / PIECE);
  }

  /** Makes room again. */
  public static void free() {
    large = null;
    small = null;
  }
}
