package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.StreamNumber;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A standard stream of this process, which Java and native code share.
 *
 * <p>A JVM does not fill the numbers of streams that are closed when it is started: its own files
 * get them, first of all the one from which it loads its classes. Here such a stream is closed, and
 * it is not redirected, since that would end the JVM. Not recognized are a file or socket that the
 * JVM has opened under such a number for writing too and has not marked close-on-exec, such as that
 * of a debug port, and under the number of standard input any file but {@code lib/modules} of the
 * JDK.
 */
public enum StandardStream {
  /** Standard input, descriptor 0. */
  INPUT(0, "standard input"),

  /** Standard output, descriptor 1. */
  OUTPUT(1, "standard output"),

  /** Standard error, descriptor 2. */
  ERROR(2, "standard error");

  private static final byte[] NULL_DEVICE = "/dev/null".getBytes(StandardCharsets.US_ASCII);

  private final int number;
  private final String words;

  StandardStream(int number, String words) {
    this.number = number;
    this.words = words;
  }

  /**
   * {@return whether the stream is open: false also if its number is that of a file which this JVM
   * has opened for itself}
   */
  public boolean isOpen() {
    return Files.fcntl(number, Files.F_GETFD, 0) >= 0 && !StreamNumber.isJvms(number);
  }

  /**
   * Redirects the stream to the open file of another descriptor, for this process and for programs
   * that it starts from now on. Output that Java has buffered, or is printing at this moment, still
   * goes to the old destination as a whole.
   *
   * @param target the descriptor; the caller still owns it
   * @throws IllegalStateException if the descriptor was closed
   * @throws PosixException if other code has closed its number, or the stream was closed when this
   *     JVM was started and its number is a file of the JVM's own now ({@code EBADF})
   * @see <a href="https://man7.org/linux/man-pages/man2/dup2.2.html">dup2(2)</a>
   */
  public void redirect(Descriptor target) throws PosixException {
    Objects.requireNonNull(target, "target");
    // Java prints a long text by several writes, all of them under the print stream's own lock.
    synchronized (lock()) {
      requireNotJvms();
      flush();
      PosixException.check(Files.dup2(target.number(), number), "dup2", this);
    }
  }

  /** Throws if the number is that of a file which this JVM has opened for itself. */
  void requireNotJvms() throws PosixException {
    if (StreamNumber.isJvms(number)) {
      throw new PosixException(
          "dup2",
          toString(),
          Errno.EBADF,
          "; ".concat(words).concat(" was closed when this JVM was started: give it /dev/null"));
    }
  }

  private Object lock() {
    return this == OUTPUT ? System.out : this == ERROR ? System.err : this;
  }

  /**
   * Redirects the stream to the null device.
   *
   * @throws PosixException if the null device cannot be opened, or as {@link #redirect}
   */
  public void discard() throws PosixException {
    int flags = Files.O_RDWR | Files.O_CLOEXEC | Files.O_NOCTTY;
    int device = PosixException.check(Files.open(NULL_DEVICE, flags, 0), "open", "/dev/null");
    if (device == number) {
      // The stream was closed, so the null device got its number.
      PosixException.check(Files.fcntl(device, Files.F_SETFD, 0), "fcntl F_SETFD", this);
      return;
    }
    try (Descriptor target = Descriptor.adopt(device)) {
      redirect(target);
    }
  }

  /**
   * Returns a second descriptor of the stream's open file, to restore the stream later.
   *
   * @return a new descriptor, close-on-exec and above the standard streams, to be closed by the
   *     caller; null if the stream is closed
   * @throws PosixException if there is no descriptor left ({@code EMFILE})
   */
  public @Nullable Descriptor duplicate() throws PosixException {
    if (StreamNumber.isJvms(number)) {
      return null;
    }
    int copy = Files.fcntl(number, Files.F_DUPFD_CLOEXEC, ProgramStreams.COUNT);
    if (copy == -Errno.EBADF.number()) {
      return null;
    }
    return Descriptor.adopt(PosixException.check(copy, "fcntl F_DUPFD_CLOEXEC", this));
  }

  /** {@return whether the stream is a terminal} */
  public boolean isTerminal() {
    return Files.isatty(number);
  }

  /**
   * Returns how many columns the terminal has at this moment.
   *
   * @return the number; empty if the stream is no terminal, or one that has told no width
   * @see <a href="https://man7.org/linux/man-pages/man2/TIOCGWINSZ.2const.html">TIOCGWINSZ(2const)
   *     </a>
   */
  public OptionalInt columns() {
    int columns = Files.columns(number);
    return columns > 0 ? OptionalInt.of(columns) : OptionalInt.empty();
  }

  /**
   * Tells whether nobody reads any more what is written to the stream: a pipe or socket whose other
   * end is closed, or a terminal that has hung up. This writes nothing.
   *
   * @return whether that is so; false for anything else, such as a file
   * @see <a href="https://man7.org/linux/man-pages/man2/poll.2.html">poll(2)</a>
   */
  public boolean isDisconnected() {
    // What is reported without being asked for: the other end is closed.
    return Polling.poll(number, /* events= */ 0, /* timeout= */ 0) > 0;
  }

  private void flush() {
    if (this == OUTPUT) {
      System.out.flush();
    } else if (this == ERROR) {
      System.err.flush();
    }
  }
}
