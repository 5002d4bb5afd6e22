package dev.daimon.posix;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * What a new process does to itself between its fork and its {@code execve}, after everything else:
 * it becomes a user, and keeps some capabilities or none.
 *
 * <p>It is done there and nowhere else because of what a user may do to a process that has its ids:
 * signal it, and limit its resources. A thread with another user's ids exposes its whole process to
 * that user.
 *
 * @param uid the user id, real, effective and saved, from 0 to 4294967294; empty leaves them as
 *     they are
 * @param capabilities those to keep, a bit for each {@link Capability#number()}: permitted,
 *     effective, inheritable and ambient; none of the others is left; empty leaves all to the
 *     kernel's own rules
 * @see <a href="https://man7.org/linux/man-pages/man7/credentials.7.html">credentials(7)</a>
 */
public record UserChange(OptionalLong uid, OptionalLong capabilities) {
  private static final long MAX_ID = 0xffff_fffeL;

  /** No change. */
  public static final UserChange NONE = new UserChange(OptionalLong.empty(), OptionalLong.empty());

  /**
   * Checks the id.
   *
   * @throws IllegalArgumentException if it is out of range
   */
  public UserChange {
    Objects.requireNonNull(uid, "uid");
    Objects.requireNonNull(capabilities, "capabilities");
    if (uid.isPresent() && (uid.getAsLong() < 0 || uid.getAsLong() > MAX_ID)) {
      throw new IllegalArgumentException("user id out of range: " + uid.getAsLong());
    }
  }

  /** {@return whether nothing changes} */
  public boolean isNone() {
    return uid.isEmpty() && capabilities.isEmpty();
  }
}
