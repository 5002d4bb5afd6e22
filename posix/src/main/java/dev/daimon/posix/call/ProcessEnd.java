package dev.daimon.posix.call;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * How a child ended, and the resources that it and the children that it waited for have used: the
 * out-parameters of {@link Processes#waitid}.
 */
public final class ProcessEnd {
  /** {@link #code}: it exited; {@link #status} is its exit code. */
  public static final int CLD_EXITED = 1;

  /** {@link #code}: the signal {@link #status} ended it. */
  public static final int CLD_KILLED = 2;

  /** {@link #code}: the signal {@link #status} ended it, with a core dump. */
  public static final int CLD_DUMPED = 3;

  private int pid;
  private int code;
  private int status;
  private long userTime;
  private long systemTime;
  private long peakMemory;
  private long minorFaults;
  private long majorFaults;
  private long voluntarySwitches;
  private long involuntarySwitches;

  /** Nothing yet: a call fills it. */
  public ProcessEnd() {}

  void read(MemorySegment info, MemorySegment usage) {
    ByteBuffer siginfo = Native.view(info);
    pid = siginfo.getInt(Layouts.siginfo_t.si_pid);
    code = siginfo.getInt(Layouts.siginfo_t.si_code);
    status = siginfo.getInt(Layouts.siginfo_t.si_status);
    ByteBuffer rusage = Native.view(usage);
    userTime =
        rusage.getLong(Layouts.rusage.user_seconds) * 1_000_000
            + rusage.getLong(Layouts.rusage.user_microseconds);
    systemTime =
        rusage.getLong(Layouts.rusage.system_seconds) * 1_000_000
            + rusage.getLong(Layouts.rusage.system_microseconds);
    peakMemory = rusage.getLong(Layouts.rusage.ru_maxrss);
    minorFaults = rusage.getLong(Layouts.rusage.ru_minflt);
    majorFaults = rusage.getLong(Layouts.rusage.ru_majflt);
    voluntarySwitches = rusage.getLong(Layouts.rusage.ru_nvcsw);
    involuntarySwitches = rusage.getLong(Layouts.rusage.ru_nivcsw);
  }

  /** The child's process id; 0 if none has ended. */
  public int pid() {
    return pid;
  }

  /** How it ended, {@code CLD_…}. */
  public int code() {
    return code;
  }

  /** The exit code, or the number of the signal. */
  public int status() {
    return status;
  }

  /** Processor time in the program, in microseconds. */
  public long userTime() {
    return userTime;
  }

  /** Processor time in the kernel, in microseconds. */
  public long systemTime() {
    return systemTime;
  }

  /** The most memory that one of the processes had resident, in KiB. */
  public long peakMemory() {
    return peakMemory;
  }

  /** Page faults without a read. */
  public long minorFaults() {
    return minorFaults;
  }

  /** Page faults that read from a disk. */
  public long majorFaults() {
    return majorFaults;
  }

  /** How often it gave the processor up by itself, by waiting. */
  public long voluntarySwitches() {
    return voluntarySwitches;
  }

  /** How often the processor was taken from it. */
  public long involuntarySwitches() {
    return involuntarySwitches;
  }
}
