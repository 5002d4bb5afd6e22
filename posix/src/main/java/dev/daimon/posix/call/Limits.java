package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Resource limits and priorities: {@code sys/resource.h}. */
public final class Limits {
  /** No limit: the largest unsigned number. */
  public static final long RLIM_INFINITY = -1;

  /** {@code setpriority}: the id is a thread's. */
  static final int PRIO_PROCESS = 0;

  /** Number of the system call {@code getpriority}. */
  static final int SYS_getpriority = Abi.either(140, 141);

  /** The system call returns this minus the niceness, since a negative result would be an error. */
  static final int PRIO_MAX = 20;

  // int prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *new_limit,
  //             struct rlimit *old_limit);
  private static final long PRLIMIT = Libc.address("prlimit");
  // int setpriority(enum __priority_which which, id_t who, int value);
  private static final long SETPRIORITY = Libc.address("setpriority");
  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  private Limits() {}

  /** Reads the soft and hard limit of a process into an array of two; pid 0 is this process. */
  public static int getrlimit(int pid, int resource, long[] limit) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(Layouts.rlimit.SIZE, Long.BYTES);
      int result = Libc.call(PRLIMIT, pid, resource, 0, memory.address(), 0, 0);
      ByteBuffer fields = Native.view(memory);
      limit[0] = fields.getLong(Layouts.rlimit.rlim_cur);
      limit[1] = fields.getLong(Layouts.rlimit.rlim_max);
      return result;
    }
  }

  /** Sets a limit of this process. */
  public static int setrlimit(int resource, long soft, long hard) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(PRLIMIT, 0, resource, memory(arena, soft, hard), 0, 0, 0);
    }
  }

  /** Adds a call that sets a limit to the beginning of a chain. */
  static void prepend(CallChain calls, Arena arena, int resource, long soft, long hard) {
    calls.prepend(PRLIMIT, 0, resource, memory(arena, soft, hard), 0, 0, 0);
  }

  private static long memory(Arena arena, long soft, long hard) {
    MemorySegment memory = arena.allocate(Layouts.rlimit.SIZE, Long.BYTES);
    ByteBuffer fields = Native.view(memory);
    fields.putLong(Layouts.rlimit.rlim_cur, soft);
    fields.putLong(Layouts.rlimit.rlim_max, hard);
    return memory.address();
  }

  /** Reads the niceness of a thread into {@code niceness[0]}; id 0 is the calling thread. */
  public static int getpriority(int thread, int[] niceness) {
    int result = Libc.call(SYSCALL, SYS_getpriority, PRIO_PROCESS, thread);
    niceness[0] = PRIO_MAX - result;
    return Math.min(result, 0);
  }

  /** Sets the niceness of a thread; id 0 is the calling thread. */
  public static int setpriority(int thread, int niceness) {
    return Libc.call(SETPRIORITY, PRIO_PROCESS, thread, niceness);
  }
}
