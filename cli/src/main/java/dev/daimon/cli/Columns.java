package dev.daimon.cli;

/**
 * How many columns of a terminal a text takes: two for a character of East Asia or an emoji, none
 * for a mark above another character.
 */
final class Columns {
  /** All before it take one, as control characters do not come here. */
  private static final int FIRST = 0x300;

  /** The first and the last of each range of wide characters. */
  private static final int[] WIDE = {
    0x1100, 0x115F, 0x2E80, 0x303E, 0x3041, 0xA4CF, 0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE6F,
    0xFF00, 0xFF60, 0xFFE0, 0xFFE6, 0x1F300, 0x1F64F, 0x1F680, 0x1F6FF, 0x1F900, 0x1F9FF, 0x20000,
    0x3FFFD
  };

  private Columns() {}

  /** The columns of a text. */
  static int of(String text) {
    int columns = 0;
    int character;
    for (int i = 0; i < text.length(); i += Character.charCount(character)) {
      character = text.codePointAt(i);
      columns += of(character);
    }
    return columns;
  }

  /** Where the part of a text ends that begins there, and fits that many columns. */
  static int end(CharSequence text, int start, int columns) {
    int left = columns;
    int i = start;
    while (i < text.length()) {
      int character = Character.codePointAt(text, i);
      left -= of(character);
      if (left < 0) {
        break;
      }
      i += Character.charCount(character);
    }
    return i;
  }

  private static int of(int character) {
    if (character < FIRST) {
      return 1;
    }
    int type = Character.getType(character);
    if (type == Character.NON_SPACING_MARK
        || type == Character.ENCLOSING_MARK
        || type == Character.FORMAT) {
      return 0;
    }
    for (int i = 0; i < WIDE.length; i += 2) {
      if (character >= WIDE[i] && character <= WIDE[i + 1]) {
        return 2;
      }
    }
    return 1;
  }
}
