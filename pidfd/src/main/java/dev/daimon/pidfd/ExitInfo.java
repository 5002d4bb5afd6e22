package dev.daimon.pidfd;

import dev.daimon.posix.Signal;
import dev.daimon.posix.call.ProcessEnd;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a child ended, and which resources it has used.
 *
 * @param exitCode the exit code, from 0 to 255; empty if a signal killed the child
 * @param signal the signal that killed the child; empty if it exited by itself
 * @param coreDumped whether the kernel has written a core dump
 * @param usage the resources that it has used
 * @see <a href="https://man7.org/linux/man-pages/man2/waitid.2.html">waitid(2)</a>
 */
public record ExitInfo(
    OptionalInt exitCode, Optional<Signal> signal, boolean coreDumped, ResourceUsage usage) {

  /** Requires every object. */
  public ExitInfo {
    Objects.requireNonNull(exitCode, "exitCode");
    Objects.requireNonNull(signal, "signal");
    Objects.requireNonNull(usage, "usage");
  }

  static ExitInfo of(ProcessEnd end) {
    boolean exited = end.code() == ProcessEnd.CLD_EXITED;
    return new ExitInfo(
        exited ? OptionalInt.of(end.status()) : OptionalInt.empty(),
        exited ? Optional.empty() : Optional.of(Signal.of(end.status())),
        end.code() == ProcessEnd.CLD_DUMPED,
        ResourceUsage.of(end));
  }
}
