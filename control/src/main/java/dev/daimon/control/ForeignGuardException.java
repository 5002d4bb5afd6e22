package dev.daimon.control;

import java.io.IOException;
import java.nio.file.Path;

/** Thrown for a guard file of another user, who could delay every action with it. */
final class ForeignGuardException extends IOException {
  private static final long serialVersionUID = 1;

  ForeignGuardException(Path file, long owner) {
    super(
        file
            + " belongs to user "
            + owner
            + "; a guard must be root's, the caller's or the pidfile owner's");
  }
}
