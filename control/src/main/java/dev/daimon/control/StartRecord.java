package dev.daimon.control;

import dev.daimon.forking.ThisProcess;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessStart;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
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
 * Identifies the daemon that was started last under a guard. The guard file holds it in one line:
 * the boot's id, the namespaces of process ids and of time, the process id, its start time in clock
 * ticks since the boot, its session's id, and the time of the pidfile.
 *
 * <p>Process id and ticks identify a process until the machine is booted again, within those
 * namespaces. Setting the clock does not change them, and the next process with the same id has
 * other ticks.
 *
 * <p>Behind that line the file has one for each program that reads the daemon's output ({@link
 * OutputReader}).
 *
 * <p>A start without the guard, or one that cannot write to it, leaves an older record in the file.
 * So believe a record only if the pidfile has the same process id.
 *
 * @param pid the process id
 * @param startTicks the time from the boot to the start of the process, in hundredths of a second
 * @param session the id of the session that was made for the daemon; 0 if the daemon was started in
 *     a session that is not its own, as {@code daimon run} does in that of a shell
 * @param modified when the pidfile was last changed at the start, in seconds since 1970; 0 if it
 *     was gone by then. If it was written again since, the daemon may be another one with the same
 *     id, as in a container that was started again
 */
public record StartRecord(long pid, long startTicks, long session, long modified) {
  /** More bytes than the longest line has. */
  public static final int LENGTH = 256;

  /** What is before the line in the record file of a named daemon. */
  public static final String COMMENT = "# ";

  /** More than the longest content of a guard file: a line, and two readers of output. */
  static final int CONTENT = 2048;

  /** The time of a pidfile that is gone, or is no file to read: that of no other one. */
  private static final long UNKNOWN_TIME = 0;

  /** Process id, ticks, session, time of the pidfile. */
  private static final int NUMBERS = 4;

  /** The length of a boot's id, with which a line begins. */
  private static final int ID_LENGTH = 36;

  private static final String BOOT_ID = "/proc/sys/kernel/random/boot_id";

  /**
   * Reads the record in a guard file. The method believes it only if the file is a regular one that
   * belongs to root, to the caller or to the pidfile's owner, if nobody else may write to it, and
   * if it was written since the machine was booted, in the namespaces of this process.
   *
   * @param guardFile the guard file
   * @param pidFileOwner the user id of the pidfile's owner
   * @return the record; empty if there is none to believe
   */
  public static Optional<StartRecord> read(Path guardFile, long pidFileOwner) {
    Objects.requireNonNull(guardFile, "guardFile");
    try {
      String text = text(guardFile, pidFileOwner);
      return Optional.ofNullable(text == null ? null : parse(text));
    } catch (IOException unreadable) {
      return Optional.empty();
    }
  }

  /** The content of a guard file; null if there is none, or others may have written it. */
  static @Nullable String text(Path guardFile, long pidFileOwner) {
    try (LockedFile file = LockedFile.open(guardFile).orElse(null)) {
      return file == null
              || !GuardOwner.isTrusted(file.owner(), pidFileOwner)
              || file.isWritableByOthers()
          ? null
          : new String(file.read(CONTENT), StandardCharsets.ISO_8859_1);
    } catch (IOException unreadable) {
      return null;
    }
  }

  /**
   * Whether a guard file is empty, or has a line with this process id, of any boot and namespace.
   * That is nearly always so, and takes less time than {@link #read}.
   */
  static boolean namesNoOther(Path guardFile, long pid) {
    try (LockedFile file = LockedFile.open(guardFile).orElse(null)) {
      if (file == null) {
        return true;
      }
      String text = new String(file.read(CONTENT), StandardCharsets.ISO_8859_1);
      int start = text.indexOf("] ", text.indexOf(" time:[")) + 2;
      return text.isEmpty() || text.startsWith(Long.toString(pid).concat(" "), start);
    } catch (IOException unreadable) {
      return false;
    }
  }

  /**
   * Reads a record that was written elsewhere by {@link #line}. The method believes it only if it
   * was made since the machine was booted, in the namespaces of this process.
   *
   * @param line the line, with the line feed at its end
   * @return the record; empty if there is none to believe
   * @throws IOException if the boot or the namespaces of this process cannot be read, or {@code
   *     /proc} is of another PID namespace
   */
  public static Optional<StartRecord> of(String line) throws IOException {
    return Optional.ofNullable(parse(Objects.requireNonNull(line, "line")));
  }

  /**
   * Reads the record in the comment with which the record file of a named daemon begins.
   *
   * @param content the content of the file
   * @return the record; empty if there is none to believe
   * @throws IOException as {@link #of(String)}
   */
  public static Optional<StartRecord> ofComment(String content) throws IOException {
    Objects.requireNonNull(content, "content");
    int end = content.indexOf('\n');
    return end < 0 || !content.startsWith(COMMENT)
        ? Optional.empty()
        : of(content.substring(COMMENT.length(), end).stripTrailing().concat("\n"));
  }

  /** The record in a content; null if it has none of this boot and these namespaces. */
  static @Nullable StartRecord parse(String text) throws IOException {
    return parse(text, where() + " ");
  }

  /** As {@link #parse(String)}, of the boot and the namespaces that a line begins with. */
  static @Nullable StartRecord parse(String text, String where) {
    int end = text.indexOf('\n');
    if (end < 0 || !text.startsWith(where)) {
      return null;
    }
    long[] numbers = numbers(text, where.length(), end);
    return numbers == null
            || numbers[0] < 1
            || numbers[0] > PidFile.MAX_PID
            || numbers[2] > PidFile.MAX_PID
        ? null
        : new StartRecord(numbers[0], numbers[1], numbers[2], numbers[3]);
  }

