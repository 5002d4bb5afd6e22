package dev.daimon.posix.call;

import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The status of a process or a thread, as {@code /proc/PID/status} shows it: one field a line.
 *
 * <p>Nothing here makes a native call. A daemon that is not yet ready avoids them: the first one of
 * a JVM takes about as long as the JVM's own start.
 */
public final class ProcStatus {
  private final String text;

  /** Takes the content of a status file. */
  public ProcStatus(String text) {
    this.text = text;
  }

  /** Reads the status of this process. */
  public static ProcStatus own() throws IOException {
    try (FileInputStream file = new FileInputStream("/proc/self/status")) {
      return new ProcStatus(new String(file.readAllBytes(), StandardCharsets.ISO_8859_1));
    }
  }

  /**
   * Returns the value of a field, such as {@code SigIgn}; null if this kernel has no such field.
   * The name of the process, which is in there too, cannot forge a field: the kernel escapes line
   * feeds.
   */
  public @Nullable String field(String name) {
    int start = text.indexOf("\n".concat(name).concat(":"));
    int end = text.indexOf('\n', start + 1);
    return start < 0 || end < 0 ? null : text.substring(start + name.length() + 2, end).strip();
  }

  /**
   * Returns the ids in a field that every kernel has: of {@code Uid} and {@code Gid} the real, the
   * effective, the saved and the file system's one; of {@code Groups} all of them. Unsigned.
   */
  public int[] ids(String name) {
    String value = field(name);
    if (value == null) {
      throw new IllegalStateException("no " + name + " in the status of a process");
    }
    int[] ids = new int[value.length() / 2 + 1];
    int count = 0;
    for (int i = 0; i < value.length(); i++) {
      if (value.charAt(i) > ' ') {
        int end = i;
        while (end < value.length() && value.charAt(end) > ' ') {
          end++;
        }
        ids[count++] = Integer.parseUnsignedInt(value, i, end, 10);
        i = end;
      }
    }
    return Arrays.copyOf(ids, count);
  }
}
