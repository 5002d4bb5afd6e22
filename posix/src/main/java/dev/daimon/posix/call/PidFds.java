package dev.daimon.posix.call;

/**
 * Calls on pidfds: {@code sys/pidfd.h}. By the bare system calls, since the C library has functions
 * for them only from 2.36 on.
 */
public final class PidFds {
  /** Number of the system call {@code pidfd_send_signal}. */
  static final int SYS_pidfd_send_signal = 424;

  /** Number of the system call {@code pidfd_open}. */
  static final int SYS_pidfd_open = 434;

  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  private PidFds() {}

  /** Opens a descriptor of the process that has this id now; it is marked close-on-exec. */
  public static int open(int pid) {
    return Libc.call(SYSCALL, SYS_pidfd_open, pid, 0);
  }

  /** Sends a signal; 0 only asks whether it could be sent. */
  public static int sendSignal(int pidfd, int signal) {
    return Libc.call(SYSCALL, SYS_pidfd_send_signal, pidfd, signal, 0, 0, 0);
  }
}
