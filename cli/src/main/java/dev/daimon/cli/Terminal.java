package dev.daimon.cli;

import dev.daimon.forking.StandardStream;
import dev.daimon.posix.VisibleText;
import dev.daimon.startup.Progress;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** What the user reads: results on standard output, words on standard error. */
final class Terminal implements Progress {
  private static final String CLEAR = "\r\u001b[K";

  private final boolean verbose;
  private boolean shown;

  Terminal(boolean verbose) {
    this.verbose = verbose;
  }

  /** A step that was taken, for those who asked for it. */
  @Override
  public void step(String message) {
    if (verbose) {
      error(message);
    }
  }

  /** One line on standard error. */
  void error(String message) {
    print(FileDescriptor.err, "daimon: " + VisibleText.line(message) + "\n");
  }

  /** What is being waited for, where a person can see it: in place of what stood there before. */
  void progress(String message) {
    if (isScreen()) {
      print(FileDescriptor.err, CLEAR + "daimon: " + VisibleText.line(message));
      shown = true;
    }
  }

  /** Whether standard error is a terminal that knows how to clear a line. */
  private static boolean isScreen() {
    return StandardStream.ERROR.isTerminal() && !"dumb".equals(System.getenv("TERM"));
  }

  /** Makes room for the next line. */
  void clear() {
    if (shown) {
      print(FileDescriptor.err, CLEAR);
      shown = false;
    }
  }

  /** A result, on standard output. */
  void result(String text) {
    print(FileDescriptor.out, text);
  }

  // The stream is not closed: the descriptor is the process's, not this method's.
  @SuppressWarnings("resource")
  private static void print(FileDescriptor descriptor, String text) {
    try {
      new FileOutputStream(descriptor).write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException nobodyListens) {
      // A closed or full stream changes neither what was done nor the exit code that tells it.
      return;
    }
  }
}
