package dev.daimon.posix;

import dev.daimon.posix.call.ErrorText;

/**
 * A signal by its number, such as {@code SIGTERM}.
 *
 * <p>An open value type, not an enum: real-time signals have no names of their own, and {@link
 * #of(int)} takes every number the kernel knows.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/signal.7.html">signal(7)</a>
 */
public final class Signal {
  /** The highest signal number of Linux. */
  public static final int MAX_NUMBER = 64;

  /** Hangup. */
  public static final Signal HUP = new Signal(1);

  /** Interrupt from the keyboard. */
  public static final Signal INT = new Signal(2);

  /** Quit from the keyboard. */
  public static final Signal QUIT = new Signal(3);

  /** Kill; can be neither caught, blocked nor ignored. */
  public static final Signal KILL = new Signal(9);

  /** User-defined signal 1. */
  public static final Signal USR1 = new Signal(10);

  /** User-defined signal 2. */
  public static final Signal USR2 = new Signal(12);

  /** Write to a pipe that nobody reads. */
  public static final Signal PIPE = new Signal(13);

  /** Termination. */
  public static final Signal TERM = new Signal(15);

  /** A child stopped or ended. */
  public static final Signal CHLD = new Signal(17);

  /** Continue if stopped. */
  public static final Signal CONT = new Signal(18);

  /** Stop; can be neither caught, blocked nor ignored. */
  public static final Signal STOP = new Signal(19);

  private final int number;

  private Signal(int number) {
    this.number = number;
  }

  /**
   * The signal of this number.
   *
   * @param number from 1 to {@value #MAX_NUMBER}
   * @return that signal
   * @throws IllegalArgumentException if the number is outside that range
   */
  public static Signal of(int number) {
    if (number < 1 || number > MAX_NUMBER) {
      throw new IllegalArgumentException("not a signal number: " + number);
    }
    return new Signal(number);
  }

  /** {@return the number, from 1 to {@value #MAX_NUMBER}} */
  public int number() {
    return number;
  }

  /** {@return the name, such as {@code "SIGTERM"}, or {@code "SIG40"} where it has none} */
  public String name() {
    return ErrorText.signalName(number);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Signal signal && signal.number == number;
  }

  @Override
  public int hashCode() {
    return number;
  }

  /** {@return the {@linkplain #name() name}} */
  @Override
  public String toString() {
    return name();
  }
}
