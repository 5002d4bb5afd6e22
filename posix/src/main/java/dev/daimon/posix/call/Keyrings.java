package dev.daimon.posix.call;

/** The kernel's keyrings: {@code linux/keyctl.h}. Each thread has its own. */
public final class Keyrings {
  static final int KEYCTL_JOIN_SESSION_KEYRING = 1;

  /** Number of the system call {@code keyctl}. */
  static final int SYS_keyctl = Abi.either(250, 219);

  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  private Keyrings() {}

  /**
   * Gives the calling thread, and what it starts, a new and empty session keyring. It is charged to
   * the thread's user; {@code EDQUOT} if that one has too many keys, {@code ENOSYS} where the
   * kernel has none, {@code EPERM} where a container forbids it.
   */
  public static int joinNewSession() {
    return Math.min(0, Libc.call(SYSCALL, SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0));
  }
}
