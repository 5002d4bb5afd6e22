package dev.daimon.posix;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * The change of user and capabilities that a new process makes as its last step before its {@code
 * execve}.
 *
 * <p>It is made there, and not in this process, because a user may signal every process that has
 * the user's ids, and limit its resources. One thread with another user's ids would expose the
 * whole process to that user.
 *
 * @param uid the real, effective and saved user id, from 0 to 4294967294; empty for no change
 * @param capabilities the capabilities to keep, a bit for each {@link Capability#number()}. They
 *     become permitted, effective, inheritable and ambient, and all others are given up. If this is
 *     empty, the kernel's rules decide
 * @see <a href="https://man7.org/linux/man-pages/man7/credentials.7.html">credentials(7)</a>
 */
public record UserChange(OptionalLong uid, OptionalLong capabilities) {
  private static final long MAX_ID = 0xffff_fffeL;

  /** No change. */
  public static final UserChange NONE = new UserChange(OptionalLong.empty(), OptionalLong.empty());

  /**
   * Checks the user id.
   *
   * @throws IllegalArgumentException if the user id is out of range
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
