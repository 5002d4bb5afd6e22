package dev.daimon.control;

import java.util.Objects;

/**
 * A process that has a locked file open, with the lock.
 *
 * @param pid its id
 * @param name the program's name as the kernel keeps it, cut to 15 bytes; empty if it is gone
 */
public record Holder(long pid, String name) {
  /** Checks that nothing is null. */
  public Holder {
    Objects.requireNonNull(name, "name");
  }

  /** {@return such as {@code "process 123 (nginx)"}} */
  @Override
  public String toString() {
    return "process " + pid + (name.isEmpty() ? "" : " (" + name + ")");
  }
}
