package dev.daimon.startup;

import dev.daimon.posix.NativePath;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where output goes that nobody named a file for: the command and the facade agree on it. */
public final class OutputPaths {
  private OutputPaths() {}

  /**
   * Where standard error goes if only standard output was named: {@code x.stderr} beside {@code
   * x.stdout}, {@code x.err} beside {@code x.out}, otherwise the same file.
   *
   * @param standardOutput where standard output goes; null if it was not named either
   * @return null if standard output was not named
   */
  public static @Nullable Path errorBeside(@Nullable Path standardOutput) {
    if (standardOutput == null) {
      return null;
    }
    String name = standardOutput.toString();
    if (name.endsWith(".stdout")) {
      return replaced(standardOutput, "stdout", "stderr");
    }
    return name.endsWith(".out") ? replaced(standardOutput, "out", "err") : standardOutput;
  }

  /** Byte for byte: in some locales the text of a path has lost what is not ASCII. */
  private static Path replaced(Path path, String suffix, String other) {
    byte[] bytes = NativePath.bytes(path);
    byte[] end = other.getBytes(StandardCharsets.US_ASCII);
    // Both are equally long.
    System.arraycopy(end, 0, bytes, bytes.length - suffix.length(), end.length);
    return NativePath.of(bytes);
  }
}
