package dev.daimon.posix;

import dev.daimon.posix.call.ErrorText;

/**
 * An error number of the C library, such as {@code ENOENT}.
 *
 * <p>This is a value type and not an enum, because a newer kernel may return a number that has no
 * constant here; {@link #of(int)} accepts it. Names and descriptions come from the C library.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/errno.3.html">errno(3)</a>
 */
public final class Errno {
  /** Operation not permitted. */
  public static final Errno EPERM = new Errno(1);

  /** No such file or directory. */
  public static final Errno ENOENT = new Errno(2);

  /** No such process. */
  public static final Errno ESRCH = new Errno(3);

  /** Interrupted system call. */
  public static final Errno EINTR = new Errno(4);

  /** No such device or address; for an open: a FIFO that nobody reads. */
  public static final Errno ENXIO = new Errno(6);

  /** Argument list too long. */
  public static final Errno E2BIG = new Errno(7);

  /** Exec format error. */
  public static final Errno ENOEXEC = new Errno(8);

  /** Bad file descriptor. */
  public static final Errno EBADF = new Errno(9);

  /** No child processes. */
  public static final Errno ECHILD = new Errno(10);

  /** Resource temporarily unavailable; the same number as {@code EWOULDBLOCK}. */
  public static final Errno EAGAIN = new Errno(11);

  /** Cannot allocate memory. */
  public static final Errno ENOMEM = new Errno(12);

  /** Permission denied. */
  public static final Errno EACCES = new Errno(13);

  /** In use: by another process, or for a moment by another thread. */
  public static final Errno EBUSY = new Errno(16);

  /** File exists. */
  public static final Errno EEXIST = new Errno(17);

  /** Not a directory. */
  public static final Errno ENOTDIR = new Errno(20);

  /** Is a directory. */
  public static final Errno EISDIR = new Errno(21);

  /** Invalid argument. */
  public static final Errno EINVAL = new Errno(22);

  /** Too many open files on this machine. */
  public static final Errno ENFILE = new Errno(23);

  /** Too many open files in this process. */
  public static final Errno EMFILE = new Errno(24);

  /** Text file busy: a program that is open for writing cannot be executed. */
  public static final Errno ETXTBSY = new Errno(26);

  /** No space left on device. */
  public static final Errno ENOSPC = new Errno(28);

  /** Read-only file system. */
  public static final Errno EROFS = new Errno(30);

  /** Broken pipe: nobody reads it any more. */
  public static final Errno EPIPE = new Errno(32);

  /** Numerical result out of range; for a look-up: the buffer is too small. */
  public static final Errno ERANGE = new Errno(34);

  /** File name too long. */
  public static final Errno ENAMETOOLONG = new Errno(36);

  /** Function not implemented. */
  public static final Errno ENOSYS = new Errno(38);

  /** Directory not empty. */
  public static final Errno ENOTEMPTY = new Errno(39);

  /** Too many levels of symbolic links; with {@code O_NOFOLLOW}: the file is one. */
  public static final Errno ELOOP = new Errno(40);

  /** Operation not supported. */
  public static final Errno EOPNOTSUPP = new Errno(95);

  /** Transport endpoint is not connected; for datagrams: the other end is gone. */
  public static final Errno ENOTCONN = new Errno(107);

  /** Too many references: too many descriptors of this user are on their way through sockets. */
  public static final Errno ETOOMANYREFS = new Errno(109);

  /** Connection timed out; also used for other operations that were not done in time. */
  public static final Errno ETIMEDOUT = new Errno(110);

  /** Socket operation on a descriptor that is no socket. */
  public static final Errno ENOTSOCK = new Errno(88);

  /** Address family not supported by protocol. */
  public static final Errno EAFNOSUPPORT = new Errno(97);

  /** Address already in use. */
  public static final Errno EADDRINUSE = new Errno(98);

  /** Cannot assign requested address. */
  public static final Errno EADDRNOTAVAIL = new Errno(99);

  /** Connection refused: nobody reads this socket. */
  public static final Errno ECONNREFUSED = new Errno(111);

  /** Stale file handle: the file is no longer what it was when it was opened. */
  public static final Errno ESTALE = new Errno(116);

  /** Disk quota exceeded. */
  public static final Errno EDQUOT = new Errno(122);

  private final int number;

  private Errno(int number) {
    this.number = number;
  }

  /**
   * Returns the error of this number. For an error that is known by its name, use the constant.
   *
   * @param number the value of {@code errno}, from 1 to 4095
   * @return that error
   * @throws IllegalArgumentException if the number is outside that range
   */
  public static Errno of(int number) {
    if (number < 1 || number > 4095) {
      throw new IllegalArgumentException("not an error number: " + number);
    }
    return new Errno(number);
  }

  /** {@return the value of {@code errno}} */
  public int number() {
    return number;
  }

  /**
   * {@return the symbolic name, such as {@code "ENOENT"}; {@code "errno 4000"} for a number the C
   * library does not know}
   */
  public String name() {
    return ErrorText.name(number);
  }

  /** {@return the C library's description, in English: {@code "No such file or directory"}} */
  public String description() {
    return ErrorText.description(number);
  }

  /**
   * Tells whether this process or the machine has run out of descriptors or memory ({@code EMFILE},
   * {@code ENFILE}, {@code ENOMEM}). Such an error says nothing about what was asked for: neither
   * that it is there, nor that it is not.
   *
   * @return whether it has
   */
  public boolean isShortage() {
    return equals(EMFILE) || equals(ENFILE) || equals(ENOMEM);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Errno errno && errno.number == number;
  }

  @Override
  public int hashCode() {
    return number;
  }

  /** {@return description, name and number: {@code "No such file or directory (ENOENT, 2)"}} */
  @Override
  public String toString() {
    return description() + " (" + name() + ", " + number + ")";
  }
}
