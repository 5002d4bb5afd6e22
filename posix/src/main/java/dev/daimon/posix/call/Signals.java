package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Calls on signals: {@code signal.h}. */
public final class Signals {
  /** The default disposition, as a handler. */
  public static final long SIG_DFL = 0;

  /** The ignoring disposition, as a handler. */
  public static final long SIG_IGN = 1;

  /** Add to the mask. */
  public static final int SIG_BLOCK = 0;

  /** Take from the mask. */
  public static final int SIG_UNBLOCK = 1;

  /** Replace the mask. */
  public static final int SIG_SETMASK = 2;

  static final int SIGILL = 4;
  static final int SIGTRAP = 5;
  static final int SIGBUS = 7;
  static final int SIGFPE = 8;
  static final int SIGKILL = 9;
  static final int SIGSEGV = 11;
  static final int SIGCHLD = 17;

  /** Number of the system call {@code rt_sigaction}. */
  static final int SYS_rt_sigaction = Abi.either(13, 134);

  /** Size of the kernel's signal set, in bytes. */
  static final int KERNEL_SIGSET_SIZE = 8;

  // int kill(pid_t pid, int sig);
  private static final long KILL = Libc.address("kill");
  // int pthread_sigmask(int how, const sigset_t *set, sigset_t *oldset);
  private static final long PTHREAD_SIGMASK = Libc.address("pthread_sigmask");
  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  private Signals() {}

  /** A signal's complete disposition, with flags and mask, as the kernel stores it. */
  public static final class SignalAction {
    private final byte[] bytes = new byte[Layouts.kernel_sigaction.SIZE];
  }

  /** Sends a signal. */
  public static int kill(int pid, int signal) {
    return Libc.call(KILL, pid, signal);
  }

  /**
   * Changes the calling thread's mask, where bit {@code n - 1} stands for signal {@code n}, and
   * stores the old one in {@code old[0]}.
   */
  public static int sigmask(int how, long mask, long[] old) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment set = arena.allocate(Layouts.sigset_t.SIZE, Long.BYTES);
      Native.view(set).putLong(0, mask);
      MemorySegment oldSet = arena.allocate(Layouts.sigset_t.SIZE, Long.BYTES);
      // Made before the call: without the old mask nobody could set it back.
      ByteBuffer oldView = Native.view(oldSet);
      // Returns the error number itself.
      int result = -(int) Libc.raw(PTHREAD_SIGMASK, how, set.address(), oldSet.address(), 0, 0, 0);
      old[0] = oldView.getLong(0);
      return result;
    }
  }

  /**
   * Reads the handler of a signal into {@code handler[0]}: {@link #SIG_DFL}, {@link #SIG_IGN} or an
   * address. This is the bare system call, since the C library hides 32 and 33.
   */
  public static int getHandler(int signal, long[] handler) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment action = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES);
      int result = sigaction(signal, 0, action.address());
      handler[0] = Native.view(action).getLong(Layouts.kernel_sigaction.sa_handler);
      return result;
    }
  }

  /** Sets a signal's disposition to {@link #SIG_DFL} or {@link #SIG_IGN}, for all threads. */
  public static int setHandler(int signal, long handler) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment action = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES);
      Native.view(action).putLong(Layouts.kernel_sigaction.sa_handler, handler);
      return sigaction(signal, action.address(), 0);
    }
  }

  /** Reads a signal's complete disposition. */
  public static int getAction(int signal, SignalAction action) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES);
      int result = sigaction(signal, 0, memory.address());
      Native.view(memory).get(action.bytes);
      return result;
    }
  }

  /** Restores a disposition that was read before, in this process. */
  public static int setAction(int signal, SignalAction action) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES);
      Native.view(memory).put(action.bytes);
      return sigaction(signal, memory.address(), 0);
    }
  }

  private static int sigaction(int signal, long action, long old) {
    return Libc.call(SYSCALL, SYS_rt_sigaction, signal, action, old, KERNEL_SIGSET_SIZE, 0);
  }
}
