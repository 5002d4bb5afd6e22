package dev.daimon.cli;

import dev.daimon.forking.OutputFile;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's pidfile, lock file and output files: opened before the program starts, and put back
 * if it does not.
 *
 * <p>With a target user a file is opened <em>as that user</em>, so nobody can make root open what
 * the user could not. Only where the user may not, root opens it, if nobody but root can change
 * anything on the way there; the file then changes owner.
 */
final class DaemonFiles {
  private final Request request;
  private final @Nullable Identity identity;
  private final Terminal terminal;

  /** How to take back what was done, first things first. */
  private final List<Step> undo = new ArrayList<>();

  /** What changes owner, once everything is open. */
  private final List<Step> gifts = new ArrayList<>();

  private @Nullable SingletonLock lockFile;
  private @Nullable SingletonLock pidFile;
  private @Nullable Opened<PidFile.Pending> unlockedPidFile;
  private @Nullable OutputFile standardOutput;
  private @Nullable OutputFile standardError;

  DaemonFiles(Request request, @Nullable Identity identity, Terminal terminal) {
    this.request = request;
    this.identity = identity;
    this.terminal = terminal;
  }

  /** Something done with the rights that a file was opened with. */
  private interface Step {
    void run() throws IOException;
  }

  /** A file, and whether it was opened as the target user: what is done to it later is, too. */
  private static final class Opened<T> {
    final T file;
    final boolean asTarget;

    Opened(T file, boolean asTarget) {
      this.file = file;
      this.asTarget = asTarget;
    }
  }

  /** How a kind of file is opened and taken back. */
  private interface Kind<T> {
    T open(Path path) throws IOException;

    Descriptor descriptor(T file);

    boolean created(T file);

    void undo(T file) throws IOException;
  }

  /**
   * Locks and opens everything, and changes nothing that exists.
   *
   * @throws Failure 69 for a held lock, 73 for everything else, 64 for one file with two purposes
   */
  void open() throws Failure {
    try {
      if (request.lockFile != null) {
        lockFile = open(request.lockFile, new Lock()).file;
        terminal.step("locked " + request.lockFile);
      }
      if (request.pidFile != null && request.lock) {
        pidFile = open(request.pidFile, new Lock()).file;
        terminal.step("locked " + request.pidFile);
      } else if (request.pidFile != null) {
        unlockedPidFile = open(request.pidFile, new Unlocked());
      }
      if (request.standardOutput != null) {
        standardOutput = open(request.standardOutput, new Output()).file;
        terminal.step("opened " + request.standardOutput);
      }
      if (request.standardError != null) {
        if (request.standardError.equals(request.standardOutput)) {
          standardError = standardOutput;
        } else {
          standardError = open(request.standardError, new Output()).file;
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
        return message + "; it is a symbolic link";
      }
      if (posix.errno().equals(Errno.ENXIO)) {
        return message + "; it is a FIFO that nobody reads";
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

  private static boolean isSameFile(@Nullable Path one, @Nullable Path other) {
    try {
      return one != null && other != null && Files.isSameFile(one, other);
    } catch (IOException missing) {
      return false;
    }
  }

  private static Failure usage(@Nullable Path path, String other) {
    return new Failure(Failure.USAGE, path + " is " + other + " by another name");
  }

  /**
   * Gives the files to their new owner; empties the pidfile, with space for the pid reserved, and
   * then the output files.
   */
  void prepare() throws Failure {
    try {
      for (Step gift : gifts) {
        gift.run();
      }
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
        undo.add(pidFile::empty);
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

  private void commit(Opened<PidFile.Pending> pending, long pid) throws IOException {
    runAs(pending.asTarget, () -> pending.file.commit(pid));
    if (request.pidFile != null) {
      PidFile committed = PidFile.at(request.pidFile);
      undo.add(() -> runAs(pending.asTarget, () -> removeIfNaming(committed, pid)));
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
    for (int i = undo.size() - 1; i >= 0; i--) {
      try {
        undo.get(i).run();
      } catch (IOException second) {
        terminal.step("not taken back: " + second.getMessage());
        reason.addSuppressed(second);
      }
    }
    undo.clear();
  }

  private <T> Opened<T> open(Path path, Kind<T> kind) throws IOException {
    if (identity == null) {
      T file = kind.open(path);
      undo.add(() -> kind.undo(file));
      return new Opened<>(file, false);
    }
    try {
      T file = identity.call(() -> kind.open(path));
      undo.add(() -> runAs(true, () -> kind.undo(file)));
      return new Opened<>(file, true);
    } catch (PosixException denied) {
      requireRootsAlone(path, denied);
    }
    T file = kind.open(path);
    undo.add(() -> kind.undo(file));
    gifts.add(() -> Ownership.give(kind.descriptor(file), path, identity, kind.created(file)));
    return new Opened<>(file, false);
  }

  private static void requireRootsAlone(Path path, PosixException denied) throws IOException {
    Errno errno = denied.errno();
    Path directory = path.getParent();
    boolean forbidden = errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM);
    if (!forbidden || directory == null) {
      throw denied;
    }
    if (!Ownership.isRootsAlone(directory)) {
      throw new IOException(
          denied.getMessage()
              + " for the user, and root opens nothing where others can interfere: "
              + directory
              + " is not root's alone");
    }
  }

  private void runAs(boolean target, Step step) throws IOException {
    if (target && identity != null) {
      boolean _ =
          identity.call(() -> {
            step.run();
            return true;
          });
    } else {
      step.run();
    }
  }

  private static final class Lock implements Kind<SingletonLock> {
    @Override
    public SingletonLock open(Path path) throws IOException {
      return SingletonLock.acquire(path);
    }

    @Override
    public Descriptor descriptor(SingletonLock lock) {
      return lock.descriptor();
    }

    @Override
    public boolean created(SingletonLock lock) {
      return lock.created();
    }

    @Override
    public void undo(SingletonLock lock) throws IOException {
      if (lock.created()) {
        lock.remove();
      }
      lock.close();
    }
  }

  private static final class Unlocked implements Kind<PidFile.Pending> {
    @Override
    public PidFile.Pending open(Path path) throws IOException {
      // Only the rename would tell, with the program running.
      if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        throw new PosixException("rename", path.toString(), Errno.EISDIR);
      }
      return PidFile.at(path).prepare();
    }

    @Override
    public Descriptor descriptor(PidFile.Pending pending) {
      return pending.descriptor();
    }

    @Override
    public boolean created(PidFile.Pending pending) {
      return true;
    }

    @Override
    public void undo(PidFile.Pending pending) throws IOException {
      pending.close();
    }
  }

  private static final class Output implements Kind<OutputFile> {
    @Override
    public OutputFile open(Path path) throws IOException {
      return OutputFile.open(path);
    }

    @Override
    public Descriptor descriptor(OutputFile output) {
      return output.descriptor();
    }

    @Override
    public boolean created(OutputFile output) {
      return output.created();
    }

    @Override
    public void undo(OutputFile output) throws IOException {
      output.removeIfCreated();
      output.close();
    }
  }
}
