package dev.daimon.readiness;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;

/** The native calls of {@link NewlineNotifier}: a class that is loaded when it says something. */
final class NewlineWriter {
  private static final int STANDARD_ERROR = 2;
  private static final int TIMEOUT_MILLIS = 5000;

  private NewlineWriter() {}

  /** A number that the supervisor did not pass may be a file of the JVM's own. */
  static void requirePipe(int number) throws PosixException {
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(number, status), "fstat", number);
    int flags =
        PosixException.check(Files.fcntl(number, Files.F_GETFL, 0), "fcntl F_GETFL", number);
    if (!status.isFifo() || (flags & Files.O_ACCMODE) == Files.O_RDONLY) {
      throw new PosixException(
          "write", Integer.toString(number), Errno.EBADF, "; it is not a pipe to write to");
    }
  }

  /** Writes a newline and closes the pipe, also if nobody reads it. */
  static void write(int number) throws PosixException {
    try {
      if (PosixException.check(
              Polling.poll(number, Polling.POLLOUT, TIMEOUT_MILLIS), "poll", number)
          == 0) {
        throw new PosixException("write", Integer.toString(number), Errno.ETIMEDOUT);
      }
      // A JVM ignores SIGPIPE.
      PosixException.check(Files.write(number, new byte[] {'\n'}), "write", number);
    } catch (PosixException failure) {
      Cleanup.close(() -> close(number), failure);
      throw failure;
    }
    close(number);
  }

  private static void close(int number) throws PosixException {
    if (number > STANDARD_ERROR) {
      PosixException.check(Files.close(number), "close", number);
      return;
    }
    try (Descriptor device = NullDevice.open()) {
      PosixException.check(Files.dup2(device.number(), number), "dup2", number);
    }
  }
}
