package dev.daimon.startup;

import dev.daimon.posix.Descriptor;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that root opened in the target user's stead, and that is to become the user's.
 *
 * @param path where it was opened
 * @param descriptor the open file; still owned by who opened it
 */
public record PendingChown(Path path, Descriptor descriptor) {
  /**
   * Hands it over, if the rules of {@link Ownership#give} for a file that was there before allow
   * it. Root opens a file only where these are kept, so nobody has to say who created it.
   */
  public void apply(Identity identity) throws IOException {
    Ownership.give(descriptor, path, identity, /* justCreated= */ false);
  }
}
