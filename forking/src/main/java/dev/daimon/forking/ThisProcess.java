package dev.daimon.forking;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.SystemCallFilter;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** This JVM as a process: its ids, its session and its umask. */
public final class ThisProcess {
  /** The widest umask: all permission bits. */
  public static final int MAX_UMASK = 0777;

  private ThisProcess() {}

  /** {@return the process id} */
  public static long id() {
    return Processes.getpid();
  }

  /** {@return the parent's process id; another one from the moment the parent has ended} */
  public static long parent() {
    return Processes.getppid();
  }

  /** {@return the id of its process group} */
  public static long group() {
    return Processes.getpgrp();
  }

  /**
   * Returns the words that it was started with, byte for byte.
   *
   * @return the words, {@code argv[0]} first
   * @throws IOException if {@code /proc} is not mounted
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html">
   *     proc_pid_cmdline(5)</a>
   */
  public static List<byte[]> commandLine() throws IOException {
    try (FileInputStream file = new FileInputStream("/proc/self/cmdline")) {
      return Environment.strings(file.readAllBytes());
    }
  }

  /** {@return whether it leads its process group, so that {@link #setsid()} fails} */
  public static boolean isGroupLeader() {
    return Processes.getpgrp() == Processes.getpid();
  }

  /**
   * Makes it the leader of a new session and of a new process group, without a controlling
   * terminal.
   *
   * <p>What it spawns afterwards belongs to the session without leading it, so it can never get a
   * controlling terminal by opening one.
   *
   * @throws PosixException {@code EPERM} if it leads a process group already, as it does when a
   *     shell with job control started it directly
   * @see <a href="https://man7.org/linux/man-pages/man2/setsid.2.html">setsid(2)</a>
   */
  public static void setsid() throws PosixException {
    PosixException.check(Processes.setsid(), "setsid", "");
  }

  /**
   * Sets the umask: files that any thread, or what is spawned, creates from now on lack these
   * permissions.
   *
   * @param mask permission bits, from 0 to {@link #MAX_UMASK}
   * @return the umask before
   * @throws IllegalArgumentException if the mask is outside that range
   * @see <a href="https://man7.org/linux/man-pages/man2/umask.2.html">umask(2)</a>
   */
  public static int umask(int mask) {
    checkUmask(mask);
    return Processes.umask(mask);
  }

  /**
   * Lets programs that are started from here have a limit that is above this process's hard one: it
   * becomes its hard one, too. The soft one, which is enforced, stays.
   *
   * @param limit a limit that a program is to have; see {@link Program#limit}
   * @throws PosixException {@code EPERM} if it is above, and this process may not raise its limits
   * @see <a href="https://man7.org/linux/man-pages/man2/setrlimit.2.html">setrlimit(2)</a>
   */
  public static void allow(ResourceLimit limit) throws PosixException {
    Objects.requireNonNull(limit, "limit");
    int resource = limit.resource().number();
    long[] own = new long[2];
    PosixException.check(Limits.getrlimit(0, resource, own), "prlimit", limit);
    if (ResourceLimit.isAbove(limit.hard(), own[1])) {
      PosixException.check(Limits.setrlimit(resource, own[0], limit.hard()), "prlimit", limit);
    }
  }

  /**
   * Makes this process the parent of every descendant that loses its own one, in init's stead: a
   * <em>child subreaper</em>. It is told how they end, and has to take their zombies away.
   *
   * @throws PosixException if the kernel refuses
   * @see <a href="https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html">
   *     PR_SET_CHILD_SUBREAPER(2const)</a>
   */
  public static void adoptOrphans() throws PosixException {
    PosixException.check(Processes.adoptOrphans(), "prctl", "PR_SET_CHILD_SUBREAPER");
  }

  /**
   * Keeps this process, and all that it starts or becomes, from typing into its terminal, for good:
   * the system calls {@code ioctl(TIOCSTI)} and {@code ioctl(TIOCLINUX)} are refused to them with
   * {@code EPERM}. To be done before it becomes another user. A terminal gives what is typed to
   * whoever reads it next, which may be the shell of the user that this process was: a program that
   * was given less could have it run commands. All else of the terminal stays, job control, Ctrl-C
   * and the size among it.
   *
   * <p>Nothing is done where nobody else reads: without a controlling terminal, or if this process
   * leads its session. Nor is it an error if this cannot be done, and the kernel itself lets nobody
   * but root do the one ({@code dev.tty.legacy_tiocsti} is 0).
   *
   * @param noNewPrivileges whether the process gives up, for good, to gain privileges by programs
   *     that it executes: then this takes no privilege ({@code CAP_SYS_ADMIN})
   * @throws PosixException {@code EACCES} without that privilege, {@code EINVAL} or {@code ENOSYS}
   *     from a kernel without such filters, {@code EPERM} if another one forbids this, {@code
   *     ESRCH} if a thread has another one
   * @throws IOException if {@code /proc} is not mounted
   * @see <a href="https://man7.org/linux/man-pages/man2/TIOCSTI.2const.html">TIOCSTI(2const)</a>
   * @see <a href="https://man7.org/linux/man-pages/man2/seccomp.2.html">seccomp(2)</a>
   */
  public static void refuseTyping(boolean noNewPrivileges) throws IOException {
    if (!sharesTerminal()) {
      return;
    }
    if (noNewPrivileges) {
      PosixException.check(Capabilities.setNoNewPrivileges(), "prctl", "PR_SET_NO_NEW_PRIVS");
    }
    int result = SystemCallFilter.refuseTerminalInput();
    if (result != 0 && !isTypingRoots()) {
      PosixException.check(result > 0 ? -Errno.ESRCH.number() : result, "seccomp", "TIOCSTI");
    }
  }

  /** Whether others may read from this process's controlling terminal after it. */
  private static boolean sharesTerminal() throws IOException {
    try (FileInputStream file = new FileInputStream("/proc/self/stat")) {
      String stat = new String(file.readAllBytes(), StandardCharsets.ISO_8859_1);
      // After the name, in parentheses: state, parent, group, session, terminal.
      String[] fields = new String[5];
      int start = stat.lastIndexOf(')') + 2;
      for (int i = 0; i < fields.length; i++) {
        int end = stat.indexOf(' ', start);
        fields[i] = stat.substring(start, end);
        start = end + 1;
      }
      return !fields[4].equals("0") && !fields[3].equals(Long.toString(id()));
    }
  }

  /** Whether the kernel is one that lets nobody without {@code CAP_SYS_ADMIN} type for others. */
  private static boolean isTypingRoots() {
    try (FileInputStream file = new FileInputStream("/proc/sys/dev/tty/legacy_tiocsti")) {
      return file.read() == '0';
    } catch (IOException older) {
      return false;
    }
  }

  static void checkUmask(int mask) {
    if (mask < 0 || mask > MAX_UMASK) {
      throw new IllegalArgumentException("not a umask: 0" + Integer.toOctalString(mask));
    }
  }
}
