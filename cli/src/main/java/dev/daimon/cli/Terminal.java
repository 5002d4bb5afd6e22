package dev.daimon.cli;

import dev.daimon.forking.StandardStream;
import dev.daimon.posix.VisibleText;
import dev.daimon.startup.Progress;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What the user reads: results on standard output, messages on standard error. */
final class Terminal implements Progress {
  private static final String CLEAR = "\r\u001b[K";
  private static final String NO_WRAP = "\u001b[?7l";
  private static final String WRAP = "\u001b[?7h";

  private final boolean verbose;
  private boolean shown;

  Terminal(boolean verbose) {
    this.verbose = verbose;
  }

  /** Prints a step that was taken, if {@code --verbose} asks for it. */
  @Override
  public void step(String message) {
    if (verbose) {
      error(message);
    }
  }

  /** Prints one line on standard error. */
  void error(String message) {
    print("daimon: " + VisibleText.line(message) + "\n");
  }

  /** Prints lines of other origin on standard error, each indented, below a message. */
  void quote(List<String> lines) {
    StringBuilder text = new StringBuilder();
    for (String line : lines) {
      text.append("    ").append(VisibleText.line(line)).append('\n');
    }
    print(text.toString());
  }

  /** Shows what is being waited for, if standard error is a terminal; replaces the line before. */
  void progress(String message) {
    if (isScreen()) {
      print(CLEAR + "daimon: " + VisibleText.line(message));
      shown = true;
    }
  }

  /** Shows a line of any length in the same way: the terminal cuts it at its edge. */
  void longProgress(String message) {
    if (isScreen()) {
      String line = VisibleText.line(message);
      print(CLEAR + NO_WRAP + "daimon: " + line + WRAP);
      shown = true;
    }
  }

  /** Whether standard error is a terminal that knows how to clear a line. */
  private static boolean isScreen() {
    return StandardStream.ERROR.isTerminal() && !"dumb".equals(System.getenv("TERM"));
  }

  /** Removes the line that {@link #progress} has shown. */
  void clear() {
    if (shown) {
      print(CLEAR);
      shown = false;
    }
  }

  /**
   * Prints a result on standard output. That nobody reads it any more is no failure.
   *
   * @throws StartException if it is lost, such as where the disk is full
   */
  void result(String text) {
    try {
      write(FileDescriptor.out, text);
    } catch (IOException failure) {
      if (!LogPrinter.isUnread()) {
        throw new StartException(Reason.SYSTEM, "standard output: " + failure.getMessage());
      }
    }
  }

  private static void print(String text) {
    try {
      write(FileDescriptor.err, text);
    } catch (IOException nobodyListens) {
      // A stream that is closed or full changes neither what was done nor the exit code.
      return;
    }
  }

  // The stream is not closed: that would close the descriptor of the process.
  @SuppressWarnings("resource")
  private static void write(FileDescriptor descriptor, String text) throws IOException {
    new FileOutputStream(descriptor).write(text.getBytes(StandardCharsets.UTF_8));
  }
}