  /** Whether a guard file's content is empty, or a record of any boot. */
  static boolean isReplaceable(byte[] content) {
    String text = new String(content, StandardCharsets.ISO_8859_1);
    int end = text.indexOf('\n');
    if (text.isEmpty()) {
      return true;
    }
    if (end < ID_LENGTH || !hasReadersAlone(text, end + 1)) {
      return false;
    }
    for (int i = 0; i < ID_LENGTH; i++) {
      if (Character.digit(text.charAt(i), 16) < 0 && text.charAt(i) != '-') {
        return false;
      }
    }
    return text.startsWith(" pid:[", ID_LENGTH);
  }

  /** Whether nothing follows from a place on but lines of programs that read the output. */
  private static boolean hasReadersAlone(String text, int from) {
    int end;
    for (int start = from; start < text.length(); start = end + 1) {
      end = text.indexOf('\n', start);
      if (end < 0 || !(text.startsWith("stdout ", start) || text.startsWith("stderr ", start))) {
        return false;
      }
    }
    return true;
  }

  /** Parses numbers with one space between; null for anything else. */
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
   * Whether the process that a pidfile names is shown to be another one than the daemon that was
   * started: the daemon had the same id, and another start time.
   *
   * @param guardFile the guard file
   * @param pidFile the pidfile
   * @param pid the process id in the pidfile
   * @return whether it is; false also if there is no record of that id to believe
   */
  static boolean isAnother(Path guardFile, LockedFile pidFile, long pid) throws PosixException {
    StartRecord last = read(guardFile, pidFile.owner()).orElse(null);
    return last != null && last.isOfAnother(pidFile, pid);
  }

  /** As {@link #isAnother}, by this record. */
  boolean isOfAnother(LockedFile pidFile, long named) throws PosixException {
    if (pid != named || modified != pidFile.modified()) {
      return false;
    }
    ProcessStart now = ProcessStart.of(pid).orElse(null);
    return now != null && now.ticks() != startTicks;
  }

  /**
   * Records a process that was started. Somebody may have taken its pidfile away meanwhile: the
   * record is what shows then that it runs.
   *
   * @param pid the process id
   * @param pidFile the daemon's pidfile
   * @return the record; empty if the process is gone, or {@code /proc} hides it or is of another
   *     PID namespace. A zombie is not gone
   * @throws PosixException if this JVM has no descriptor left, so that it is unknown
   */
  public static Optional<StartRecord> of(long pid, Path pidFile) throws PosixException {
    return Optional.ofNullable(find(pid, Objects.requireNonNull(pidFile, "pidFile")));
  }

  private static @Nullable StartRecord find(long pid, Path pidFile) throws PosixException {
    ProcessStart process = ProcessStart.of(pid).orElse(null);
    if (process == null) {
      return null;
    }
    long self = ThisProcess.id();
    boolean own = process.session() == pid || process.session() == self;
    if (!own) {
      ProcessStart caller = ProcessStart.of(self).orElse(null);
      own = caller != null && caller.session() != process.session();
    }
    return new StartRecord(pid, process.ticks(), own ? process.session() : 0, modified(pidFile));
  }

  private static long modified(Path pidFile) {
    try (LockedFile file = LockedFile.open(pidFile).orElse(null)) {
      return file == null ? UNKNOWN_TIME : file.modified();
    } catch (IOException replaced) {
      return UNKNOWN_TIME;
    }
  }

  /**
   * Returns the record as a line, for the guard file and for others.
   *
   * @return one line of ASCII, with the line feed at its end; at most {@value #LENGTH} bytes
   * @throws IOException if the boot or the namespaces of this process cannot be read, or {@code
   *     /proc} is of another PID namespace
   */
  public byte[] line() throws IOException {
    String line = where() + " " + pid + " " + startTicks + " " + session + " " + modified + "\n";
    return line.getBytes(StandardCharsets.ISO_8859_1);
  }

  /**
   * Tells whether the process that was started still runs.
   *
   * <p>Race: the process may end before this method returns.
   *
   * @return whether it runs; false also if another process has got its id
   * @throws IOException if a handle of the process cannot be opened
   */
  public boolean isRunning() throws IOException {
    try (PidFd process = Processes.open(pid)) {
      ProcessStart now = process == null ? null : ProcessStart.of(pid).orElse(null);
      // Alive after it was read: so this is the process that was opened.
      return process != null && now != null && now.ticks() == startTicks && process.isAlive();
    }
  }

  /** The boot and the namespaces in which process ids and ticks mean the same. */
  private static String where() throws IOException {
    // Without this namespace's /proc no process can be compared with the record.
    String _ = ProcDirectory.ofAll();
    return bootId() + " " + namespace("pid") + " " + namespace("time");
  }

  /** By the class that takes the least time to load. */
  private static String bootId() throws IOException {
    try (FileInputStream file = new FileInputStream(BOOT_ID)) {
      return new String(file.readAllBytes(), StandardCharsets.ISO_8859_1).strip();
    }
  }

  /** A namespace such as {@code pid:[4026531836]}; older kernels have no namespaces of time. */
  private static String namespace(String kind) throws IOException {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/ns/" + kind)).toString();
    } catch (NoSuchFileException none) {
      return kind + ":[]";
    }
  }
}
