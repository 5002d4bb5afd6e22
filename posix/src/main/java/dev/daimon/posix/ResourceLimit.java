package dev.daimon.posix;

import java.util.Objects;

/**
 * A soft and a hard limit on a resource. The kernel enforces the soft limit; the process may raise
 * it up to the hard limit.
 *
 * @param resource what is limited
 * @param soft the soft limit, in the resource's unit, or {@link #UNLIMITED}
 * @param hard the hard limit, not less than the soft one, or {@link #UNLIMITED}
 * @see <a href="https://man7.org/linux/man-pages/man2/setrlimit.2.html">setrlimit(2)</a>
 */
public record ResourceLimit(Resource resource, long soft, long hard) {
  /** No limit at all. */
  public static final long UNLIMITED = -1;

  /**
   * Checks the limits.
   *
   * @throws IllegalArgumentException if one is negative, or the soft limit is above the hard one
   */
  public ResourceLimit {
    Objects.requireNonNull(resource, "resource");
    if (soft < UNLIMITED || hard < UNLIMITED) {
      throw new IllegalArgumentException("a negative limit of " + resource);
    }
    if (isAbove(soft, hard)) {
      throw new IllegalArgumentException(
          "the soft limit of " + resource + " is above the hard one: " + number(soft));
    }
  }

  /**
   * Reads a limit as people write it: {@code core=0}, {@code nofile=1024:4096}, {@code
   * stack=8388608:unlimited}. A single number sets both limits.
   *
   * @param text the resource's name, and the limits in its unit
   * @return the limit
   * @throws IllegalArgumentException if the text is not a limit
   */
  public static ResourceLimit parse(String text) {
    Objects.requireNonNull(text, "text");
    int equals = text.indexOf('=');
    if (equals < 0) {
      throw new IllegalArgumentException("not NAME=SOFT[:HARD]: \"" + text + "\"");
    }
    Resource resource = Resource.parse(text.substring(0, equals));
    int colon = text.indexOf(':', equals);
    long hard = value(text, text.substring((colon < 0 ? equals : colon) + 1));
    long soft = colon < 0 ? hard : value(text, text.substring(equals + 1, colon));
    return new ResourceLimit(resource, soft, hard);
  }

  private static long value(String text, String number) {
    if (number.equals("unlimited") || number.equals("infinity")) {
      return UNLIMITED;
    }
    long value = number.isEmpty() ? -1 : 0;
    for (int i = 0; i < number.length() && value >= 0; i++) {
      int digit = number.charAt(i) - '0';
      boolean fits = digit >= 0 && digit <= 9 && value <= (Long.MAX_VALUE - digit) / 10;
      value = fits ? 10 * value + digit : -1;
    }
    if (value < 0) {
      throw new IllegalArgumentException("not a limit: \"" + number + "\" in " + text);
    }
    return value;
  }

  /**
   * Tells whether one limit allows more than another.
   *
   * @param limit a number, or {@link #UNLIMITED}
   * @param other a number, or {@link #UNLIMITED}
   * @return whether the first limit allows more
   */
  public static boolean isAbove(long limit, long other) {
    // Without a sign, no limit is the largest number.
    return Long.compareUnsigned(limit, other) > 0;
  }

  /** {@return the limit as {@link #parse} reads it} */
  @Override
  public String toString() {
    return resource + "=" + number(soft) + (soft == hard ? "" : ":" + number(hard));
  }

  private static String number(long limit) {
    return limit == UNLIMITED ? "unlimited" : Long.toString(limit);
  }
}
