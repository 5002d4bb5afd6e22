package dev.daimon.startup;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.UnknownAccountException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Resolves the user and group that a daemon becomes, and checks that this process may do that. */
public final class TargetIdentity {
  private TargetIdentity() {}

  /**
   * Resolves the names of a user and of groups.
   *
   * @param user a name, a number, or {@code #} and a number; null if the user does not change
   * @param group a name, a number, or {@code #} and a number; null for the user's own group
   * @param groups the supplementary groups; null for those of the user
   * @return the identity; null if neither a user nor a group is given
   * @throws StartException {@link Reason#ACCOUNT} for an unknown name, {@link Reason#SYSTEM} if the
   *     look-up fails
   * @throws IllegalArgumentException if an id is out of range
   */
  public static @Nullable Identity resolve(
      @Nullable String user, @Nullable String group, @Nullable List<String> groups) {
    if (user == null && group == null) {
      return null;
    }
    try {
      Identity identity = Identity.of(user, group);
      return groups == null ? identity : identity.withGroups(groups);
    } catch (UnknownAccountException unknown) {
      throw new StartException(Reason.ACCOUNT, unknown);
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /**
   * Makes sure that this process may become an identity. It changes nothing.
   *
   * @param identity the user and group
   * @param name how the message names them
   * @param advice how the message ends if permission is missing; may be empty
   * @throws StartException {@link Reason#PERMISSION} if this process may not, {@link Reason#SYSTEM}
   *     if a system call fails for another reason
   */
  public static void requirePermitted(Identity identity, String name, String advice) {
    Objects.requireNonNull(identity, "identity");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(advice, "advice");
    try {
      boolean _ = identity.accessFiles(() -> true);
    } catch (PosixException failure) {
      boolean denied = failure.errno().equals(Errno.EPERM);
      throw new StartException(
          denied ? Reason.PERMISSION : Reason.SYSTEM,
          "cannot become " + name + ": " + failure.getMessage() + (denied ? advice : ""));
    } catch (IOException failure) {
      throw new StartException(Reason.PERMISSION, failure);
    }
  }

  /**
   * Returns the user that the program will run as.
   *
   * @param identity the identity that it becomes; null if it stays this process' user
   * @return the user id: the identity's if it changes the user, otherwise this process' effective
   *     one
   */
  public static long user(@Nullable Identity identity) {
    return identity != null && identity.uid().isPresent()
        ? identity.uid().getAsLong()
        : Identity.effectiveUser();
  }
}
