package dev.daimon.posix.call;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The children that Daimon has started and not yet waited for. Nothing else tells them from those
 * of the JDK, which waits for its own, and believes in exit code 0 if somebody else was first.
 */
public final class OwnChildren {
  /** By process id; the marks tell one use of an id from the next. */
  private static final Map<Integer, Object> MARKS = new ConcurrentHashMap<>();

  private OwnChildren() {}

  /** Notes a child that nobody else waits for. */
  public static void add(int pid) {
    MARKS.put(pid, new Object());
  }

  /** What to {@link #remove} when the child was waited for; null if it is none of these. */
  public static @Nullable Object mark(int pid) {
    return MARKS.get(pid);
  }

  /** Forgets a child that was waited for, unless its id is another's by now. */
  public static void remove(int pid, @Nullable Object mark) {
    if (mark != null) {
      MARKS.remove(pid, mark);
    }
  }
}
