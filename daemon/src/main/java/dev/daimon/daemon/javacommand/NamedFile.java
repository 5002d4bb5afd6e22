package dev.daimon.daemon.javacommand;

import dev.daimon.posix.NativePath;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads files whose absolute path and content are text of one character for each byte. */
final class NamedFile {
  private NamedFile() {}

  static boolean exists(String path) {
    return Files.exists(of(path));
  }

  /** {@return the content of a regular file; a pipe could have no end} */
  static String read(String path) throws IOException {
    Path file = of(path);
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(path);
    }
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }

  private static Path of(String path) {
    return NativePath.of(path.getBytes(StandardCharsets.ISO_8859_1));
  }
}
