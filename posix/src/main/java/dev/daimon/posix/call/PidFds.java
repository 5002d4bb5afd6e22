package dev.daimon.posix.call;

import dev.daimon.posix.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Calls on pidfds: {@code sys/pidfd.h}. They are bare system calls, since the C library has
 * functions for them only from 2.36 on.
 */
public final class PidFds {
  /** Number of the system call {@code pidfd_send_signal}. */
  static final int SYS_pidfd_send_signal = 424;

  /** Number of the system call {@code pidfd_open}. */
  static final int SYS_pidfd_open = 434;

  /** Number of the system call {@code pidfd_getfd}. */
  static final int SYS_pidfd_getfd = 438;

  /** {@code ioctl} on a pidfd: return information on the process. */
  static final int PIDFD_GET_INFO = 0xc040ff0b;

  /** {@link #PIDFD_GET_INFO}: the user and group ids. */
  static final int PIDFD_INFO_CREDS = 2;

  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  // int ioctl(int fd, unsigned long op, ...);
  private static final long IOCTL = Libc.optionalAddress("ioctl");

  private PidFds() {}

  /** Opens a descriptor of the process that has this id now; it is marked close-on-exec. */
  public static int open(int pid) {
    return Libc.call(SYSCALL, SYS_pidfd_open, pid, 0);
  }

  /** Sends a signal; 0 only checks whether the caller may send one. */
  public static int sendSignal(int pidfd, int signal) {
    return Libc.call(SYSCALL, SYS_pidfd_send_signal, pidfd, signal, 0, 0, 0);
  }

  /**
   * Makes a descriptor of an open file that the process has under a number; it is marked
   * close-on-exec. Needs Linux 5.6.
   */
  public static int getfd(int pidfd, int number) {
    return Libc.call(SYSCALL, SYS_pidfd_getfd, pidfd, number, 0, 0, 0);
  }

  /**
   * Stores the real, effective and saved user id of the process, and its real group id. Needs Linux
   * 6.13; tests can switch {@code ioctl} off.
   */
  public static int credentials(int pidfd, int[] ids) {
    if (IOCTL == 0) {
      return -Errno.ENOSYS.number();
    }
    try (Arena arena = CallMemory.open()) {
      MemorySegment info = arena.allocate(Layouts.pidfd_info.SIZE, Long.BYTES);
      ByteBuffer view = Native.view(info);
      view.putLong(Layouts.pidfd_info.mask, PIDFD_INFO_CREDS);
      int result = Libc.call(IOCTL, pidfd, PIDFD_GET_INFO & 0xffffffffL, info.address());
      ids[0] = view.getInt(Layouts.pidfd_info.ruid);
      ids[1] = view.getInt(Layouts.pidfd_info.euid);
      ids[2] = view.getInt(Layouts.pidfd_info.suid);
      ids[3] = view.getInt(Layouts.pidfd_info.rgid);
      return result;
    }
  }
}
