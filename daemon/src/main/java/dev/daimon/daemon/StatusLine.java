package dev.daimon.daemon;

import dev.daimon.forking.StandardStream;

/** What the launcher shows on a terminal while it waits; nothing where there is none. */
final class StatusLine {
  private static final String CLEAR = "\r\u001b[K";

  /** Longer texts would go on in a second line, which cannot be cleared. */
  private static final int WIDTH = 60;

  private final String name;
  private final boolean visible = StandardStream.ERROR.isTerminal();
  private final long start = System.nanoTime();
  private String text = "starting";

  StatusLine(String name) {
    this.name = name;
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

  /** Several lines, whatever the daemon says: they must not do anything else to a terminal. */
  static String printable(String message) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < message.length(); i++) {
      char c = message.charAt(i);
      text.append(Character.isISOControl(c) && c != '\n' && c != '\t' ? ' ' : c);
    }
    return text.toString();
  }

  /** Makes room for the shell's prompt. */
  void clear() {
    if (visible) {
      System.err.print(CLEAR);
      System.err.flush();
    }
  }
}
