package dev.daimon.daemon;

import dev.daimon.forking.StandardStream;

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
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < text.length() && i < WIDTH; i++) {
      char c = text.charAt(i);
      line.append(Character.isISOControl(c) ? ' ' : c);
    }
    return line.append(text.length() > WIDTH ? "…" : "").toString();
  }

  /** Tells an error; whatever the daemon says in it, it does nothing else to a terminal. */
  static void error(String name, String message) {
    StringBuilder text = new StringBuilder(name).append(": ");
    for (int i = 0; i < message.length(); i++) {
      char c = message.charAt(i);
      text.append(Character.isISOControl(c) && c != '\n' && c != '\t' ? ' ' : c);
    }
    System.err.println(text);
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
