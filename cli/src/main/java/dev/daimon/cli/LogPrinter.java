package dev.daimon.cli;

import dev.daimon.forking.StandardStream;
import dev.daimon.posix.VisibleText;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Prints logs on standard output: their bytes as they are, or, on a terminal, as {@link
 * VisibleText}. What is from another log than what was printed before has a line with its path
 * above it, if there are several logs. For one thread.
 */
final class LogPrinter {
  /** The output cannot be printed. */
  static class PrintException extends IOException {
    private static final long serialVersionUID = 1;

    PrintException(String message, IOException cause) {
      super(message, cause);
    }
  }

  /** Nobody reads any more what is printed. */
  static final class NobodyReads extends PrintException {
    private static final long serialVersionUID = 1;

    NobodyReads(IOException cause) {
      super("nobody reads it", cause);
    }
  }

  // Never closed: that would close the descriptor of the process.
  private final FileOutputStream output = new FileOutputStream(FileDescriptor.out);
  private final boolean visible = StandardStream.OUTPUT.isTerminal();
  private final boolean withPaths;
  private @Nullable Path last;
  private boolean inLine;

  LogPrinter(boolean withPaths) {
    this.withPaths = withPaths;
  }

  /** What a terminal shows of one log, whose characters may be cut between two parts. */
  private static final class Decoder {
    private final CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] rest = {};

    byte[] visible(byte[] bytes, int start, int length) {
      ByteBuffer in = ByteBuffer.allocate(rest.length + length);
      in.put(rest).put(bytes, start, length).flip();
      CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
      decoder.decode(in, out, /* endOfInput= */ false);
      rest = new byte[in.remaining()];
      in.get(rest);
      String text = out.flip().toString().replace("\r\n", "\n");
      return VisibleText.lines(text).getBytes(StandardCharsets.UTF_8);
    }
  }

  /** A log, as it is printed. */
  final class Log {
    private final Path path;
    private final Decoder decoder = new Decoder();

    Log(Path path) {
      this.path = path;
    }

    /** Prints a part of the log. */
    void print(byte[] bytes, int start, int length) throws IOException {
      if (withPaths && !path.equals(last)) {
        String header =
            (inLine ? "\n" : "") + (last == null ? "" : "\n") + "==> " + path + " <==\n";
        write(VisibleText.lines(header).getBytes(StandardCharsets.UTF_8), 0, -1);
      }
      last = path;
      if (visible) {
        write(decoder.visible(bytes, start, length), 0, -1);
      } else {
        write(bytes, start, length);
      }
    }
  }

  /** Whether nobody reads any more what is printed. */
  static boolean isUnread() {
    return StandardStream.OUTPUT.isDisconnected();
  }

  private void write(byte[] bytes, int start, int length) throws IOException {
    int count = length < 0 ? bytes.length : length;
    if (count == 0) {
      return;
    }
    try {
      output.write(bytes, start, count);
    } catch (IOException failure) {
      throw isUnread()
          ? new NobodyReads(failure)
          : new PrintException("standard output: " + failure.getMessage(), failure);
    }
    inLine = bytes[start + count - 1] != '\n';
  }
}
