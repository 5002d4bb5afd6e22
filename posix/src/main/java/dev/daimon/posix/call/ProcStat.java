package dev.daimon.posix.call;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;

/**
 * What {@code /proc/PID/stat} says of a process. The kernel shows it to every user, unless {@code
 * /proc} is mounted with {@code hidepid}, and shows it of zombies too. For one thread.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html">proc_pid_stat(5)</a>
 */
public final class ProcStat {
  /** The number of the first field after the name, as the manual counts them. */
  private static final int STATE = 3;

  private static final int PARENT = 4;
  private static final int GROUP = 5;
  private static final int SESSION = 6;
  private static final int TERMINAL = 7;
  private static final int FLAGS = 9;
  private static final int THREADS = 20;
  private static final int START = 22;
  private static final int RESIDENT = 24;

  // From the kernel's linux/sched.h, which programs cannot include.
  private static final long PF_EXITING = 0x4;
  private static final long PF_KTHREAD = 0x20_0000;

  private final String line;

  /** Where the name ends, which is in parentheses and may hold any character, these too. */
  private final int nameEnd;

  /** The field that was looked for last, and where it begins: the next one is often behind it. */
  private int found = STATE;

  private int foundAt;

  ProcStat(String line) {
    this.line = line;
    nameEnd = line.lastIndexOf(')');
    foundAt = nameEnd + 2;
  }

  /** Reads it of this process. The ids in it are those of the PID namespace of {@code /proc}. */
  public static ProcStat own() throws PosixException {
    return new ProcStat(ProcFiles.readRecord("/proc/self/stat"));
  }

  /**
   * Reads it of the process that has this id now.
   *
   * @throws PosixException {@code ENOENT} or {@code ESRCH} if there is no such process, {@code
   *     EPERM} if it is hidden, or {@code /proc} is of another PID namespace
   */
  public static ProcStat of(long pid) throws PosixException {
    return in(ProcDirectory.of(pid));
  }

  /** Reads it of the process that has this directory. */
  public static ProcStat in(String directory) throws PosixException {
    return new ProcStat(ProcFiles.readRecord(directory.concat("/stat")));
  }

  /** The program's name, up to 15 bytes, with one character for each byte. */
  public String name() {
    return line.substring(line.indexOf('(') + 1, nameEnd);
  }

  /**
   * Whether the process has ended, and only its exit status is left, if that. The state alone does
   * not tell: that is the first thread's, which may have ended before the others.
   */
  public boolean isZombie() {
    char state = line.charAt(nameEnd + 2);
    return (state == 'Z' || state == 'X') && field(THREADS) <= 1;
  }

  /** The parent's id; 0 if it is in another PID namespace. */
  public long parent() {
    return field(PARENT);
  }

  /** The process group's id; 0 if it is of another PID namespace. */
  public long group() {
    return field(GROUP);
  }

  /** The session's id; 0 if it is of another PID namespace. */
  public long session() {
    return field(SESSION);
  }

  /** The device number of the controlling terminal; 0 if there is none. */
  public long terminal() {
    return field(TERMINAL);
  }

  /** The kernel's flags of the process, {@code PF_*} in {@code linux/sched.h}. */
  public long flags() {
    return field(FLAGS);
  }

  /**
   * Whether the first thread is about to end, or has: it gives back its memory, and then its files.
   */
  public boolean isEnding() {
    return (flags() & PF_EXITING) != 0;
  }

  /** Whether it is a thread of the kernel, which runs no program. */
  public boolean isKernelThread() {
    return (flags() & PF_KTHREAD) != 0;
  }

  /** When the process was started, in hundredths of a second since the boot. */
  public long startTicks() {
    return field(START);
  }

  /** How many pages of its memory are resident; about, since the kernel counts in steps. */
  public long residentPages() {
    return field(RESIDENT);
  }

  private long field(int number) {
    boolean further = number >= found;
    int start = further ? foundAt : nameEnd + 2;
    for (int i = further ? found : STATE; i < number; i++) {
      start = line.indexOf(' ', start) + 1;
    }
    found = number;
    foundAt = start;
    return Long.parseLong(line, start, line.indexOf(' ', start), 10);
  }
}
