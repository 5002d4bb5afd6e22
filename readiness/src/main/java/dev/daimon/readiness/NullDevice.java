package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.nio.charset.StandardCharsets;

/** The null device, which takes the number of a descriptor that must not become another file's. */
final class NullDevice {
  private static final String PATH = "/dev/null";

  private NullDevice() {}

  /** Opens it for reading and writing, marked close-on-exec. */
  static Descriptor open() throws PosixException {
    byte[] path = PATH.getBytes(StandardCharsets.US_ASCII);
    int flags = Files.O_RDWR | Files.O_CLOEXEC;
    return Descriptor.adopt(PosixException.check(Files.open(path, flags, 0), "open", PATH));
  }
}
