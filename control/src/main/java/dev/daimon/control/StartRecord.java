package dev.daimon.control;

import dev.daimon.forking.ThisProcess;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who was started last under a guard, as its file says in one line: the boot's id, the namespaces
 * of process ids and of time, the process id, the time of its start in clock ticks since the boot,
 * its session's id, and the time of the pidfile.
 *
 * <p>Process id and ticks identify a process for as long as the machine runs, within those
 * namespaces: no clock that is set changes them, and an id that is given to another process comes
 * with other ticks.
 *
 * <p>A start that does without the guard, or cannot write to it, leaves an older record where it
 * is. So believe a record only of the process id that the pidfile has.
 *
 * @param pid the process id
 * @param startTicks the time of its start since the boot, in hundredths of a second
 * @param session the id of the session that was made for it; 0 if it was started in one that is not
 *     its own, as by {@code daimon run} in that of a shell
 * @param modified when the pidfile was last changed then, in seconds since 1970: who writes it anew
 *     may be another daemon, of this id in a container that was started again
 */
public record StartRecord(long pid, long startTicks, long session, long modified) {
  /** More than the longest line. */
  static final int LENGTH = 256;

  /** Process id, ticks, session, time of the pidfile. */
  private static final int NUMBERS = 4;

  /** Of a boot's id, which a line begins with. */
  private static final int ID_LENGTH = 36;

  /** The highest process id of Linux. */
  private static final int MAX_PID = 4194304;

  private static final String BOOT_ID = "/proc/sys/kernel/random/boot_id";

  /** Fields of {@code /proc/PID/stat}, counted from the first one after the name. */
  private static final int SESSION = 3;

  private static final int START = 19;

  /**
   * Reads the record in a guard file. It is believed only if the file is a regular one of root's,
   * the caller's or the pidfile owner's, and was written since the machine was booted, in these
   * namespaces.
   *
   * @param guardFile the guard file
   * @param pidFileOwner the user id of the pidfile's owner
   * @return the record; nothing if there is none to believe
   */
  public static Optional<StartRecord> read(Path guardFile, long pidFileOwner) {
    Objects.requireNonNull(guardFile, "guardFile");
    try (LockedFile file = LockedFile.open(guardFile).orElse(null)) {
      if (file == null || !Guard.isTrusted(file.owner(), pidFileOwner)) {
        return Optional.empty();
      }
      String text = new String(file.read(LENGTH), StandardCharsets.ISO_8859_1);
      return Optional.ofNullable(parse(text));
    } catch (IOException unreadable) {
      return Optional.empty();
    }
  }

  /**
   * Whether a guard file holds a line of this process, of whatever boot and namespace, or nothing
   * at all: quicker to see than what there is to believe, and nearly always so.
   */
  static boolean namesNoOther(Path guardFile, long pid) {
    try (LockedFile file = LockedFile.open(guardFile).orElse(null)) {
      if (file == null) {
        return true;
      }
      String text = new String(file.read(LENGTH), StandardCharsets.ISO_8859_1);
      int start = text.indexOf("] ", text.indexOf(" time:[")) + 2;
      return text.isEmpty() || text.startsWith(Long.toString(pid).concat(" "), start);
    } catch (IOException unreadable) {
      return false;
    }
  }

  private static @Nullable StartRecord parse(String text) throws IOException {
    String where = where() + " ";
    int end = text.indexOf('\n');
    if (end < 0 || !text.startsWith(where)) {
      return null;
    }
    long[] numbers = numbers(text, where.length(), end);
    return numbers == null || numbers[0] < 1 || numbers[0] > MAX_PID || numbers[2] > MAX_PID
        ? null
        : new StartRecord(numbers[0], numbers[1], numbers[2], numbers[3]);
  }

  /** Whether a guard file's content is nothing, or a record of whatever boot. */
  static boolean isReplaceable(byte[] content) {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    int end = text.indexOf('\n');
    if (text.isEmpty()) {
      return true;
    }
    if (end != text.length() - 1 || end < ID_LENGTH) {
      return false;
    }
    for (int i = 0; i < ID_LENGTH; i++) {
      if (Character.digit(text.charAt(i), 16) < 0 && text.charAt(i) != '-') {
        return false;
      }
    }
    return text.startsWith(" pid:[", ID_LENGTH);
  }

