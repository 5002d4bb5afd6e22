package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.util.Objects;

/**
 * A pipe: what is written to one descriptor can be read from the other. Both are close-on-exec.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/pipe.2.html">pipe2(2)</a>
 */
public final class Pipe implements AutoCloseable {
  private final Descriptor readEnd;
  private final Descriptor writeEnd;

  private Pipe(int[] pair) {
    readEnd = Descriptor.adopt(pair[0]);
    writeEnd = Descriptor.adopt(pair[1]);
  }

  /**
   * Makes a pipe.
   *
   * @return the pipe, to be closed by the caller
   * @throws PosixException if there is no descriptor left ({@code EMFILE}, {@code ENFILE})
   */
  public static Pipe open() throws PosixException {
    int[] pair = new int[2];
    PosixException.check(Files.pipe(Files.O_CLOEXEC, pair), "pipe2", "");
    return new Pipe(pair);
  }

  /**
   * Reads from a pipe, and waits until every process has closed its other end. What is read is
   * lost. Neither an interrupt nor the close of the descriptor by another thread ends the wait, and
   * a virtual thread keeps its carrier meanwhile.
   *
   * @param readEnd the descriptor to read from; it stays its owner's
   * @throws PosixException if it cannot be read
   */
  public static void awaitEnd(Descriptor readEnd) throws PosixException {
    Objects.requireNonNull(readEnd, "readEnd");
    byte[] lost = new byte[64];
    while (PosixException.check(Files.read(readEnd.number(), lost), "read", readEnd) > 0) {
      // Until there is no more.
    }
  }

  /** {@return the descriptor to read from} */
  public Descriptor readEnd() {
    return readEnd;
  }

  /** {@return the descriptor to write to} */
  public Descriptor writeEnd() {
    return writeEnd;
  }

  @Override
  public void close() throws PosixException {
    try (readEnd) {
      writeEnd.close();
    }
  }
}
