package dev.daimon.pidfd;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.call.Clocks;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcStat;
import dev.daimon.posix.call.ProcStatus;
import dev.daimon.posix.call.Processes;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Describes a process at one moment, as {@code /proc} shows it. While the process executes another
 * program, some of this may be the old program's, and the command line is empty.
 *
 * @param name the program's name as the kernel keeps it, cut to 15 bytes (kernel threads may have
 *     longer ones); bytes that are not UTF-8 are replaced
 * @param parent the parent's process id; 0 if it is in another PID namespace
 * @param group the process group's id; 0 if it is of another PID namespace
 * @param session the session's id; 0 if it is of another PID namespace
 * @param uptime how long the process has been running, at most a hundredth of a second too long;
 *     the time during which the machine was suspended counts
 * @param startTime when the process was started, at most a second too early, by the clock as it is
 *     set now: the value stays the same until the clock is set
 * @param user the effective user id, from 0 to 4294967294
 * @param realUser the real user id, from 0 to 4294967294
 * @param savedUser the saved set-user-id, from 0 to 4294967294
 * @param realGroup the real group id of the user, from 0 to 4294967294; not the process group
 * @param memory the resident set, in bytes: the memory of the process that is not swapped out, with
 *     what it shares with other processes; the kernel's count may be some hundred KiB off, and is 0
 *     of a process that is about to end
 * @param commandLine the words with which the program was started, or which it has put there since,
 *     up to 128 KiB of them; bytes that are not UTF-8 are replaced. Empty words at the end are left
 *     out, since programs pad a shorter title with them. Empty for a kernel thread, and for a
 *     process that is about to end or whose first thread has ended
 * @param ending whether the process is about to end, and gives back its memory and its files; true
 *     also if just its first thread does, or has
 * @param kernelThread whether it is a thread of the kernel, which runs no program
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
    long memory,
    List<String> commandLine,
    boolean ending,
    boolean kernelThread) {

  /** A second in ns. */
  private static final long SECOND = 1_000_000_000;

  /** A hundredth of a second in ns: the unit of start times, whatever the kernel's own tick is. */
  private static final long TICK = 10_000_000;

  /**
   * By how much the distance of the two clocks may differ, in ns, between readings. They are read
   * one after the other; a larger difference means that a clock was set.
   */
  private static final long SAME_CLOCKS = 10_000_000;

  /** Read once: it is at the end of a long file. */
  private static volatile @Nullable Boot boot;

  /** Asked for once; 0 before. */
  private static volatile int pageSize;

  /** Requires every object. */
  public ProcessInfo {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(uptime, "uptime");
    Objects.requireNonNull(startTime, "startTime");
    Objects.requireNonNull(commandLine, "commandLine");
  }

  /**
   * Tells whether a user may send signals to the process: its real or its saved user id is that
   * user's. The effective user id does not count, since a process of root may have any user's for a
   * while, for instance to deliver mail.
   *
   * @param other the user id, from 0 to 4294967294
   * @return whether it may; always true for root
   * @see <a href="https://man7.org/linux/man-pages/man2/kill.2.html">kill(2)</a>
   */
  public boolean mayBeSignalledBy(long other) {
    return other == 0 || realUser == other || savedUser == other;
  }

  /** Reads it of the process that has this id and this pidfd. */
  static ProcessInfo read(long pid, Descriptor pidfd) throws PosixException {
    String process = ProcDirectory.of(pid);
    ProcStat stat = ProcStat.in(process);
    long start = stat.startTicks() * TICK;
    long now = Clocks.boottime();
    int[] ids = ids(process, pidfd);
    return new ProcessInfo(
        utf8(stat.name()),
        stat.parent(),
        stat.group(),
        stat.session(),
        Duration.ofNanos(Math.max(0, now - start)),
        bootTime(now).plusNanos(start),
        Integer.toUnsignedLong(ids[1]),
        Integer.toUnsignedLong(ids[0]),
        Integer.toUnsignedLong(ids[2]),
        Integer.toUnsignedLong(ids[3]),
        stat.residentPages() * pageSize(),
        words(commandLine(process.concat("/cmdline"))),
        stat.isEnding(),
        stat.isKernelThread());
  }

  private static int pageSize() {
    int known = pageSize;
    if (known == 0) {
      known = Processes.pageSize();
      pageSize = known;
    }
    return known;
  }

  /** When the machine was booted, by the clock as it was set at this reading. */
  private static final class Boot {
    final Instant time;
    final long difference;

    Boot(Instant time, long difference) {
      this.time = time;
      this.difference = difference;
    }
  }

  /**
   * When the machine was booted, in whole seconds, as the kernel says. A value computed from two
   * clocks would be another one each time.
   */
  private static Instant bootTime(long now) throws PosixException {
    Instant clock = Instant.now();
    // In ns, which fits until the year 2262.
    long difference = clock.getEpochSecond() * SECOND + clock.getNano() - now;
    Boot known = boot;
    if (known == null || Math.abs(known.difference - difference) > SAME_CLOCKS) {
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

  /**
   * Reads the command line, twice if it is empty. Under load the kernel was seen to show an empty
   * one of a process that has one; never twice in a row.
   */
  private static String commandLine(String path) throws PosixException {
    String first = ProcFiles.readRecord(path);
    return first.isEmpty() ? ProcFiles.readRecord(path) : first;
  }

  /**
   * The real, the effective and the saved user id, and the real group id. They come by the pidfd,
   * or with an older kernel from the status, which takes longest.
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

  /** The words of a command line, which are separated by NUL. */
  static List<String> words(String commandLine) {
    int length = commandLine.length();
    while (length > 0 && commandLine.charAt(length - 1) == 0) {
      length--;
    }
    List<String> words = new ArrayList<>();
    int end;
    for (int start = 0; start < length; start = end + 1) {
      end = commandLine.indexOf(0, start);
      if (end < 0) {
        // The program has overwritten its command line.
        end = length;
      }
      words.add(utf8(commandLine.substring(start, end)));
    }
    return List.copyOf(words);
  }

  private static String utf8(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }
}
