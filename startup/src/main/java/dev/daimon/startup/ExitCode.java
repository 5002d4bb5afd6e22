package dev.daimon.startup;

import dev.daimon.posix.Signal;
import java.util.Objects;

/**
 * The exit codes that stand for no failure of a start: {@link StartException.Reason} has those.
 *
 * <p>{@link #DEAD} and {@link #NOT_RUNNING} are the codes that the Linux Standard Base gives to the
 * action {@code status} of an init script.
 */
public final class ExitCode {
  /** The daemon has died, and its pidfile is still there: 1. */
  public static final int DEAD = 1;

  /** The daemon does not run: 3. */
  public static final int NOT_RUNNING = 3;

  /** What a shell adds to the number of a signal. */
  private static final int SIGNALLED = 128;

  private ExitCode() {}

  /**
   * Returns the exit code with which a shell reports a process that a signal has ended.
   *
   * @param signal the signal
   * @return 128 plus the signal's number
   */
  public static int of(Signal signal) {
    Objects.requireNonNull(signal, "signal");
    return SIGNALLED + signal.number();
  }
}
