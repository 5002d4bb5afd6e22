package dev.daimon.posix;

import dev.daimon.posix.call.Files;

/**
 * An open file descriptor with its owner: closing this object closes the descriptor.
 *
 * <p>Safe for use by several threads. The kernel may reuse the number as soon as the descriptor is
 * closed: do not use a {@linkplain #number() number} after that.
 */
public final class Descriptor implements AutoCloseable {
  private static final int CLOSED = -1;

  private int number;

  private Descriptor(int number) {
    this.number = number;
  }

  /**
   * Takes ownership of an open descriptor: from now on this object alone closes it.
   *
   * @param number the descriptor's number, not negative
   * @return the owner of the descriptor
   * @throws IllegalArgumentException if the number is negative
   */
  public static Descriptor adopt(int number) {
    if (number < 0) {
      throw new IllegalArgumentException("not a descriptor: " + number);
    }
    return new Descriptor(number);
  }

  /**
   * Returns the number of the descriptor.
   *
   * @return the number, not negative
   * @throws IllegalStateException if it is closed
   */
  public synchronized int number() {
    if (number == CLOSED) {
      throw new IllegalStateException("the descriptor is closed");
    }
    return number;
  }

  /**
   * Makes a second descriptor of the same open file, marked close-on-exec. Both share the file's
   * position, status flags and {@code flock} lock.
   *
   * @return the new descriptor, to be closed by the caller
   * @throws IllegalStateException if this one is closed
   * @throws PosixException if the process has no descriptor left ({@code EMFILE})
   * @see <a href="https://man7.org/linux/man-pages/man2/F_DUPFD.2const.html">F_DUPFD_CLOEXEC(2)</a>
   */
  public Descriptor duplicate() throws PosixException {
    return duplicate(3);
  }

  /**
   * Makes a second descriptor as {@link #duplicate()} does, with a number that is not below a given
   * one.
   *
   * @param lowest the lowest number, not negative
   * @return the new descriptor, to be closed by the caller
   * @throws IllegalArgumentException if the lowest number is negative
   * @throws IllegalStateException if this one is closed
   * @throws PosixException {@code EMFILE} if the process has no such number left
   */
  // Locked during the call: after a close in between, the number could be another file's.
  public synchronized Descriptor duplicate(int lowest) throws PosixException {
    if (lowest < 0) {
      throw new IllegalArgumentException("not a descriptor: " + lowest);
    }
    int number = number();
    int copy = Files.fcntl(number, Files.F_DUPFD_CLOEXEC, lowest);
    if (copy == -Errno.EINVAL.number()) {
      // The kernel's answer if the lowest number is not below the limit.
      copy = -Errno.EMFILE.number();
    }
    return adopt(PosixException.check(copy, "fcntl F_DUPFD_CLOEXEC", number));
  }

  /**
   * Closes the descriptor; a second call does nothing.
   *
   * <p>The descriptor is closed even if this method throws an exception, so do not retry: Linux
   * frees the number whatever {@code close} returns. After an {@link OutOfMemoryError} it may be
   * open, and a further call closes it then.
   *
   * @throws PosixException if the file could not store what was written before ({@code EIO}, {@code
   *     ENOSPC}, {@code EDQUOT}), or other code has closed the number ({@code EBADF})
   * @see <a href="https://man7.org/linux/man-pages/man2/close.2.html">close(2)</a>
   */
  @Override
  public void close() throws PosixException {
    int closing;
    synchronized (this) {
      closing = number;
      number = CLOSED;
    }
    if (closing != CLOSED) {
      int result = close(closing);
      if (result < 0) {
        // Not by check, whose subject takes memory also if the call has not failed.
        throw new PosixException("close", Integer.toString(closing), Errno.of(-result));
      }
    }
  }

  private int close(int closing) {
    try {
      return Files.close(closing);
    } catch (OutOfMemoryError notCalled) {
      synchronized (this) {
        number = closing;
      }
      throw notCalled;
    }
  }

  @Override
  public synchronized String toString() {
    return number == CLOSED ? "closed descriptor" : "descriptor " + number;
  }
}
