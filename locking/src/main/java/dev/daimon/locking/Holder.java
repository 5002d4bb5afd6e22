package dev.daimon.locking;

import dev.daimon.posix.VisibleText;
import java.util.List;
import java.util.Objects;

/**
 * A process that holds the lock on a file: it has the file open with a {@code flock} on it.
 *
 * @param pid the process id
 * @param name the program's name as the kernel keeps it, cut to 15 bytes; empty if it cannot be
 *     read, or not in time
 */
public record Holder(long pid, String name) {
  /** How many holders {@link #inWords} names. */
  static final int NAMED = 8;

  /** Requires a name. */
  public Holder {
    Objects.requireNonNull(name, "name");
  }

  /** {@return such as {@code "process 123 (nginx)"}, without control characters} */
  @Override
  public String toString() {
    return "process " + pid + (name.isEmpty() ? "" : " (" + VisibleText.line(name) + ")");
  }

  /**
   * Lists holders for people.
   *
   * @param holders the holders
   * @return such as {@code "process 12 (nginx), process 13 (nginx) and 40 more"}; {@code "a process
   *     that could not be found"} if there are none, since somebody holds the lock
   */
  public static String inWords(List<Holder> holders) {
    Objects.requireNonNull(holders, "holders");
    if (holders.isEmpty()) {
      return "a process that could not be found";
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < holders.size() && i < NAMED; i++) {
      text.append(i == 0 ? "" : ", ").append(holders.get(i));
    }
    return holders.size() <= NAMED
        ? text.toString()
        : text.append(" and ").append(holders.size() - NAMED).append(" more").toString();
  }
}
