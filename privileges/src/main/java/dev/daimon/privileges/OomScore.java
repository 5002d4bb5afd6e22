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

  /**
   * Locked while the score is another one for a time. Lock it before {@link
   * DisposableThread#CHANGING}, as {@link #during} does.
   */
  static final Object LOCK = new Object();

  private OomScore() {}

  /**
   * Runs an action with another score, and then restores the old one, which takes no privilege. If
   * it cannot be restored, the result is the action's all the same.
   */
  static <T extends @Nullable Object> T during(int adjustment, FileAction<T> action)
      throws IOException {
    synchronized (LOCK) {
      // Kept open, since no other descriptor may be free when the action has ended.
      int fd = aboveStreams(open(Files.O_RDWR));
      try {
        int before = read(fd);
        PosixException.check(write(fd, adjustment), "write", subject(adjustment));
        try {
          return action.run();
        } finally {
          int _ = write(fd, before);
        }
      } finally {
        Files.close(fd);
      }
    }
  }

  static int get() throws PosixException {
    int fd = open(Files.O_RDONLY);
    try {
      return read(fd);
    } finally {
      Files.close(fd);
    }
  }

  static void set(int adjustment) throws PosixException {
    int fd = open(Files.O_WRONLY);
    try {
      PosixException.check(write(fd, adjustment), "write", subject(adjustment));
    } finally {
      Files.close(fd);
    }
  }

  /** Moves a descriptor: a program inherits a standard stream, also one that is closed here. */
  private static int aboveStreams(int fd) throws PosixException {
    int moved = Files.fcntl(fd, Files.F_DUPFD_CLOEXEC, 3);
    Files.close(fd);
    return PosixException.check(moved, "fcntl F_DUPFD_CLOEXEC", PATH);
  }

  private static int read(int fd) throws PosixException {
    byte[] text = new byte[16];
    int length = PosixException.check(Files.read(fd, text), "read", PATH);
    return Integer.parseInt(new String(text, 0, length, StandardCharsets.US_ASCII).strip());
  }

  /** The kernel takes each write as a whole, wherever in the file it is. */
  private static int write(int fd, int adjustment) {
    return Files.write(fd, Integer.toString(adjustment).getBytes(StandardCharsets.US_ASCII));
  }

  private static String subject(int adjustment) {
    return PATH + " " + adjustment;
  }

  private static int open(int access) throws PosixException {
    byte[] path = PATH.getBytes(StandardCharsets.US_ASCII);
    return PosixException.check(Files.open(path, access | Files.O_CLOEXEC, 0), "open", PATH);
  }
}
