package dev.daimon.cli;

import dev.daimon.control.ListedDaemon;

/** Prints an array of JSON objects, one a line, a part at a time. */
final class ListJson {
  /** How many characters are printed at once. */
  private static final int PART = 64 * 1024;

  private final Terminal terminal;
  private final StringBuilder text = new StringBuilder("[");
  private boolean empty = true;

  ListJson(Terminal terminal) {
    this.terminal = terminal;
  }

  void add(ListedDaemon daemon) {
    text.append(empty ? "\n" : ",\n");
    empty = false;
    StatusText.json(text, daemon);
    if (text.length() > PART) {
      terminal.result(text.toString());
      text.setLength(0);
    }
  }

  void end() {
    terminal.result(text.append(empty ? "]\n" : "\n]\n").toString());
  }
}
