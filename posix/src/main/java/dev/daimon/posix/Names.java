package dev.daimon.posix;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Names of constants, as people write them. */
final class Names {
  private Names() {}

  /** In capitals; what is beyond ASCII is in no name. */
  static String upperCase(String text) {
    // Through ASCII first: beyond it there are letters whose capitals are I and S.
    byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
    return new String(ascii, StandardCharsets.US_ASCII).toUpperCase(Locale.ROOT);
  }
}
