package dev.daimon.forking;

import dev.daimon.posix.Signal;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a process ended: it exited with an exit code, or a signal ended it.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/waitpid.2.html">waitpid(2)</a>
 */
public final class ExitStatus {
  private final int waitStatus;

  ExitStatus(int waitStatus) {
    this.waitStatus = waitStatus;
  }

  /** {@return the exit code, from 0 to 255; empty if a signal ended the process} */
  public OptionalInt exitCode() {
    return endedBySignal() ? OptionalInt.empty() : OptionalInt.of(waitStatus >> 8 & 0xff);
  }

  /** {@return the signal that ended the process; empty if it exited} */
  public Optional<Signal> signal() {
    return endedBySignal() ? Optional.of(Signal.of(waitStatus & 0x7f)) : Optional.empty();
  }

  /** {@return the status as shells report it: the exit code, or 128 plus the signal's number} */
  public int shellStatus() {
    return endedBySignal() ? 128 + (waitStatus & 0x7f) : waitStatus >> 8 & 0xff;
  }

  private boolean endedBySignal() {
    return (waitStatus & 0x7f) != 0;
  }

  @Override
  public String toString() {
    return endedBySignal() ? "signal " + (waitStatus & 0x7f) : "exit code " + shellStatus();
  }
}
