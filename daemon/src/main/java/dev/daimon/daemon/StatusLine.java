package dev.daimon.daemon;

import dev.daimon.forking.StandardStream;
import dev.daimon.posix.VisibleText;

/** Prints the launcher's errors and warnings, and on a terminal a line with the daemon's status. */
final class StatusLine {
  private static final String CLEAR = "\r\u001b[K";

  /** The maximal length of a text: a second line could not be cleared. */
  private static final int WIDTH = 60;

  private final String name;
  private final boolean warns;
  private final boolean visible;
  private final long start = System.nanoTime();
  private String text = "starting";

  /**
   * A line that is not shown yet.
   *
   * @param shown whether this may print: warnings anywhere, the line on a terminal
   */
  StatusLine(String name, boolean shown) {
    this.name = name;
    warns = shown;
    visible = shown && StandardStream.ERROR.isTerminal();
  }

  /** Sets the text. */
  void text(String newText) {
    text = newText;
  }

  /** Shows the text and the number of seconds that have passed. */
  void show() {
    if (visible) {
      long seconds = (System.nanoTime() - start) / 1_000_000_000;
      System.err.print(CLEAR + shown(name + ": " + text) + " (" + seconds + " s)");
      System.err.flush();
    }
  }

  /** Returns a text on one line, without characters that move the cursor. */
  private static String shown(String text) {
    String line = VisibleText.line(text);
    int length = Math.min(WIDTH, line.length());
    boolean inPair = length < line.length() && Character.isLowSurrogate(line.charAt(length));
    return length < line.length() ? line.substring(0, inPair ? length - 1 : length) + "…" : line;
  }

  /** Prints an error, without characters that change the terminal. */
  static void error(String name, String message) {
    System.err.println(VisibleText.line(name) + ": " + VisibleText.lines(message));
  }

  /** Prints a failure that came after the start was decided. */
  void warn(Exception failure) {
    if (warns) {
      error(name, "warning: " + failure.getMessage());
    }
  }

  /** Removes the line, for the shell's prompt. */
  void clear() {
    if (visible) {
      System.err.print(CLEAR);
      System.err.flush();
    }
  }
}