  /** Numbers with one space between; null if it is anything else. */
  private static long @Nullable [] numbers(String text, int start, int end) {
    long[] numbers = new long[NUMBERS];
    int found = 0;
    boolean digits = false;
    for (int i = start; i < end; i++) {
      char c = text.charAt(i);
      if (c == ' ' && digits && found < NUMBERS - 1) {
        found++;
        digits = false;
      } else if (c >= '0' && c <= '9' && numbers[found] < Long.MAX_VALUE / 10 - 1) {
        numbers[found] = numbers[found] * 10 + c - '0';
        digits = true;
      } else {
        return null;
      }
    }
    return digits && found == NUMBERS - 1 ? numbers : null;
  }

  /**
   * Whether a process that a pidfile names is shown to be another one than the daemon that was
   * started: that had the same id, and was started at another time.
   *
   * @param guardFile the guard file
   * @param pidFile the pidfile
   * @param pid the process id in it
   * @return whether it is; false also if there is no record of that id to believe
   */
  static boolean isAnother(Path guardFile, LockedFile pidFile, long pid) {
    StartRecord last = read(guardFile, pidFile.owner()).orElse(null);
    return last != null && last.isOfAnother(pidFile, pid);
  }

  /** As {@link #isAnother}, by this record. */
  boolean isOfAnother(LockedFile pidFile, long named) {
    if (pid != named || modified != pidFile.modified()) {
      return false;
    }
    Stat now = Stat.of(pid);
    return now != null && now.start != startTicks;
  }

  /**
   * The record of a process that runs, or has ended and was not waited for; null if it or its
   * pidfile is gone.
   */
  static @Nullable StartRecord of(long pid, Path pidFile) throws IOException {
    Stat process = Stat.of(pid);
    if (process == null) {
      return null;
    }
    long modified;
    try (LockedFile file = LockedFile.open(pidFile).orElse(null)) {
      if (file == null) {
        return null;
      }
      modified = file.modified();
    }
    long self = ThisProcess.id();
    boolean own = process.session == pid || process.session == self;
    if (!own) {
      Stat caller = Stat.of(self);
      own = caller != null && caller.session != process.session;
    }
    return new StartRecord(pid, process.start, own ? process.session : 0, modified);
  }

  /** The line for the guard file. */
  byte[] line() throws IOException {
    String line = where() + " " + pid + " " + startTicks + " " + session + " " + modified + "\n";
    return line.getBytes(StandardCharsets.ISO_8859_1);
  }

  /**
   * Whether the process that was started still runs.
   *
   * <p>Race: it may end before the answer arrives.
   *
   * @return whether it does; false also if another process has got its id
   * @throws IOException if a handle of the process cannot be opened
   */
  public boolean isRunning() throws IOException {
    try (PidFd process = Probe.open(pid)) {
      Stat now = process == null ? null : Stat.of(pid);
      // In this order: it was this process that was read of.
      return process != null && now != null && now.start == startTicks && process.isAlive();
    }
  }

  /** Where and when process ids and ticks mean the same. */
  private static String where() throws IOException {
    return content(BOOT_ID).strip() + " " + namespace("pid") + " " + namespace("time");
  }

  /** Such as {@code pid:[4026531836]}; older kernels have none of time. */
  private static String namespace(String kind) throws IOException {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/ns/" + kind)).toString();
    } catch (NoSuchFileException none) {
      return kind + ":[]";
    }
  }

  private static String content(String path) throws IOException {
    try (FileInputStream file = new FileInputStream(path)) {
      return new String(file.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  /** What there is to know of a process, a zombie too. */
  private static final class Stat {
    final long session;
    final long start;

    private Stat(long session, long start) {
      this.session = session;
      this.start = start;
    }

    /** Null if there is no such process. */
    static @Nullable Stat of(long pid) {
      try {
        String text = content("/proc/" + pid + "/stat");
        // The name, in parentheses, may hold anything.
        int start = text.lastIndexOf(')') + 2;
        return new Stat(field(text, start, SESSION), field(text, start, START));
      } catch (IOException gone) {
        return null;
      }
    }

    private static long field(String text, int start, int number) {
      int begin = start;
      for (int i = 0; i < number; i++) {
        begin = text.indexOf(' ', begin) + 1;
      }
      return Long.parseLong(text, begin, text.indexOf(' ', begin), 10);
    }
  }
}
