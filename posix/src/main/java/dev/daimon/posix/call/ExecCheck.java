package dev.daimon.posix.call;

import dev.daimon.posix.Errno;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Finds out whether a child has executed a program, or was killed before. {@code posix_spawn}
 * returns as soon as the child has released this JVM's memory, which happens in both cases.
 *
 * <p>A moment later, still in the {@code execve}, the kernel clears a flag of the process. {@code
 * setpgid} and {@code /proc/PID/stat} depend on it, for a zombie too. So a child that has ended
 * with the flag set has executed nothing.
 */
final class ExecCheck {
  /**
   * In the flags of a process: it was forked, and has not executed anything ({@code
   * linux/sched.h}).
   */
  private static final long PF_FORKNOEXEC = 0x40;

  /** How often to ask again without a pause: the kernel needs some microseconds. */
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
   * program or has ended. Returns true if it has certainly executed none; false also if other code
   * has reaped the child, so that it is unknown.
   */
  static boolean neverHappened(int child) {
    for (int look = 0; ; look++) {
      Answer answer = ask(child);
      if (answer == Answer.NOT_YET && hasEnded(child)) {
        // It may have executed a program between the two questions.
        return ask(child) == Answer.NOT_YET;
      }
      if (answer != Answer.NOT_YET) {
        return false;
      }
      if (look < BUSY_LOOKS) {
        Thread.onSpinWait();
      } else {
        Pause.nanos(PAUSE_NANOS);
      }
    }
  }

  /**
   * Asks by {@code setpgid}; for a child in another group by /proc, which takes 100 times longer.
   */
  private static Answer ask(int child) {
    int group = Processes.getpgrp();
    // 0 is a group outside this PID namespace; as an argument it would change the child's group.
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
      // The thread may have a root directory of its own.
      String process = ProcDirectory.now().concat("/").concat(Integer.toString(child));
      return (ProcStat.in(process).flags() & PF_FORKNOEXEC) == 0 ? Answer.EXECUTED : Answer.NOT_YET;
    } catch (PosixException hidden) {
      return Answer.UNKNOWN;
    }
  }

  private static boolean hasEnded(int child) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment info = arena.allocate(Layouts.siginfo_t.SIZE, Long.BYTES);
      int result = Processes.peek(child, info.address());
      // An error: other code has reaped it.
      return result < 0 || Native.view(info).getInt(Layouts.siginfo_t.si_pid) != 0;
    }
  }
}
