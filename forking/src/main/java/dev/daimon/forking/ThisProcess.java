package dev.daimon.forking;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import java.io.FileInputStream;
import java.io.IOException;
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

  static void checkUmask(int mask) {
    if (mask < 0 || mask > MAX_UMASK) {
      throw new IllegalArgumentException("not a umask: 0" + Integer.toOctalString(mask));
    }
  }
}
