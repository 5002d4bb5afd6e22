package dev.daimon.posix.call;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The children that Daimon has started and not yet waited for. It distinguishes them from those of
 * the JDK: the JDK waits for its own children, and would report exit code 0 if other code had been
 * first.
 *
 * <p>Who reaps a child holds the monitor of its mark, and removes it. So whoever holds that monitor
 * and finds the mark here may use the child's id: no other process can get it meanwhile.
 */
public final class OwnChildren {
  /** By process id; the marks distinguish one use of an id from the next. */
  private static final Map<Integer, Object> MARKS = new ConcurrentHashMap<>();

  private OwnChildren() {}

  /** Adds a child that was started just now, and that no other code waits for. */
  public static void add(int pid) {
    MARKS.put(pid, new Object());
  }

  /** Adds a child that others have started, unless it is here. */
  public static void adopt(int pid) {
    MARKS.putIfAbsent(pid, new Object());
  }

  /** Returns the mark of a child; null if it is not here. */
  public static @Nullable Object mark(int pid) {
    return MARKS.get(pid);
  }

  /** Removes a child that was waited for, unless its id is another child's by now. */
  public static void remove(int pid, @Nullable Object mark) {
    if (mark != null) {
      MARKS.remove(pid, mark);
    }
  }
}
