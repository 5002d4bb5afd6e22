package dev.daimon.privileges;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** This process's {@code oom_score_adj}: how likely the kernel kills it when memory runs out. */
final class OomScore {
  /** The largest adjustment, positive or negative. */
  static final int MAX = 1000;

  private static final String PATH = "/proc/self/oom_score_adj";

  private static final Object LOCK = new Object();

  private OomScore() {}

  /** Runs an action with another score, and then restores the old one, which takes no privilege. */
  static <T extends @Nullable Object> T during(int adjustment, FileAction<T> action)
      throws IOException {
    synchronized (LOCK) {
      int before = get();
      set(adjustment);
      try {
        return action.run();
      } finally {
        set(before);
      }
    }
  }

  static int get() throws PosixException {
    int fd = open(Files.O_RDONLY);
    try {
      byte[] text = new byte[16];
      int length = PosixException.check(Files.read(fd, text), "read", PATH);
      return Integer.parseInt(new String(text, 0, length, StandardCharsets.US_ASCII).strip());
    } finally {
      Files.close(fd);
    }
  }

  static void set(int adjustment) throws PosixException {
    int fd = open(Files.O_WRONLY);
    try {
      byte[] text = Integer.toString(adjustment).getBytes(StandardCharsets.US_ASCII);
      PosixException.check(Files.write(fd, text), "write", PATH + " " + adjustment);
    } finally {
      Files.close(fd);
    }
  }

  private static int open(int access) throws PosixException {
    byte[] path = PATH.getBytes(StandardCharsets.US_ASCII);
    return PosixException.check(Files.open(path, access | Files.O_CLOEXEC, 0), "open", PATH);
  }
}
