package dev.daimon.daemon;

import dev.daimon.forking.StandardStream;
import dev.daimon.posix.VisibleText;

/** What a launcher that ends with the verdict says: its errors, and on a terminal what it does. */
final class StatusLine {
  private static final String CLEAR = "\r\u001b[K";

  /** Longer texts would go on in a second line, which cannot be cleared. */
  private static final int WIDTH = 60;

  private final String name;
  private final boolean told;
  private final boolean visible;
  private final long start = System.nanoTime();
  private String text = "starting";

  /**
   * Nothing is shown yet.
   *
   * @param shown whether it may be: warnings anywhere, the time on a terminal
   */
  StatusLine(String name, boolean shown) {
    this.name = name;
    told = shown;
    visible = shown && StandardStream.ERROR.isTerminal();
  }

  /** A new text, to be shown from now on. */
  void text(String newText) {
    text = newText;
  }

  /** Shows the text, with the seconds that have passed. */
  void show() {
    if (visible) {
      long seconds = (System.nanoTime() - start) / 1_000_000_000;
      System.err.print(CLEAR + shown(name + ": " + text) + " (" + seconds + " s)");
      System.err.flush();
    }
  }

  /** One line, whatever the daemon says: it must not move the cursor. */
  private static String shown(String text) {
    String line = VisibleText.line(text);
    int length = Math.min(WIDTH, line.length());
    boolean inPair = length < line.length() && Character.isLowSurrogate(line.charAt(length));
    return length < line.length() ? line.substring(0, inPair ? length - 1 : length) + "…" : line;
  }

  /** Tells an error; whatever the daemon says in it, it does nothing else to a terminal. */
  static void error(String name, String message) {
    System.err.println(VisibleText.line(name) + ": " + VisibleText.lines(message));
  }

  /** Tells what has failed when the verdict was there already, and does not change it. */
  void warn(Exception failure) {
    if (told) {
      error(name, "warning: " + failure.getMessage());
    }
  }

  /** Makes room for the shell's prompt. */
  void clear() {
    if (visible) {
      System.err.print(CLEAR);
      System.err.flush();
    }
  }
}
