package dev.daimon.control;

import java.io.IOException;

/** A search for a text in a file that grows, by the method of Knuth, Morris and Pratt. */
final class LineSearch {
  /** How much is read before other events are looked at. */
  private static final int CHUNK = 64 * 1024;

  private final byte[] text;

  /** For each length of a part of the text that has matched: that of the next shorter one. */
  private final int[] shorter;

  private final byte[] buffer = new byte[CHUNK];

  /** How many bytes of the text are the last ones that were read. */
  private int matched;

  private boolean more;

  LineSearch(byte[] text) {
    this.text = text;
    shorter = new int[text.length + 1];
    shorter[0] = -1;
    int length = -1;
    for (int i = 0; i < text.length; i++) {
      while (length >= 0 && text[i] != text[length]) {
        length = shorter[length];
      }
      length++;
      shorter[i + 1] = length;
    }
  }

  /** Whether the text is in what was added to the file since the last call. */
  boolean isIn(OutputTail file) throws IOException {
    int count = file.read(buffer);
    more = count == buffer.length;
    if (file.wasTruncated()) {
      matched = 0;
    }
    for (int i = 0; i < count; i++) {
      while (matched >= 0 && buffer[i] != text[matched]) {
        matched = shorter[matched];
      }
      matched++;
      if (matched == text.length) {
        matched = shorter[matched];
        return true;
      }
    }
    return false;
  }

  /** Whether the file has more to read at once. */
  boolean hasMore() {
    return more;
  }
}
