package dev.daimon.startup;

import dev.daimon.posix.Descriptor;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file that root has opened because the target user could not, and that is to become the user's.
 *
 * @param path the path with which it was opened
 * @param descriptor the open file; it still belongs to root
 */
public record PendingChown(Path path, Descriptor descriptor) {
  /** Checks that nothing is null. */
  public PendingChown {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(descriptor, "descriptor");
  }

  /**
   * Changes the owner, if the rules of {@link Ownership#give} for a file that was there before
   * allow it. Root opens a file only where these rules are kept, so it does not matter who created
   * it.
   *
   * @param identity the new owner
   * @throws IOException if the rules or the kernel refuse
   */
  public void apply(Identity identity) throws IOException {
    Objects.requireNonNull(identity, "identity");
    Ownership.give(descriptor, path, identity, /* justCreated= */ false);
  }
}
