package dev.daimon.control;

import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.FileAction;
import dev.daimon.privileges.Identity;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Opens and examines processes. One that has ended, or that is hidden from this user, is no failure
 * here.
 */
final class Processes {
  private Processes() {}

  /** All processes that can be seen now. Java lists the ids in /proc. */
  static long[] all() throws PosixException {
    String _ = ProcDirectory.ofAll();
    return ProcessHandle.allProcesses().mapToLong(ProcessHandle::pid).toArray();
  }

  /** Opens a process; null if it has ended, whether or not its exit status was taken. */
  static @Nullable PidFd open(long pid) throws PosixException {
    PidFd process;
    try {
      process = PidFd.open(pid);
    } catch (PosixException failure) {
      Errno errno = failure.errno();
      if (errno.equals(Errno.ESRCH) || errno.equals(Errno.EINVAL) || errno.equals(Errno.ENOENT)) {
        // Gone; or the id is a thread's by now.
        return null;
      }
      throw failure;
    }
    if (process.isAlive()) {
      return process;
    }
    process.close();
    return null;
  }

  /** Closes a handle that was used to examine a process: nothing is lost if this fails. */
  static void close(PidFd process) {
    try {
      process.close();
    } catch (PosixException nothingLost) {
      return;
    }
  }

  /** Whether the process runs that has this id now. */
  static boolean isRunning(long pid) throws PosixException {
    try (PidFd process = open(pid)) {
      return process != null;
    }
  }

  /** Describes a process; null if it has ended, or is hidden from this user. */
  static @Nullable ProcessInfo info(PidFd process) throws PosixException {
    try {
      return process.info();
    } catch (PosixException failure) {
      if (isHidden(failure.errno())) {
        return null;
      }
      throw failure;
    }
  }

  /** Whether a process has ended meanwhile, is another user's, or has too much to examine. */
  static boolean isHidden(Errno errno) {
    return errno.equals(Errno.ETIMEDOUT)
        || errno.equals(Errno.ESRCH)
        || errno.equals(Errno.ENOENT)
        || errno.equals(Errno.EACCES)
        || errno.equals(Errno.EPERM);
  }

  /** A process in words, such as {@code "process 123 (nginx)"}. */
  static String words(long pid, @Nullable ProcessInfo info) {
    return "process "
        + pid
        + (info == null || info.name().isEmpty() ? "" : " (" + info.name() + ")");
  }

  /** Examines what a process has open; if this user may not, then as the user of the process. */
  static <T> T examine(ProcessInfo process, FileAction<T> question) throws IOException {
    try {
      return question.run();
    } catch (PosixException denied) {
      return examineAsItsUser(process, question, denied);
    }
  }

  /**
   * Examines what a process has open as the user of the process. Root without {@code
   * CAP_SYS_PTRACE}, as in most containers, may not examine the process of another user; with the
   * rights of that user it may.
   *
   * @param denied why this user may not; thrown if no other user can be used
   */
  static <T> T examineAsItsUser(ProcessInfo process, FileAction<T> question, PosixException denied)
      throws IOException {
    if (!denied.errno().equals(Errno.EACCES)
        || process.realUser() == 0
        || Identity.effectiveUser() != 0) {
      throw denied;
    }
    return Identity.of("#" + process.realUser(), "#" + process.realGroup()).accessFiles(question);
  }

  /**
   * Sends a signal, and then CONT, since a stopped process handles a signal only when it continues.
   * A process that has ended meanwhile needs none.
   */
  static void send(PidFd process, Signal signal) throws PosixException {
    try {
      process.send(signal);
      process.send(Signal.CONT);
    } catch (PosixException failure) {
      if (!failure.errno().equals(Errno.ESRCH)) {
        throw failure;
      }
    }
  }
}
