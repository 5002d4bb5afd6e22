package dev.daimon.posix.call;

import dev.daimon.posix.Errno;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The content of a pidfile: a process id in decimal digits, and a line feed. No other class knows
 * this format.
 *
 * <p>{@link #encode} makes exactly that. {@link #parse} also accepts what other programs write:
 * ASCII white space around the id, zeros before it, and further lines.
 */
public final class PidText {
  /** The highest process id of Linux, {@code PID_MAX_LIMIT}. */
  public static final int MAX_PID = 4194304;

  /** How long the line with the process id may be, in bytes, with the white space before it. */
  public static final int MAX_LINE = 64;

  /** Space to reserve for a pidfile: more than its longest line, less than the smallest block. */
  public static final int RESERVED = 32;

  /** Why a content is malformed. */
  public enum Defect {
    /** There is nothing, or white space alone. */
    EMPTY("is empty"),

    /** The first line does not end within {@link #MAX_LINE} bytes. */
    LONG_LINE("holds something else than a process id: a line of more than " + MAX_LINE + " bytes"),

    /** The first line has other bytes than digits. */
    NO_NUMBER("holds something else than a process id"),

    /** The number is 0, or higher than {@link #MAX_PID}. */
    OUT_OF_RANGE("holds a number that is no process id, since they go from 1 to " + MAX_PID),

    /** More lines follow, where the process id should be the whole content. */
    FURTHER_LINES("has further lines");

    private final String words;

    Defect(String words) {
      this.words = words;
    }

    /** What is wrong with the file, after "it". */
    public String words() {
      return words;
    }
  }

  private final int pid;
  private final @Nullable Defect defect;

  private PidText(int pid, @Nullable Defect defect) {
    this.pid = pid;
    this.defect = defect;
  }

  /** The process id, from 1 to {@link #MAX_PID}; 0 if the content is malformed. */
  public int pid() {
    return pid;
  }

  /** Why the content is malformed; null if it is not. */
  public @Nullable Defect defect() {
    return defect;
  }

  /**
   * Makes the content for a process id.
   *
   * @throws IllegalArgumentException if it is not from 1 to {@link #MAX_PID}
   */
  public static byte[] encode(long pid) {
    if (pid < 1 || pid > MAX_PID) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    return Long.toString(pid).concat("\n").getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Parses a content.
   *
   * @param content the file's first bytes: all of them, or at least one more than {@link #MAX_LINE}
   * @param sole whether further lines make it malformed
   */
  public static PidText parse(byte[] content, boolean sole) {
    int start = 0;
    while (start < content.length && isWhiteSpace(content[start])) {
      start++;
    }
    int line = start;
    while (line < content.length && content[line] != '\n') {
      line++;
    }
    if (line == content.length && line > MAX_LINE) {
      return malformed(Defect.LONG_LINE);
    }
    if (start == content.length) {
      return malformed(Defect.EMPTY);
    }
    int end = line;
    while (isWhiteSpace(content[end - 1])) {
      end--;
    }
    int pid = 0;
    for (int i = start; i < end; i++) {
      int digit = content[i] - '0';
      if (digit < 0 || digit > 9) {
        return malformed(Defect.NO_NUMBER);
      }
      // Stays over the limit, and never overflows.
      pid = Math.min(pid * 10 + digit, MAX_PID + 1);
    }
    if (pid == 0 || pid > MAX_PID) {
      return malformed(Defect.OUT_OF_RANGE);
    }
    return sole && hasFurtherLines(content, line)
        ? malformed(Defect.FURTHER_LINES)
        : new PidText(pid, null);
  }

  /**
   * Reserves {@link #RESERVED} bytes of an open file, so that a full disk is found before there is
   * a process id to be written. Returns 0 also where the file system or the kernel cannot do that:
   * there the write itself fails.
   */
  public static int reserve(int fd) {
    int result = Files.fallocate(fd, Files.FALLOC_FL_KEEP_SIZE, 0, RESERVED);
    return result == -Errno.EOPNOTSUPP.number() || result == -Errno.ENOSYS.number() ? 0 : result;
  }

  private static PidText malformed(Defect defect) {
    return new PidText(0, defect);
  }

  /** What was not read counts as a line. */
  private static boolean hasFurtherLines(byte[] content, int line) {
    for (int i = line; i < content.length; i++) {
      if (!isWhiteSpace(content[i])) {
        return true;
      }
    }
    return content.length > MAX_LINE;
  }

  private static boolean isWhiteSpace(byte b) {
    return b == ' ' || (b >= '\t' && b <= '\r');
  }

  /**
   * Parses a process id and a line feed, as {@link #encode} makes them, and nothing else. Zeros may
   * come first, as long as all of it has {@link #MAX_LINE} bytes: other programs pad the number.
   *
   * @param content the file's first bytes: all of them, or at least {@link #RESERVED}
   * @return the process id; 0 for any other content
   */
  public static int parseEncoded(byte[] content) {
    int end = content.length - 1;
    boolean tight =
        end > 0
            && !isWhiteSpace(content[0])
            && !isWhiteSpace(content[end - 1])
            && content[end] == '\n';
    return tight ? parse(content, /* sole= */ true).pid : 0;
  }
}
