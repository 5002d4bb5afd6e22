package dev.daimon.forking;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.ProcStat;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.SystemCallFilter;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** This JVM as a process: its ids, session, umask, limits and children. */
public final class ThisProcess {
  /** The widest umask: all permission bits. */
  public static final int MAX_UMASK = 0777;

  private ThisProcess() {}

  /** {@return the process id} */
  public static long id() {
    return Processes.getpid();
  }

  /** {@return the parent's process id, which changes when the parent ends} */
  public static long parent() {
    return Processes.getppid();
  }

  /** {@return the id of this process's group} */
  public static long group() {
    return Processes.getpgrp();
  }

  /**
   * Returns the arguments that this process was started with, byte for byte.
   *
   * @return the arguments, {@code argv[0]} first
   * @throws IOException if {@code /proc} is not mounted
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_cmdline.5.html">
   *     proc_pid_cmdline(5)</a>
   */
  public static List<byte[]> commandLine() throws IOException {
    try (FileInputStream file = new FileInputStream("/proc/self/cmdline")) {
      return Environment.strings(file.readAllBytes());
    }
  }

  /**
   * Fixes the exit code of this process: whenever and however its JVM exits from now on, it exits
   * with this one. That counts for {@link System#exit} and {@link Runtime#halt} with another code
   * in any thread, for the end of {@code main}, and for a signal on which the JVM exits, such as
   * {@code SIGTERM}. Shutdown hooks run as always.
   *
   * <p>The first call counts. A process that a signal kills, or that crashes, has no exit code. A
   * program that this process becomes has its own one.
   *
   * @param exitCode the exit code, from 0 to 255
   * @return whether it is fixed; false if there is no memory for that
   * @throws IllegalArgumentException if the exit code is outside that range
   * @see <a href="https://man7.org/linux/man-pages/man3/exit.3.html">exit(3)</a>
   */
  public static boolean fixExitCode(int exitCode) {
    if (exitCode < 0 || exitCode > 255) {
      throw new IllegalArgumentException("no exit code: " + exitCode);
    }
    return Processes.fixExitCode(exitCode) == 0;
  }

  /** {@return whether this process leads its process group, so that {@link #setsid()} fails} */
  public static boolean isGroupLeader() {
    return Processes.getpgrp() == Processes.getpid();
  }

  /**
   * Makes this process the leader of a new session and of a new process group, without a
   * controlling terminal.
   *
   * <p>Programs that it spawns afterwards are in the session but do not lead it, so they never get
   * a controlling terminal by opening one.
   *
   * @throws PosixException {@code EPERM} if this process leads a process group already, as it does
   *     if a shell with job control has started it
   * @see <a href="https://man7.org/linux/man-pages/man2/setsid.2.html">setsid(2)</a>
   */
  public static void setsid() throws PosixException {
    PosixException.check(Processes.setsid(), "setsid", "");
  }

  /**
   * Sets the umask of the whole process and of programs that it starts: files that they create from
   * now on lack these permissions.
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
   * Allows programs that this process starts to have this limit: raises this process's own hard
   * limit to it, if that is lower. This process's soft limit, which the kernel enforces, does not
   * change.
   *
   * @param limit a limit for a program; see {@link Program#limit}
   * @throws PosixException {@code EPERM} if this process may not raise its hard limit
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
   * Makes this process a <em>child subreaper</em>: it becomes the parent of every descendant whose
   * parent ends, instead of init. It gets a {@code SIGCHLD} when they end, and has to wait for
   * them.
   *
   * @throws PosixException if the kernel refuses
   * @see <a href="https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html">
   *     PR_SET_CHILD_SUBREAPER(2const)</a>
   */
  public static void adoptOrphans() throws PosixException {
    PosixException.check(Processes.adoptOrphans(), "prctl", "PR_SET_CHILD_SUBREAPER");
  }

  /**
   * Has this process get a signal when its parent ends. Programs that it starts do not get one; a
   * program that it becomes by an exec does.
   *
   * <p>The kernel forgets this when the calling thread ends, or acts as another user. To it the
   * parent is the thread that has started this process.
   *
   * <p>Race: the parent may have ended before. So ask for {@link #parent()} afterwards.
   *
   * @param signal the signal
   * @throws PosixException if the kernel refuses
   * @see <a href="https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html">
   *     PR_SET_PDEATHSIG(2const)</a>
   */
  public static void signalAtParentsEnd(Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    PosixException.check(
        Processes.signalAtParentsEnd(signal.number()), "prctl", "PR_SET_PDEATHSIG");
  }

  /**
   * Permanently forbids this process, and the programs that it starts or becomes, to insert input
   * into its terminal: the system calls {@code ioctl(TIOCSTI)} and {@code ioctl(TIOCLINUX)} fail
   * with {@code EPERM}. Everything else of the terminal works as before: job control, Ctrl-C, its
   * size.
   *
   * <p>Call it before this process becomes another user. The next reader of a terminal gets the
   * inserted input, and that may be the shell of the user that this process was before: so a
   * program with fewer privileges could run commands with that user's.
   *
   * <p>Nothing is done if nobody else reads the terminal: this process has no controlling terminal,
   * or leads its session. If the filter cannot be installed, that is not an error where the kernel
   * itself allows {@code TIOCSTI} to root only ({@code dev.tty.legacy_tiocsti} is 0).
   *
   * @param noNewPrivileges whether this process also gives up, permanently, to gain privileges by
   *     executing programs; otherwise this method needs {@code CAP_SYS_ADMIN}
   * @throws PosixException {@code EACCES} without that capability, {@code EINVAL} or {@code ENOSYS}
   *     if the kernel has no system call filters, {@code EPERM} if another filter forbids this,
   *     {@code ESRCH} if a thread has a filter of its own
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

  /** Whether other processes may read from this process's controlling terminal after it. */
  private static boolean sharesTerminal() throws IOException {
    // Not the session in /proc, which may have the ids of another PID namespace.
    return ProcStat.own().terminal() != 0 && Processes.getsid(0) != id();
  }

  /** Whether the kernel allows {@code TIOCSTI} only to processes with {@code CAP_SYS_ADMIN}. */
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
