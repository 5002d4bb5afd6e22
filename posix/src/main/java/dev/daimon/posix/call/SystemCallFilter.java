package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Filters that forbid system calls to a thread and to all processes and threads that it starts:
 * {@code linux/seccomp.h}, {@code linux/filter.h}, {@code linux/audit.h}.
 */
public final class SystemCallFilter {
  /** {@code seccomp}: install the filter on every thread, not only on the calling one. */
  public static final int SECCOMP_FILTER_FLAG_TSYNC = 1;

  /**
   * {@code seccomp}: do not restrict the processor's speculation, which a filter does by itself
   * before Linux 5.16.
   */
  static final int SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;

  static final int SECCOMP_SET_MODE_FILTER = 1;
  static final int SECCOMP_RET_ALLOW = 0x7fff0000;
  static final int SECCOMP_RET_ERRNO = 0x00050000;
  static final int EPERM = 1;

  static final int BPF_LD = 0x00;
  static final int BPF_ALU = 0x04;
  static final int BPF_JMP = 0x05;
  static final int BPF_RET = 0x06;
  static final int BPF_ABS = 0x20;
  static final int BPF_AND = 0x50;
  static final int BPF_JEQ = 0x10;

  static final long AUDIT_ARCH_X86_64 = 0xC000003EL;
  static final long AUDIT_ARCH_I386 = 0x40000003L;
  static final long AUDIT_ARCH_AARCH64 = 0xC00000B7L;
  static final long AUDIT_ARCH_ARM = 0x40000028L;

  /** {@code ioctl}: inserts a byte into the input of a terminal. */
  static final int TIOCSTI = 0x5412;

  /** {@code ioctl}: selects text on a Linux console and pastes it, among other things. */
  static final int TIOCLINUX = 0x541C;

  static final int SYS_ioctl = Abi.either(16, 29);
  static final int SYS_seccomp = Abi.either(317, 277);

  /** Offset of the system call's number in {@code struct seccomp_data}. */
  static final int NUMBER = 0;

  /** Offset of the architecture. */
  static final int ARCHITECTURE = 4;

  /** Offset of the lower half of the second argument, which is all that the kernel reads of it. */
  static final int COMMAND = 24;

  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  private SystemCallFilter() {}

  /**
   * Makes {@code ioctl(TIOCSTI)} and {@code ioctl(TIOCLINUX)} fail with {@code EPERM} in every
   * thread of this process, and in all processes and threads that they start, permanently. Needs
   * {@code CAP_SYS_ADMIN} or {@code no_new_privs}; otherwise it fails with {@code EACCES}. Returns
   * 0; or the id of a thread that has a filter of its own, and then no filter is installed.
   */
  public static int refuseTerminalInput() {
    int compare = 9;
    int allow = 12;
    int refuse = 13;
    int[][] program = {
      {BPF_LD | BPF_ABS, 0, 0, ARCHITECTURE},
      {BPF_JMP | BPF_JEQ, 2, 6, (int) either(AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64)},
      {BPF_LD | BPF_ABS, 0, 0, NUMBER},
      // System calls of the x32 ABI, on x86-64 too, have this bit in their numbers.
      {BPF_ALU | BPF_AND, 0, 0, ~0x40000000},
      {BPF_JMP | BPF_JEQ, compare, 5, SYS_ioctl},
      {BPF_JMP | BPF_JEQ, compare, allow, Abi.either(/* x32's own ioctl */ 514, SYS_ioctl)},
      // All system calls of other architectures than this and its 32-bit one are refused.
      {BPF_JMP | BPF_JEQ, 7, refuse, (int) either(AUDIT_ARCH_I386, AUDIT_ARCH_ARM)},
      {BPF_LD | BPF_ABS, 0, 0, NUMBER},
      {BPF_JMP | BPF_JEQ, compare, allow, /* of both, ioctl */ 54},
      {BPF_LD | BPF_ABS, 0, 0, COMMAND},
      {BPF_JMP | BPF_JEQ, refuse, 11, TIOCSTI},
      {BPF_JMP | BPF_JEQ, refuse, allow, TIOCLINUX},
      {BPF_RET, 0, 0, SECCOMP_RET_ALLOW},
      {BPF_RET, 0, 0, SECCOMP_RET_ERRNO | EPERM},
    };
    for (int i = 0; i < program.length; i++) {
      // The table has indices of instructions; the kernel counts from the next instruction.
      for (int jump = 1; jump <= 2; jump++) {
        program[i][jump] = program[i][jump] == 0 ? 0 : program[i][jump] - i - 1;
      }
    }
    return install(SECCOMP_FILTER_FLAG_TSYNC, program);
  }

  /**
   * Installs a filter that allows everything on the calling thread. With {@link
   * #SECCOMP_FILTER_FLAG_TSYNC} every thread gets it, and with it the calling thread's {@code
   * no_new_privs}. If a thread has other filters, returns its id, and no filter is installed.
   */
  public static int allowEverything(int flags) {
    return install(flags, new int[][] {{BPF_RET, 0, 0, SECCOMP_RET_ALLOW}});
  }

  /** Each instruction has a code, two jumps (condition true, false) and a constant. */
  private static int install(int flags, int[][] program) {
    try (Arena arena = CallMemory.open()) {
      int size = Layouts.sock_filter.SIZE;
      MemorySegment filter = arena.allocate((long) program.length * size, Long.BYTES);
      for (int i = 0; i < program.length; i++) {
        ByteBuffer instruction = Native.view(filter.asSlice((long) i * size, size));
        instruction.putShort(Layouts.sock_filter.code, (short) program[i][0]);
        instruction.put(Layouts.sock_filter.jt, (byte) program[i][1]);
        instruction.put(Layouts.sock_filter.jf, (byte) program[i][2]);
        instruction.putInt(Layouts.sock_filter.k, program[i][3]);
      }
      MemorySegment header = arena.allocate(Layouts.sock_fprog.SIZE, Long.BYTES);
      Native.view(header).putShort(Layouts.sock_fprog.len, (short) program.length);
      Native.view(header).putLong(Layouts.sock_fprog.filter, filter.address());
      int all = flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
      return Libc.call(SYSCALL, SYS_seccomp, SECCOMP_SET_MODE_FILTER, all, header.address(), 0, 0);
    }
  }

  private static long either(long x86_64, long aarch64) {
    return Abi.either(0, 1) == 0 ? x86_64 : aarch64;
  }
}
