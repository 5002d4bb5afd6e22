package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Line;
import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Whether a line of the program's output contains a text. */
final class LineCheck extends ReadyCheck {
  private final byte[] text;
  private final List<OutputTail> files = new ArrayList<>();

  /** The search in each file: how many bytes of the text its last bytes are. */
  private final List<LineSearch> searches = new ArrayList<>();

  LineCheck(Line condition, List<Descriptor> output) throws IOException {
    text = condition.text().getBytes(StandardCharsets.ISO_8859_1);
    try {
      for (Descriptor file : output) {
        files.add(OutputTail.of(file));
        searches.add(new LineSearch(text));
      }
    } catch (IOException | RuntimeException failure) {
      Cleanup.close(this, failure);
      throw failure;
    }
  }

  @Override
  boolean isReady(long main) throws IOException {
    for (int i = 0; i < files.size(); i++) {
      if (searches.get(i).isIn(files.get(i))) {
        return true;
      }
    }
    return false;
  }

  @Override
  boolean hasMore() {
    for (LineSearch search : searches) {
      if (search.hasMore()) {
        return true;
      }
    }
    return false;
  }

  @Override
  long pause() {
    return hasMore() ? 0 : super.pause();
  }

  @Override
  String missing(long main) {
    return "no line of its output has the text \""
        + new String(text, StandardCharsets.UTF_8)
        + "\"";
  }

  @Override
  public void close() throws IOException {
    for (OutputTail file : files) {
      file.close();
    }
  }
}
