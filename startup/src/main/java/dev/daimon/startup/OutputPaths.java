package dev.daimon.startup;

import dev.daimon.posix.NativePath;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Chooses the file of a stream for which none is named. */
public final class OutputPaths {
  private OutputPaths() {}

  /**
   * Chooses the file of standard error if only that of standard output is named: {@code x.stderr}
   * beside {@code x.stdout}, {@code x.err} beside {@code x.out}, otherwise the same file.
   *
   * @param standardOutput the file of standard output; null for none
   * @return the file of standard error; null if {@code standardOutput} is null
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

  /** Works on bytes: in some locales the text of a path has lost what is not ASCII. */
  private static Path replaced(Path path, String suffix, String other) {
    byte[] bytes = NativePath.bytes(path);
    byte[] end = other.getBytes(StandardCharsets.US_ASCII);
    // Both suffixes have the same length.
    System.arraycopy(end, 0, bytes, bytes.length - suffix.length(), end.length);
    return NativePath.of(bytes);
  }
}
