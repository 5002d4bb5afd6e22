package dev.daimon.posix;

import java.util.Objects;

/**
 * Text of others, such as a process's name for itself, made fit to be printed: on a terminal it can
 * neither move the cursor, nor begin a line, nor turn around what stands beside it.
 */
public final class VisibleText {
  private VisibleText() {}

  /**
   * Returns the text as one line.
   *
   * @param text any text
   * @return the text, with a question mark for each character that {@linkplain #isHidden is hidden}
   */
  public static String line(String text) {
    Objects.requireNonNull(text, "text");
    return visible(text, /* lines= */ false);
  }

  /**
   * Returns the text as it is divided into lines, and with its tabs.
   *
   * @param text any text
   * @return the text, with a question mark for each other character that {@linkplain #isHidden is
   *     hidden}
   */
  public static String lines(String text) {
    Objects.requireNonNull(text, "text");
    return visible(text, /* lines= */ true);
  }

  private static String visible(String text, boolean lines) {
    StringBuilder visible = new StringBuilder(text.length());
    int point;
    for (int i = 0; i < text.length(); i += Character.charCount(point)) {
      point = text.codePointAt(i);
      boolean kept = lines && (point == '\n' || point == '\t');
      if (isHidden(point) && !kept) {
        visible.append('?');
      } else {
        visible.appendCodePoint(point);
      }
    }
    return visible.toString();
  }

  /**
   * Tells whether a character does something to the text around it instead of being one to read:
   * control characters, line and paragraph separators, those that turn the direction of the text
   * around (U+202E) or join and part others, and halves of a pair.
   *
   * @param codePoint a character, from 0 to {@link Character#MAX_CODE_POINT}
   * @return whether it does
   */
  public static boolean isHidden(int codePoint) {
    if (codePoint < 0x7f) {
      return codePoint < ' ';
    }
    int type = Character.getType(codePoint);
    return type == Character.CONTROL
        || type == Character.FORMAT
        || type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR
        || type == Character.SURROGATE;
  }
}
