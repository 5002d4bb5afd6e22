package dev.daimon.daemon;

import dev.daimon.posix.NativePath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files whose absolute names, and content, are text of one character a byte. */
final class NamedFile {
  private NamedFile() {}

  static boolean exists(String path) {
    return Files.exists(of(path));
  }

  /** {@return whether it can be read more than once} */
  static boolean isRegular(String path) {
    return Files.isRegularFile(of(path));
  }

  static String read(String path) throws IOException {
    return new String(Files.readAllBytes(of(path)), StandardCharsets.ISO_8859_1);
  }

  private static Path of(String path) {
    return NativePath.of(path.getBytes(StandardCharsets.ISO_8859_1));
  }
}
