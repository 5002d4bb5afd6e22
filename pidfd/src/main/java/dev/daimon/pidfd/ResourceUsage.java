package dev.daimon.pidfd;

import dev.daimon.posix.call.ProcessEnd;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Objects;

/**
 * The resources that a child has used in its life, including those of its own children that it has
 * waited for.
 *
 * @param userTime processor time in the program, in microseconds
 * @param systemTime processor time in the kernel, in microseconds
 * @param peakMemory the largest resident memory of the child, or of one of those children, in
 *     bytes. A spawned process has the memory of its parent until it executes its program, so this
 *     is at least the memory that the parent had
 * @param minorFaults page faults without a read from a disk
 * @param majorFaults page faults with a read from a disk
 * @param voluntarySwitches how often the child released the processor, because it had to wait
 * @param involuntarySwitches how often the kernel took the processor from the child
 * @see <a href="https://man7.org/linux/man-pages/man2/getrusage.2.html">getrusage(2)</a>
 */
public record ResourceUsage(
    Duration userTime,
    Duration systemTime,
    long peakMemory,
    long minorFaults,
    long majorFaults,
    long voluntarySwitches,
    long involuntarySwitches) {

  /** Requires every object. */
  public ResourceUsage {
    Objects.requireNonNull(userTime, "userTime");
    Objects.requireNonNull(systemTime, "systemTime");
  }

  static ResourceUsage of(ProcessEnd end) {
    return new ResourceUsage(
        Duration.of(end.userTime(), ChronoUnit.MICROS),
        Duration.of(end.systemTime(), ChronoUnit.MICROS),
        end.peakMemory() * 1024,
        end.minorFaults(),
        end.majorFaults(),
        end.voluntarySwitches(),
        end.involuntarySwitches());
  }
}
