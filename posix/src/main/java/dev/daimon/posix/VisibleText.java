package dev.daimon.posix;

import java.util.Objects;

/**
 * Makes text of unknown origin safe to print, such as the name that a process has given itself: on
 * a terminal it can neither move the cursor, nor begin a line, nor reverse the text beside it.
 */
public final class VisibleText {
  private VisibleText() {}

  /**
   * Returns the text as one line.
   *
   * @param text any text
   * @return the text, with a question mark for each {@linkplain #isHidden hidden} character
   */
  public static String line(String text) {
    Objects.requireNonNull(text, "text");
    return visible(text, /* lines= */ false);
  }

  /**
   * Returns the text with its line feeds and tabs.
   *
   * @param text any text
   * @return the text, with a question mark for each other {@linkplain #isHidden hidden} character
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
   * Tells whether a character is not visible itself and may change how the text around it is shown:
   * control characters, line and paragraph separators, characters that reverse the direction of the
   * text (U+202E) or join others, and unpaired surrogates.
   *
   * @param codePoint a character, from 0 to {@link Character#MAX_CODE_POINT}
   * @return whether the character is hidden
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
