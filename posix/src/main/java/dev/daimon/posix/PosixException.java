package dev.daimon.posix;

import java.io.IOException;

/** Thrown if a system call failed; tells which call, its subject, and the error. */
public class PosixException extends IOException {
  private static final long serialVersionUID = 1;

  private final String call;
  private final String subject;
  private final int errno;

  /**
   * Makes the exception of a failed call.
   *
   * @param call the name of the call, such as {@code "open"}
   * @param subject what it was called on: a path, a pid, a descriptor's number; may be empty
   * @param errno the error
   */
  public PosixException(String call, String subject, Errno errno) {
    this(call, subject, errno, "");
  }

  /**
   * Makes the exception of a failed call, with an explanation.
   *
   * @param call the name of the call, such as {@code "open"}
   * @param subject what it was called on: a path, a pid, a descriptor's number; may be empty
   * @param errno the error
   * @param explanation how the message ends, such as {@code "; nobody reads this FIFO"}
   */
  public PosixException(String call, String subject, Errno errno, String explanation) {
    super((subject.isEmpty() ? call : call + " " + subject) + ": " + errno + explanation);
    this.call = call;
    this.subject = subject;
    this.errno = errno.number();
  }

  /**
   * Turns a binding's result into a value or an exception.
   *
   * @param result the result of a binding: a value, or the negated error number
   * @param call the name of the call
   * @param subject what it was called on; converted to text only if the call failed
   * @return the result, which is not negative
   * @throws PosixException if the result is negative
   */
  public static int check(int result, String call, Object subject) throws PosixException {
    if (result < 0) {
      throw new PosixException(call, subject.toString(), Errno.of(-result));
    }
    return result;
  }

  /**
   * Throws this exception if it is one of a {@linkplain Errno#isShortage shortage}. To be called
   * where an error otherwise means that there is nothing.
   *
   * @throws PosixException this one
   */
  public void throwIfShortage() throws PosixException {
    if (errno().isShortage()) {
      throw this;
    }
  }

  /** {@return the name of the call that failed, such as {@code "open"}} */
  public String call() {
    return call;
  }

  /** {@return what it was called on: a path, a pid, a descriptor's number; empty for nothing} */
  public String subject() {
    return subject;
  }

  /** {@return the error} */
  public Errno errno() {
    return Errno.of(errno);
  }
}
