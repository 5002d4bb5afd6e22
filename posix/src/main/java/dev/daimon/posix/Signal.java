package dev.daimon.posix;

import java.util.Objects;

/**
 * A signal by its number, such as {@code SIGTERM}.
 *
 * <p>This is a value type and not an enum: {@link #of(int)} accepts every number that the kernel
 * knows, those of real-time signals included.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/signal.7.html">signal(7)</a>
 */
public final class Signal {
  /** The highest signal number of Linux. */
  public static final int MAX_NUMBER = 64;

  /** The first real-time signal; the C library uses 32 and 33 itself. */
  private static final int RTMIN = 34;

  /** The names from number 1 up, which are the same on every machine that Daimon runs on. */
  private static final String[] NAMES = {
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR", "SYS"
  };

  /** Hangup of the terminal; a daemon reads its configuration again, by convention. */
  public static final Signal HUP = new Signal(1);

  /** Interrupt from the keyboard. */
  public static final Signal INT = new Signal(2);

  /** Quit from the keyboard, with a core dump. */
  public static final Signal QUIT = new Signal(3);

  /** Illegal instruction. */
  public static final Signal ILL = new Signal(4);

  /** Trace or breakpoint trap. */
  public static final Signal TRAP = new Signal(5);

  /** Abort, sent by {@code abort(3)}; also known as {@code SIGIOT}. */
  public static final Signal ABRT = new Signal(6);

  /** Access to memory that does not exist, such as the truncated part of a mapped file. */
  public static final Signal BUS = new Signal(7);

  /** Arithmetic error, such as a division by zero. */
  public static final Signal FPE = new Signal(8);

  /** Kill; can be neither caught, blocked nor ignored. */
  public static final Signal KILL = new Signal(9);

  /** User-defined signal 1. */
  public static final Signal USR1 = new Signal(10);

  /** Invalid access to memory. */
  public static final Signal SEGV = new Signal(11);

  /** User-defined signal 2. */
  public static final Signal USR2 = new Signal(12);

  /** Write to a pipe that nobody reads. */
  public static final Signal PIPE = new Signal(13);

  /** The timer of {@code alarm(2)} has expired. */
  public static final Signal ALRM = new Signal(14);

  /** Termination. */
  public static final Signal TERM = new Signal(15);

  /** Stack fault of a coprocessor; not used by the kernel. */
  public static final Signal STKFLT = new Signal(16);

  /** A child stopped or ended; also known as {@code SIGCLD}. */
  public static final Signal CHLD = new Signal(17);

  /** Continue if stopped. */
  public static final Signal CONT = new Signal(18);

  /** Stop; can be neither caught, blocked nor ignored. */
  public static final Signal STOP = new Signal(19);

  /** Stop from the keyboard. */
  public static final Signal TSTP = new Signal(20);

  /** Input from the terminal, in the background. */
  public static final Signal TTIN = new Signal(21);

  /** Output to the terminal, in the background. */
  public static final Signal TTOU = new Signal(22);

  /** Urgent data on a socket. */
  public static final Signal URG = new Signal(23);

  /** The limit on CPU time is exceeded. */
  public static final Signal XCPU = new Signal(24);

  /** The limit on the size of a file is exceeded. */
  public static final Signal XFSZ = new Signal(25);

  /** A virtual timer has expired. */
  public static final Signal VTALRM = new Signal(26);

  /** A profiling timer has expired. */
  public static final Signal PROF = new Signal(27);

  /** The size of the terminal's window has changed. */
  public static final Signal WINCH = new Signal(28);

  /** A descriptor is ready for reading or writing; also known as {@code SIGIO}. */
  public static final Signal POLL = new Signal(29);

  /** Power failure. */
  public static final Signal PWR = new Signal(30);

  /** Bad system call; also known as {@code SIGUNUSED}. */
  public static final Signal SYS = new Signal(31);

  private final int number;

  private Signal(int number) {
    this.number = number;
  }

  /**
   * Returns the signal of this number.
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

  /**
   * Returns the signal of this name or number.
   *
   * <p>Accepted are numbers; the names of signal(7), with or without {@code SIG}, in upper or lower
   * case, synonyms included ({@code CLD}, {@code IO}, {@code IOT}, {@code UNUSED}); and {@code
   * RTMIN+n} and {@code RTMAX-n}, counted as the C library does (34 to 64).
   *
   * @param text such as {@code "HUP"}, {@code "sighup"}, {@code "1"} or {@code "RTMIN+3"}
   * @return that signal
   * @throws IllegalArgumentException if the text names no signal
   */
  public static Signal parse(String text) {
    Objects.requireNonNull(text, "text");
    String name = Names.upperCase(text);
    if (name.startsWith("SIG")) {
      name = name.substring(3);
    }
    int number = number(name);
    if (number < 0 && name.startsWith("RTMIN")) {
      number = inRange(RTMIN, 1, name.substring(5));
    } else if (number < 0 && name.startsWith("RTMAX")) {
      number = inRange(MAX_NUMBER, -1, name.substring(5));
    }
    String official = official(name);
    for (int i = 0; number < 0 && i < NAMES.length; i++) {
      if (NAMES[i].equals(official)) {
        number = i + 1;
      }
    }
    if (number < 1 || number > MAX_NUMBER) {
      throw new IllegalArgumentException("not a signal: ".concat(text));
    }
    return new Signal(number);
  }

  /** Returns the name in the table for a synonym. */
  private static String official(String name) {
    return switch (name) {
      case "CLD" -> "CHLD";
      case "IO" -> "POLL";
      case "IOT" -> "ABRT";
      case "UNUSED" -> "SYS";
      default -> name;
    };
  }

  /** Parses one or two digits; returns -1 for anything else. */
  private static int number(String digits) {
    int number = digits.isEmpty() || digits.length() > 2 ? -1 : 0;
    for (int i = 0; number >= 0 && i < digits.length(); i++) {
      int digit = digits.charAt(i) - '0';
      number = digit < 0 || digit > 9 ? -1 : number * 10 + digit;
    }
    return number;
  }

  /** Parses a real-time signal, counted up from the first or down from the last; -1 for none. */
  private static int inRange(int from, int step, String rest) {
    char sign = step > 0 ? '+' : '-';
    int count = rest.isEmpty() ? 0 : rest.charAt(0) == sign ? number(rest.substring(1)) : -1;
    int number = from + step * count;
    return count < 0 || number < RTMIN || number > MAX_NUMBER ? -1 : number;
  }

  /** {@return the number, from 1 to {@value #MAX_NUMBER}} */
  public int number() {
    return number;
  }

  /**
   * Returns the name, which {@link #parse} accepts.
   *
   * @return such as {@code "SIGTERM"}; {@code "SIGRTMIN"} to {@code "SIGRTMIN+29"} and {@code
   *     "SIGRTMAX"} for real-time signals; {@code "SIG32"} and {@code "SIG33"} for the two that the
   *     C library uses itself
   */
  public String name() {
    if (number <= NAMES.length) {
      return "SIG".concat(NAMES[number - 1]);
    }
    if (number < RTMIN) {
      return "SIG".concat(Integer.toString(number));
    }
    if (number == MAX_NUMBER) {
      return "SIGRTMAX";
    }
    return number == RTMIN ? "SIGRTMIN" : "SIGRTMIN+".concat(Integer.toString(number - RTMIN));
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
