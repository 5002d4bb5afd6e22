package dev.daimon.posix;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Parsing of the names of constants. */
final class Names {
  private Names() {}

  /** Converts a name to upper case. No name has characters beyond ASCII. */
  static String upperCase(String text) {
    // Through ASCII first: some letters beyond it have I or S as their upper case.
    byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
    return new String(ascii, StandardCharsets.US_ASCII).toUpperCase(Locale.ROOT);
  }
}
