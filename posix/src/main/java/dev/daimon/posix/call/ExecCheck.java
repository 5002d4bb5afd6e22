package dev.daimon.posix.call;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.LockSupport;

/**
 * Whether a child has executed a program, or was killed before. {@code posix_spawn} returns as soon
 * as the child has let go of this JVM's memory, which it does in both cases.
 *
 * <p>The kernel clears a flag of the process in the midst of the exec, a moment later; {@code
 * setpgid} and {@code /proc/PID/stat} tell of it, of a zombie too. So a child that has ended with
 * the flag set has executed nothing.
 */
final class ExecCheck {
  /**
   * In the flags of a process: it was forked, and has not executed anything ({@code
   * linux/sched.h}).
   */
  private static final long PF_FORKNOEXEC = 0x40;

  /** Times to look again at once: the kernel is some microseconds away from the answer. */
  private static final long BUSY_LOOKS = 50;

  private static final long PAUSE_NANOS = 50_000;

  private enum Answer {
    EXECUTED,
    NOT_YET,
    UNKNOWN
  }

  private ExecCheck() {}

  /**
   * Waits until a child, just started by a {@code vfork} and not yet waited for, has executed a
   * program or has ended, and returns whether it is certain that it never will. Not certain is it
   * of a child that somebody else has reaped.
   */
  static boolean neverHappened(int child) {
    for (int look = 0; ; look++) {
      Answer answer = ask(child);
      if (answer == Answer.NOT_YET && hasEnded(child)) {
        // It may have executed something after it was asked for.
        return ask(child) == Answer.NOT_YET;
      }
      if (answer != Answer.NOT_YET) {
        return false;
      }
      if (look < BUSY_LOOKS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  /** By a system call for a child in this JVM's group, and a hundred times slower for others. */
  private static Answer ask(int child) {
    int group = Processes.getpgrp();
    // 0 stands for one that this PID namespace does not know, and would change the child's.
    int result = group == 0 ? -Errno.EPERM.number() : Processes.setpgid(child, group);
    if (result == 0) {
      return Answer.NOT_YET;
    }
    if (result == -Errno.EACCES.number()) {
      return Answer.EXECUTED;
    }
    return result == -Errno.ESRCH.number() ? Answer.UNKNOWN : read(child);
  }

  private static Answer read(int child) {
    try {
      return (ProcessStat.of(child).flags() & PF_FORKNOEXEC) == 0
          ? Answer.EXECUTED
          : Answer.NOT_YET;
    } catch (PosixException hidden) {
      return Answer.UNKNOWN;
    }
  }

  private static boolean hasEnded(int child) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment info = arena.allocate(Layouts.siginfo_t.SIZE, Long.BYTES);
      int result = Processes.peek(child, info.address());
      // Gone: somebody else has reaped it.
      return result < 0 || Native.view(info).getInt(Layouts.siginfo_t.si_pid) != 0;
    }
  }
}
