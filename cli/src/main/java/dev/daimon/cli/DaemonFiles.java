package dev.daimon.cli;

import dev.daimon.forking.OutputFile;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's pidfile, lock file and output files: which there are, and what happens to them in
 * which order, from a request to a running program.
 */
final class DaemonFiles {
  private final Request request;
  private final Terminal terminal;
  private final FileOpener opener;

  private @Nullable SingletonLock lockFile;
  private @Nullable SingletonLock pidFile;
  private FileOpener.@Nullable Opened<PidFile.Pending> unlockedPidFile;
  private @Nullable OutputFile standardOutput;
  private @Nullable OutputFile standardError;

  DaemonFiles(Request request, @Nullable Identity identity, Terminal terminal) {
    this.request = request;
    this.terminal = terminal;
    opener = new FileOpener(identity);
  }

  /**
   * Locks and opens everything, and changes nothing that exists.
   *
   * @throws Failure 69 for a held lock, 73 for everything else, 64 for one file with two purposes
   */
  void open() throws Failure {
    try {
      if (request.lockFile != null) {
        lockFile = opener.open(request.lockFile, new FileKind.Lock()).file;
        terminal.step("locked " + request.lockFile);
      }
      if (request.pidFile != null && request.lock) {
        pidFile = opener.open(request.pidFile, new FileKind.Lock()).file;
        terminal.step("locked " + request.pidFile);
      } else if (request.pidFile != null) {
        unlockedPidFile = opener.open(request.pidFile, new FileKind.Unlocked());
      }
      if (request.standardOutput != null) {
        standardOutput = opener.open(request.standardOutput, new FileKind.Output()).file;
        terminal.step("opened " + request.standardOutput);
      }
      if (request.standardError != null) {
        if (request.standardError.equals(request.standardOutput)) {
          standardError = standardOutput;
        } else {
          standardError = opener.open(request.standardError, new FileKind.Output()).file;
          terminal.step("opened " + request.standardError);
        }
      }
      refuseSameFile(standardOutput);
      refuseSameFile(standardError);
    } catch (LockHeldException held) {
      if (isSameFile(request.lockFile, request.pidFile)) {
        throw usage(request.pidFile, "the lock file " + request.lockFile);
      }
      throw new Failure(Failure.ALREADY_RUNNING, "already running: " + held.getMessage());
    } catch (IOException failure) {
      throw new Failure(Failure.CANNOT_CREATE, explained(failure));
    }
  }

  /** What the kernel's words hide from a person. */
  private static String explained(IOException failure) {
    String message = String.valueOf(failure.getMessage());
    if (failure instanceof PosixException posix && posix.call().equals("open")) {
      if (posix.errno().equals(Errno.ELOOP)) {
        return message + "; a symbolic link is not followed";
      }
      if (posix.errno().equals(Errno.ENXIO)) {
        return message + "; nobody reads this FIFO, or it is a socket";
      }
    }
    return message;
  }

  /** Hard links and linked directories: another name, and still the same file. */
  private void refuseSameFile(@Nullable OutputFile output) throws Failure, IOException {
    if (output == null) {
      return;
    }
    if (lockFile != null && output.isSameFile(lockFile.descriptor())) {
      throw usage(output.path(), "the lock file " + lockFile.path());
    }
    boolean locked = pidFile != null && output.isSameFile(pidFile.descriptor());
    boolean unlocked = unlockedPidFile != null && isSameFile(output.path(), request.pidFile);
    if (locked || unlocked) {
      throw usage(output.path(), "the pidfile " + request.pidFile);
    }
  }

  static boolean isSameFile(@Nullable Path one, @Nullable Path other) {
    try {
      return one != null && other != null && Files.isSameFile(one, other);
    } catch (IOException missing) {
      return false;
    }
  }

  static Failure usage(@Nullable Path path, String other) {
    return new Failure(Failure.USAGE, path + " is " + other + " by another name");
  }

  /**
   * Gives the files to their new owner; empties the pidfile, with space for the pid reserved, and
   * then the output files.
   */
  void prepare() throws Failure {
    try {
      opener.give();
      if (pidFile != null) {
        pidFile.prepare();
      }
      if (!request.append) {
        truncate(standardOutput);
        truncate(standardError == standardOutput ? null : standardError);
      }
    } catch (IOException failure) {
      throw new Failure(Failure.CANNOT_CREATE, failure);
    }
  }

  private static void truncate(@Nullable OutputFile output) throws IOException {
    if (output != null) {
      output.truncate();
    }
  }

  /** Names the program that runs, if the files are still the ones that were locked. */
  void writePid(long pid) throws Failure {
    try {
      if (pidFile != null) {
        pidFile.write(pid);
        // A file that was there before stays, and must not name a program that is stopped again.
        opener.onUndo(pidFile::empty);
        requireInPlace(pidFile);
      } else if (unlockedPidFile != null) {
        commit(unlockedPidFile, pid);
      }
      if (lockFile != null) {
        requireInPlace(lockFile);
      }
      if (request.pidFile != null) {
        terminal.step("wrote process id " + pid + " to " + request.pidFile);
      }
    } catch (IOException failure) {
      throw new Failure(Failure.CANNOT_CREATE, failure);
    }
  }

  private void commit(FileOpener.Opened<PidFile.Pending> pending, long pid) throws IOException {
    opener.runAs(pending.asTarget, () -> pending.file.commit(pid));
    if (request.pidFile != null) {
      PidFile committed = PidFile.at(request.pidFile);
      opener.onUndo(() -> opener.runAs(pending.asTarget, () -> removeIfNaming(committed, pid)));
    }
  }

  /** Nobody else's: without a lock another start may have put its own in place. */
  private static void removeIfNaming(PidFile pidFile, long pid) throws IOException {
    if (pidFile.read() == pid) {
      pidFile.remove();
    }
  }

  private static void requireInPlace(SingletonLock lock) throws Failure, IOException {
    if (!lock.isAtPath()) {
      throw new Failure(
          Failure.CANNOT_CREATE,
          lock.path() + " was removed or replaced during the start; the program was stopped again");
    }
  }

  /** The locks, which the program holds for its life. */
  List<Descriptor> lockDescriptors() {
    List<Descriptor> descriptors = new ArrayList<>(2);
    if (lockFile != null) {
      descriptors.add(lockFile.descriptor());
    }
    if (pidFile != null) {
      descriptors.add(pidFile.descriptor());
    }
    return descriptors;
  }

  @Nullable Descriptor standardOutput() {
    return standardOutput == null ? null : standardOutput.descriptor();
  }

  @Nullable Descriptor standardError() {
    return standardError == null ? null : standardError.descriptor();
  }

  /** Takes everything back, the last thing first; what cannot be is told with the reason why. */
  void undo(Failure reason) {
    for (IOException left : opener.undo()) {
      terminal.step("not taken back: " + left.getMessage());
      reason.addSuppressed(left);
    }
  }
}
