package dev.daimon.readiness;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.time.Duration;

/**
 * A pipe on which a program says by a newline that it is ready, as under s6.
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://skarnet.org/software/s6/notifywhenup.html">s6: service startup
 *     notifications</a>
 */
public final class NewlinePipe implements AutoCloseable {
  /** What has arrived on the pipe. */
  public enum State {
    /** No newline yet, and the pipe is open. */
    WAITING,
    /** A newline. */
    READY,
    /** All writers have closed the pipe, or ended, without a newline. */
    CLOSED
  }

  private final Descriptor descriptor;
  private final Descriptor programDescriptor;
  private State state = State.WAITING;

  private NewlinePipe(Descriptor descriptor, Descriptor programDescriptor) {
    this.descriptor = descriptor;
    this.programDescriptor = programDescriptor;
  }

  /**
   * Makes a pipe.
   *
   * @return the pipe, to be closed by the caller; both ends are marked close-on-exec
   * @throws PosixException if there is no descriptor left ({@code EMFILE})
   * @see <a href="https://man7.org/linux/man-pages/man2/pipe.2.html">pipe(2)</a>
   */
  public static NewlinePipe open() throws PosixException {
    int[] pair = new int[2];
    PosixException.check(Files.pipe(Files.O_CLOEXEC, pair), "pipe2", "");
    NewlinePipe pipe = new NewlinePipe(Descriptor.adopt(pair[0]), Descriptor.adopt(pair[1]));
    try {
      // Of the reader alone: a program need not expect a descriptor that does not block.
      PosixException.check(
          Files.fcntl(pair[0], Files.F_SETFL, Files.O_NONBLOCK), "fcntl F_SETFL", pair[0]);
      return pipe;
    } catch (PosixException failure) {
      Cleanup.close(pipe, failure);
      throw failure;
    }
  }

  /** {@return the end to poll: it is readable if {@link #receive()} may return another state} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /**
   * {@return the end to keep open in the program, under whatever number the program writes to;
   * closed by {@link #release()}}
   */
  public Descriptor programDescriptor() {
    return programDescriptor;
  }

  /**
   * Closes this process's copy of the program's end. Without this call, the end of the program is
   * not noticed. A second call does nothing.
   *
   * @throws PosixException if other code has closed the descriptor ({@code EBADF})
   */
  public void release() throws PosixException {
    programDescriptor.close();
  }

  /**
   * Reads what has arrived, without waiting. Bytes other than a newline are skipped, at most 64 KiB
   * in a call.
   *
   * @return the state by now; after {@code READY} or {@code CLOSED} it is always the same, and
   *     nothing is read any more
   * @throws PosixException if the pipe cannot be read
   * @throws IllegalStateException if this is closed
   */
  public synchronized State receive() throws PosixException {
    int number = descriptor.number();
    byte[] bytes = new byte[4096];
    for (int i = 0; i < 16 && state == State.WAITING; i++) {
      int length = Files.read(number, bytes);
      if (length == -Errno.EAGAIN.number()) {
        return state;
      }
      PosixException.check(length, "read", number);
      if (length == 0) {
        state = State.CLOSED;
      }
      for (int j = 0; j < length; j++) {
        if (bytes[j] == '\n') {
          state = State.READY;
        }
      }
    }
    return state;
  }

  /**
   * Waits until there is a newline, or the pipe is closed. Do not close this object meanwhile.
   *
   * @param timeout how long to wait at most, at least 0
   * @return the state by then
   * @throws IllegalArgumentException if the timeout is negative
   * @throws PosixException if the pipe cannot be read
   * @throws IllegalStateException if this is closed
   */
  public State receive(Duration timeout) throws PosixException {
    Deadline deadline = Deadline.after(timeout);
    State now = receive();
    while (now == State.WAITING && deadline.awaitReadable(descriptor)) {
      now = receive();
    }
    return now;
  }

  /** Closes both ends. A program that writes afterwards gets SIGPIPE, or {@code EPIPE}. */
  @Override
  public synchronized void close() throws PosixException {
    try (descriptor) {
      programDescriptor.close();
    }
  }
}
