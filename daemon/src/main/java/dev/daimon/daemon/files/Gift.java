package dev.daimon.daemon.files;

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
 * @param created whether opening it created it
 */
public record Gift(Path path, Descriptor descriptor, boolean created) {
  /** Hands it over, if the rules of {@link Ownership#give} allow it. */
  public void give(Identity identity) throws IOException {
    Ownership.give(descriptor, path, identity, created);
  }
}
