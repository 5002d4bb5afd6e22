package dev.daimon.benchmarks;

import java.util.Locale;

/** Formats figures for people. */
final class Text {
  private static final String[] UNITS = {"ns", "µs", "ms", "s"};

  private Text() {}

  /** Formats a time in nanoseconds. */
  static String time(double nanoseconds) {
    int unit = 0;
    double value = nanoseconds;
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    return number(value) + " " + UNITS[unit];
  }

  /** Formats a number with three significant digits. */
  static String number(double value) {
    double size = Math.abs(value);
    int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** Formats a number in Ki or Mi. */
  static String binary(int number) {
    return number >= 1 << 20 ? (number >> 20) + " Mi" : (number >> 10) + " Ki";
  }

  static String whole(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  static String mebibytes(double kibibytes) {
    return number(kibibytes / 1024) + " MiB";
  }
}
