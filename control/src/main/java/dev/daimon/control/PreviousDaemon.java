package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether a start may overwrite the pidfile of a previous daemon: if it is empty, or names
 * a process that has ended or is shown not to be the daemon. Otherwise a start could lose the
 * pidfile of a daemon that locks nothing, or has closed the descriptor that it inherited.
 */
final class PreviousDaemon {
  private PreviousDaemon() {}

  /**
   * Refuses a file that must not be overwritten.
   *
   * @throws MalformedPidFileException if it holds anything but a process id
   * @throws ControlException if that process may be the daemon
   */
  static void check(LockedFile file, Path guardFile) throws IOException {
    long pid;
    try {
      pid = PidFile.at(file.path()).readSole(file.descriptor());
    } catch (MalformedPidFileException malformed) {
      if (malformed.isEmpty()) {
        return;
      }
      throw malformed;
    }
    check(file.path(), guardFile, pid, file.owner(), file);
  }

  /** Refuses a process that may be the daemon. */
  static void check(Path pidFile, Path guardFile, long pid, long owner, @Nullable LockedFile file)
      throws IOException {
    try (PidFd process = Processes.open(pid)) {
      if (process == null) {
        return;
      }
      ProcessInfo info = Processes.info(process);
      if ((info == null && !process.isAlive()) || isAnother(guardFile, pid, owner, file, info)) {
        return;
      }
      throw new ControlException(
          Reason.UNKNOWN,
          pidFile
              + " names "
              + Processes.words(pid, info)
              + ", which runs, and nobody can show that it is not the daemon: if it is, it is"
              + " controlled with --pid-only; if it is another program's, remove the file");
    }
  }

  /**
   * Whether a process that is alive is shown not to be the daemon whose pidfile names it. This is
   * so if it is the process that starts the daemon, or a thread of the kernel, if it is not the
   * file owner's, or if it was started at another time than the daemon that had its id. A process
   * that is younger than the file may still be the daemon, since the clock may have been set.
   */
  private static boolean isAnother(
      Path guardFile, long pid, long owner, @Nullable LockedFile file, @Nullable ProcessInfo info)
      throws PosixException {
    return pid == ProcessHandle.current().pid()
        || (info != null && (info.kernelThread() || !info.mayBeSignalledBy(owner)))
        || (file != null && StartRecord.isAnother(guardFile, file, pid));
  }
}
