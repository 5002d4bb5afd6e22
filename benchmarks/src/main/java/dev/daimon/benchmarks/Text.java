package dev.daimon.benchmarks;

import java.util.Locale;

/** Figures as people read them. */
final class Text {
  private static final String[] UNITS = {"ns", "µs", "ms", "s"};

  private Text() {}

  /** A time of so many nanoseconds. */
  static String time(double nanoseconds) {
    int unit = 0;
    double value = nanoseconds;
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    return number(value) + " " + UNITS[unit];
  }

  /** Three digits that mean something. */
  static String number(double value) {
    double size = Math.abs(value);
    int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    return String.format(Locale.ROOT, "%,." + decimals + "f", value);
  }

  /** A number of numbers. */
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
