package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Calls on the capabilities of the calling thread: {@code linux/capability.h}, {@code sys/prctl.h}.
 * Every thread has its own.
 */
public final class Capabilities {
  /** {@code capset}: sets of 64 bits. */
  static final int _LINUX_CAPABILITY_VERSION_3 = 0x20080522;

  /** Number of the system call {@code capset}. */
  static final int SYS_capset = Abi.either(126, 91);

  static final int PR_SET_KEEPCAPS = 8;
  static final int PR_CAPBSET_READ = 23;
  static final int PR_CAPBSET_DROP = 24;
  static final int PR_SET_NO_NEW_PRIVS = 38;
  static final int PR_CAP_AMBIENT = 47;
  static final int PR_CAP_AMBIENT_RAISE = 2;

  // int prctl(int option, ...);
  private static final long PRCTL = Libc.address("prctl");
  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  private Capabilities() {}

  /** Sets the effective and permitted set, and the inheritable one, a bit for each capability. */
  public static int capset(long permitted, long inheritable) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(SYSCALL, SYS_capset, header(arena), sets(arena, permitted, inheritable));
    }
  }

  /** Keeps these capabilities and no others, here and in a program that is executed. */
  static int keep(long kept) {
    int result = capset(kept, kept);
    for (int capability = 0; capability < Long.SIZE && result >= 0; capability++) {
      if ((kept >> capability & 1) != 0) {
        result = raiseAmbient(capability);
      }
    }
    return result;
  }

  private static long header(Arena arena) {
    MemorySegment header = arena.allocate(Layouts.__user_cap_header_struct.SIZE, Long.BYTES);
    Native.view(header)
        .putInt(Layouts.__user_cap_header_struct.version, _LINUX_CAPABILITY_VERSION_3);
    return header.address();
  }

  private static long sets(Arena arena, long permitted, long inheritable) {
    int size = Layouts.__user_cap_data_struct.SIZE;
    MemorySegment data = arena.allocate(2L * size, Long.BYTES);
    for (int i = 0; i < 2; i++) {
      ByteBuffer half = Native.view(data.asSlice((long) i * size, size));
      int bits = (int) (permitted >>> (Integer.SIZE * i));
      half.putInt(Layouts.__user_cap_data_struct.effective, bits);
      half.putInt(Layouts.__user_cap_data_struct.permitted, bits);
      half.putInt(
          Layouts.__user_cap_data_struct.inheritable, (int) (inheritable >>> (Integer.SIZE * i)));
    }
    return data.address();
  }

  /** Adds calls that do what {@link #keep} does to the beginning of a chain. */
  static void prependKeeping(CallChain calls, Arena arena, long kept) {
    // A chain is built from its last call to its first. Only inheritable ones can be ambient.
    for (int capability = 0; capability < Long.SIZE; capability++) {
      if ((kept >> capability & 1) != 0) {
        calls.prepend(PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0, 0);
      }
    }
    calls.prepend(SYSCALL, SYS_capset, header(arena), sets(arena, kept, kept), 0, 0, 0);
  }

  /** Sets whether permitted capabilities are kept when root changes to another user. */
  public static int keepCapabilities(boolean keep) {
    return Libc.call(PRCTL, PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0, 0);
  }

  /** Returns 1 if a capability is in the bounding set, else 0; {@code -EINVAL} if it is unknown. */
  public static int isBounding(int capability) {
    return Libc.call(PRCTL, PR_CAPBSET_READ, capability, 0, 0, 0, 0);
  }

  /** Removes a capability from the bounding set, permanently. */
  public static int dropBounding(int capability) {
    return Libc.call(PRCTL, PR_CAPBSET_DROP, capability, 0, 0, 0, 0);
  }

  /** Adds a permitted and inheritable capability to the ambient set, for executed programs. */
  public static int raiseAmbient(int capability) {
    return Libc.call(PRCTL, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0, 0);
  }

  /** Makes the kernel ignore set-id bits and file capabilities for this thread, permanently. */
  public static int setNoNewPrivileges() {
    return Libc.call(PRCTL, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
  }
}
