package dev.daimon.pidfd;

import dev.daimon.posix.call.ProcessEnd;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Objects;

/**
 * What a child has used in its life, together with those of its own children that it waited for.
 *
 * @param userTime processor time in the program, in microseconds
 * @param systemTime processor time in the kernel, in microseconds
 * @param peakMemory the most memory that it, or one of those children, had resident at a time, in
 *     bytes. A spawned process begins with the memory of its parent, before it executes its
 *     program: then the least that is told here is what the parent had
 * @param minorFaults page faults that needed no read
 * @param majorFaults page faults that had to read from a disk
 * @param voluntarySwitches how often it gave the processor up, since it had to wait
 * @param involuntarySwitches how often the processor was taken from it
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

  /** Takes no null. */
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
