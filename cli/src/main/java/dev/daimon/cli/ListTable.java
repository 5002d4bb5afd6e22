package dev.daimon.cli;

import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.ListedDaemon;
import dev.daimon.posix.VisibleText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Prints daemons as a table. The columns are as wide as what is in them, and the last one is cut at
 * the given width. Of a very long table a part is printed at a time, with columns that get wider.
 */
final class ListTable {
  /** How many characters are printed at once. */
  private static final int PART = 1024 * 1024;

  private static final String[] HEADER = {
    "NAME", "STATE", "PID", "USER", "UP", "MEMORY", "COMMAND"
  };

  private static final int NAME = 0;
  private static final int PID = 2;
  private static final int USER = 3;
  private static final int MEMORY = 5;
  private static final int COMMAND = 6;
  private static final String GAP = "  ";
  private static final int KIB = 1024;

  private final Terminal terminal;
  private final int width;
  private final int[] widths = new int[COMMAND];
  private final List<String[]> rows = new ArrayList<>();
  private int length;
  private boolean empty = true;

  ListTable(Terminal terminal, int width) {
    this.terminal = terminal;
    this.width = width;
  }

  void add(ListedDaemon daemon) {
    if (empty) {
      add(HEADER);
      empty = false;
    }
    DaemonStatus status = daemon.status();
    add(
        new String[] {
          daemon.daemon().name().text(),
          StatusText.word(status.state()),
          status.pid().isPresent() ? Long.toString(status.pid().getAsLong()) : "-",
          VisibleText.line(status.user().orElse("-")),
          status.uptime().isPresent() ? time(status.uptime().get()) : "-",
          daemon.memory().isPresent() ? size(daemon.memory().getAsLong()) : "-",
          command(status)
        });
  }

  /** The command line; or why there is none. */
  private String command(DaemonStatus status) {
    String text;
    if (!status.commandLine().isEmpty()) {
      // Some programs overwrite their command line, and pad it with spaces.
      text = String.join(" ", status.commandLine()).stripTrailing();
    } else if (status.state() == State.UNKNOWN) {
      text = "(" + status.reason() + ")";
    } else {
      return "-";
    }
    return VisibleText.line(text.length() > 2L * width ? text.substring(0, 2 * width) : text);
  }

  private void add(String[] row) {
    for (int i = 0; i < COMMAND; i++) {
      widths[i] = Math.max(widths[i], columns(row, i));
      length += row[i].length();
    }
    length += row[COMMAND].length();
    rows.add(row);
    if (length > PART) {
      print();
    }
  }

  /** Prints what is left, and tells whether there was a daemon. */
  boolean end() {
    print();
    return !empty;
  }

  private void print() {
    StringBuilder text = new StringBuilder();
    for (String[] row : rows) {
      int start = text.length();
      for (int i = 0; i < COMMAND; i++) {
        int blanks = widths[i] - columns(row, i);
        boolean number = i == PID || i == MEMORY;
        text.repeat(' ', number ? blanks : 0).append(row[i]);
        text.repeat(' ', number ? 0 : blanks).append(GAP);
      }
      text.append(row[COMMAND]);
      cut(text, start);
      text.append('\n');
    }
    terminal.result(text.toString());
    rows.clear();
    length = 0;
  }

  /** How many columns a cell takes: only names can have other characters than those of ASCII. */
  private static int columns(String[] row, int i) {
    return i == NAME || i == USER ? Columns.of(row[i]) : row[i].length();
  }

  /** Cuts the line that begins there, between two characters. */
  private void cut(StringBuilder text, int start) {
    // No character takes more columns than two.
    if ((text.length() - start) * 2L > width) {
      text.setLength(Columns.end(text, start, width));
    }
  }

  /** The two largest units of a time, such as {@code 2d 3h}. */
  static String time(Duration duration) {
    long seconds = duration.toSeconds();
    if (seconds < 60) {
      return seconds + "s";
    }
    long minutes = seconds / 60;
    if (minutes < 60) {
      return minutes + "m " + seconds % 60 + "s";
    }
    long hours = minutes / 60;
    return hours < 24 ? hours + "h " + minutes % 60 + "m" : hours / 24 + "d " + hours % 24 + "h";
  }

  /** A number of bytes in the largest unit, such as {@code 1.5M}. */
  static String size(long bytes) {
    long kib = bytes / KIB;
    if (kib < KIB) {
      return kib + "K";
    }
    long tenths = kib * 10 / KIB;
    char unit = 'M';
    if (tenths >= 10L * KIB) {
      tenths /= KIB;
      unit = 'G';
    }
    return tenths / 10 + "." + tenths % 10 + unit;
  }
}
