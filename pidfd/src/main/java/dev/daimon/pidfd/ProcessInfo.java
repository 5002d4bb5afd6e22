package dev.daimon.pidfd;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Clocks;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcStatus;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What {@code /proc} tells of a process at one moment. In the midst of an {@code exec}, some of it
 * may be the old program's, and the command line is empty.
 *
 * @param name the program's name as the kernel keeps it, cut to 15 bytes (the kernel's own may have
 *     longer ones); what is not UTF-8 is replaced
 * @param parent the parent's id; 0 if it is in another PID namespace
 * @param group the process group's id; 0 as for the parent
 * @param session the session's id; 0 as for the parent
 * @param uptime how long it has been running, a hundredth of a second too long at most; the time
 *     that the machine was suspended counts
 * @param startTime when it was started, up to a second too early, by today's clock: the same from
 *     one look to the next, and another one only after the clock was set
 * @param user the effective user id, from 0 to 4294967294
 * @param realUser the real user id, as above
 * @param savedUser the saved set-user-id, as above
 * @param realGroup the real group id of its user, as above; not the process group
 * @param commandLine the words it was started with, or has put there since, up to 128 KiB of them;
 *     what is not UTF-8 is replaced; without empty words at its end, since a shorter title is
 *     padded with them; empty for the kernel's own, and for a process about to end or whose first
 *     thread has ended
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html">proc_pid_stat(5)</a>
 */
public record ProcessInfo(
    String name,
    long parent,
    long group,
    long session,
    Duration uptime,
    Instant startTime,
    long user,
    long realUser,
    long savedUser,
    long realGroup,
    List<String> commandLine) {

  /** A hundredth of a second: what the kernel counts start times in, whatever its own tick is. */
  private static final long TICK = 10_000_000;

  /** Clocks that are read one after the other differ by less, unless one was set meanwhile; ns. */
  private static final long SAME_CLOCKS = 10_000_000;

  /** Read once: it is at the end of a long file. */
  private static volatile @Nullable Boot boot;

  /** Where the fields after the name begin, which may hold anything. */
  private static final int AFTER_NAME = 2;

  /** Takes no null. */
  public ProcessInfo {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(uptime, "uptime");
    Objects.requireNonNull(startTime, "startTime");
    Objects.requireNonNull(commandLine, "commandLine");
  }

  /**
   * Whether a user could signal the process without being root: its real or its saved user id is
   * that user's. The effective one does not count, since a process of root's may have anybody's for
   * a while, as one that delivers mail.
   *
   * @param other the user id, from 0 to 4294967294
   * @return whether it could; always true of root
   * @see <a href="https://man7.org/linux/man-pages/man2/kill.2.html">kill(2)</a>
   */
  public boolean mayBeSignalledBy(long other) {
    return other == 0 || realUser == other || savedUser == other;
  }

  /** Of the process that has this id, and this pidfd, while it is read. */
  static ProcessInfo read(long pid, Descriptor pidfd) throws PosixException {
    String process = "/proc/".concat(Long.toString(pid));
    String stat = ProcFiles.readRecord(process.concat("/stat"));
    int end = stat.lastIndexOf(')');
    String name = utf8(stat.substring(stat.indexOf('(') + 1, end));
    Fields fields = new Fields(stat, end + AFTER_NAME);
    fields.skip(1);
    long parent = fields.next();
    long group = fields.next();
    long session = fields.next();
    fields.skip(15);
    long start = fields.next() * TICK;
    long now = Clocks.boottime();
    int[] ids = ids(process, pidfd);
    return new ProcessInfo(
        name,
        parent,
        group,
        session,
        Duration.ofNanos(Math.max(0, now - start)),
        bootTime(now).plusNanos(start),
        Integer.toUnsignedLong(ids[1]),
        Integer.toUnsignedLong(ids[0]),
        Integer.toUnsignedLong(ids[2]),
        Integer.toUnsignedLong(ids[3]),
        words(commandLine(process.concat("/cmdline"))));
  }

  /** The name alone, of whatever process has this id. */
  static String name(long pid) throws PosixException {
    String line = ProcFiles.readRecord("/proc/".concat(Long.toString(pid)).concat("/comm"));
    // Of the line feed it is without; one in the name stays.
    return utf8(line.substring(0, Math.max(0, line.length() - 1)));
  }

  /** When the machine was started, by today's clock, and how far the two clocks are apart. */
  private static final class Boot {
    final Instant time;
    final Duration difference;

    Boot(Instant time, Duration difference) {
      this.time = time;
      this.difference = difference;
    }
  }

  /** In whole seconds, as the kernel tells it: what is computed from two clocks would differ. */
  private static Instant bootTime(long now) throws PosixException {
    Duration difference = Duration.between(Instant.EPOCH.plusNanos(now), Instant.now());
    Boot known = boot;
    if (known == null || known.difference.minus(difference).abs().toNanos() > SAME_CLOCKS) {
      known = new Boot(readBootTime(), difference);
      boot = known;
    }
    return known.time;
  }

  private static Instant readBootTime() throws PosixException {
    try (ProcFiles.Lines lines = new ProcFiles.Lines("/proc/stat")) {
      String next;
      while ((next = lines.next()) != null) {
        int start = "\n".concat(next).indexOf("\nbtime ");
        if (start >= 0) {
          int number = start + "btime ".length();
          return Instant.ofEpochSecond(
              Long.parseLong(next, number, next.indexOf('\n', number), 10));
        }
      }
    }
    throw new PosixException("read", "/proc/stat", Errno.ENOENT);
  }

  /** Under load the kernel was seen to show none of a process that has one; not twice in a row. */
  private static String commandLine(String path) throws PosixException {
    String first = ProcFiles.readRecord(path);
    return first.isEmpty() ? ProcFiles.readRecord(path) : first;
  }

  /**
   * The real, the effective and the saved user, and the real group: by the pidfd; an older kernel
   * tells them in the status, which takes longest.
   */
  private static int[] ids(String process, Descriptor pidfd) throws PosixException {
    int[] ids = new int[4];
    if (PidFds.credentials(pidfd.number(), ids) < 0) {
      ProcStatus status = new ProcStatus(ProcFiles.readRecord(process.concat("/status")));
      System.arraycopy(status.ids("Uid"), 0, ids, 0, 3);
      ids[3] = status.ids("Gid")[0];
    }
    return ids;
  }

  private static List<String> words(String commandLine) {
    int length = commandLine.length();
    while (length > 0 && commandLine.charAt(length - 1) == 0) {
      length--;
    }
    List<String> words = new ArrayList<>();
    int end;
    for (int start = 0; start < length; start = end + 1) {
      end = commandLine.indexOf(0, start);
      if (end < 0) {
        // A program that has overwritten its own.
        end = length;
      }
      words.add(utf8(commandLine.substring(start, end)));
    }
    return List.copyOf(words);
  }

  private static String utf8(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /** The fields of a line, each followed by one space or tabulator. */
  private static final class Fields {
    private final String text;
    private int next;

    Fields(String text, int start) {
      this.text = text;
      next = start;
    }

    private int end() {
      int end = next;
      while (text.charAt(end) > ' ') {
        end++;
      }
      return end;
    }

    void skip(int count) {
      for (int i = 0; i < count; i++) {
        next = end() + 1;
      }
    }

    long next() {
      int end = end();
      long value = Long.parseLong(text, next, end, 10);
      next = end + 1;
      return value;
    }
  }
}
