package dev.daimon.startup;

import dev.daimon.forking.OutputFile;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's pidfile, lock file and output files: which there are, and what happens to them in
 * which order, from a description to a running program.
 *
 * <p>{@link #open}, then {@link #applyPendingChowns} and {@link #prepare}, then the program runs,
 * and {@link #writePid}; if anything fails, {@link #undo} takes back what was done so far. Every
 * failure is one of {@link Reason#FILE} unless it says otherwise.
 */
public final class DaemonFiles {
  /** What an init script says if a daemon's state cannot be told. */
  private static final int CANNOT_TELL = 4;

  private final FileSet set;
  private final @Nullable Identity identity;
  private final Progress progress;
  private final FileOpener opener;

  private @Nullable SingletonLock lockFile;
  private @Nullable SingletonLock pidFile;
  private FileOpener.@Nullable Opened<PidFile.Pending> unlockedPidFile;
  private @Nullable OutputFile standardOutput;
  private @Nullable OutputFile standardError;
  private NamedProcess named = NamedProcess.NONE;

  /** Files that are opened as an identity, if there is one, and are to be its own. */
  public DaemonFiles(FileSet set, @Nullable Identity identity, Progress progress) {
    this.set = set;
    this.identity = identity;
    this.progress = progress;
    opener = new FileOpener(identity);
  }

  /**
   * Locks and opens everything, and changes nothing that exists.
   *
   * @throws StartException {@link Reason#ALREADY_RUNNING} for a held lock, {@link
   *     Reason#CONFIGURATION} for one file with two purposes
   */
  public void open() {
    try {
      if (set.lockFile() != null) {
        lockFile = openLock(set.lockFile(), new FileKind.Lock()).file;
        progress.step("locked " + set.lockFile());
      }
      if (set.pidFile() != null && set.lock()) {
        FileOpener.Opened<SingletonLock> opened = openLock(set.pidFile(), new FileKind.Lock());
        pidFile = opened.file;
        if (!pidFile.created()) {
          opener.runAs(opened.asTarget, new Judgement(pidFile));
        }
        requireTrust(opened.asTarget && !pidFile.created() && named.owner() == 0);
        progress.step("locked " + set.pidFile());
      } else if (set.pidFile() != null) {
        unlockedPidFile = openLock(set.pidFile(), new FileKind.Unlocked());
        opener.runAs(unlockedPidFile.asTarget, new Judgement(null));
        requireTrust(/* rootsOwn= */ false);
      }
      if (set.standardOutput() != null) {
        standardOutput = opener.open(set.standardOutput(), new FileKind.Output(identity)).file;
        progress.step("opened " + set.standardOutput());
      }
      if (set.standardError() != null) {
        if (set.standardError().equals(set.standardOutput())) {
          standardError = standardOutput;
        } else {
          standardError = opener.open(set.standardError(), new FileKind.Output(identity)).file;
          progress.step("opened " + set.standardError());
        }
      }
      refuseOtherPurpose(standardOutput);
      refuseOtherPurpose(standardError);
    } catch (LockHeldException held) {
      refuseSameFile(set.pidFile(), set.lockFile(), "the lock file " + set.lockFile());
      throw refusal(held);
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, explained(failure));
    }
  }

  private <T> FileOpener.Opened<T> openLock(Path path, FileKind<T> kind) throws IOException {
    if (!set.rootsLocks()) {
      return opener.open(path, kind);
    }
    if (Identity.effectiveUser() != 0) {
      throw new IOException(path + ": only root can keep it root's");
    }
    return opener.openAsRoot(path, kind);
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

  /** Says who holds the lock, and how to go on if the daemon itself has ended. */
  private StartException refusal(LockHeldException held) {
    String message = String.valueOf(held.getMessage());
    try (LockedFile file = LockedFile.open(held.path()).orElse(null)) {
      if (file != null && held.holder().isEmpty() && held.ended().isEmpty()) {
        message = held.path() + " is locked by " + file.holdersInWords();
      }
      if (file != null && isStrangers(file, held)) {
        return new StartException(
            Reason.SYSTEM,
            CANNOT_TELL,
            message + "; another user has taken the lock: end that process, or remove the file");
      }
    } catch (IOException unseen) {
      // What is known already will do.
      return new StartException(Reason.ALREADY_RUNNING, "already running: " + message);
    }
    return new StartException(
        Reason.ALREADY_RUNNING,
        "already running: "
            + message
            + (held.ended().isPresent() && held.path().equals(set.pidFile())
                ? ": end what is left of its session with daimon stop --session -p "
                    + held.path()
                    + ", or the process by its id"
                : ""));
  }

  /** Whether the file names nobody who runs, and another user has taken the lock. */
  private boolean isStrangers(LockedFile file, LockHeldException held) throws IOException {
    return (held.ended().isPresent() || held.holder().isEmpty())
        && file.foreignHolder(0, Identity.effectiveUser(), user(identity)).isPresent();
  }

  /** Nothing but the locked file will do; a class, not a lambda, as in {@link FileOpener}. */
  private final class Judgement implements FileOpener.IoAction {
    /** Null for one that is not locked, and will be replaced. */
    private final @Nullable SingletonLock lock;

    Judgement(@Nullable SingletonLock lock) {
      this.lock = lock;
    }

    @Override
    public void run() throws IOException {
      Path path = Objects.requireNonNull(set.pidFile());
      named = judge(path, owner(), lock != null);
      if (lock != null && !lock.isAtPath()) {
        throw new IOException(path + " was removed or replaced during the start");
      }
    }
  }

  /**
   * Refuses a pidfile that is none, and one that was left by another user than root and the one
   * that the program will run as: whose it is could put any process into it, so nobody would
   * control a daemon by it.
   *
   * @param pidFile the file
   * @param identity who the program will run as; null for the user of this process
   * @param locked whether the file itself is taken over, and not replaced by another one
   * @return whom it names
   * @throws StartException {@link Reason#FILE} if it is refused
   * @throws IOException if it cannot be opened for reading
   */
  public static NamedProcess judge(Path pidFile, @Nullable Identity identity, boolean locked)
      throws IOException {
    try (LockedFile file = LockedFile.open(pidFile).orElse(null)) {
      if (file == null) {
        return NamedProcess.NONE;
      }
      if (locked) {
        requireOwner(file, identity);
      }
      return new NamedProcess(named(file), file.owner());
    }
  }

  /** The process id that is all the file says; 0 if it is empty. */
  private static long named(LockedFile file) throws IOException {
    try {
      return PidFile.at(file.path()).readSole(file.descriptor());
    } catch (MalformedPidFileException malformed) {
      if (malformed.isEmpty()) {
        return 0;
      }
      throw new StartException(Reason.FILE, malformed.getMessage() + "; it is left as it is");
    }
  }

  private static void requireOwner(LockedFile file, @Nullable Identity identity)
      throws IOException {
    long owner = file.owner();
    if (owner != 0 && owner != user(identity)) {
      throw new StartException(
          Reason.FILE,
          file.path()
              + " belongs to user "
              + owner
              + ", but the program would run as user "
              + user(identity)
              + ": remove the file");
    }
  }

  private void requireTrust(boolean rootsOwn) throws IOException {
    if (set.pidFile() != null) {
      Ownership.requireTrust(set.pidFile(), rootsOwn ? 0 : user(owner()));
    }
  }

  /** Whose the pidfile is to be; null for the user of this process. */
  private @Nullable Identity owner() {
    return set.rootsLocks() ? null : identity;
  }

  /** The user that the program will run as. */
  public static long user(@Nullable Identity identity) {
    return identity != null && identity.uid().isPresent()
        ? identity.uid().getAsLong()
        : Identity.effectiveUser();
  }

  /** Whom the pidfile named when it was opened. */
  public NamedProcess namedProcess() {
    return named;
  }

  /** An output file that is locked as well, by another name. */
  private void refuseOtherPurpose(@Nullable OutputFile output) throws IOException {
    if (output == null) {
      return;
    }
    if (lockFile != null && output.isSameFile(lockFile.descriptor())) {
      throw oneFile(output.path(), "the lock file " + lockFile.path());
    }
    if (pidFile != null && output.isSameFile(pidFile.descriptor())) {
      throw oneFile(output.path(), "the pidfile " + pidFile.path());
    }
    if (unlockedPidFile != null) {
      refuseSameFile(output.path(), set.pidFile(), "the pidfile " + set.pidFile());
    }
  }

  /**
   * Refuses two paths of one file, which a comparison of the paths does not show: hard links, and
   * linked directories.
   *
   * @param other what the second path is, in words
   * @throws StartException {@link Reason#CONFIGURATION}
   */
  public static void refuseSameFile(@Nullable Path one, @Nullable Path two, String other) {
    try {
      if (one != null && two != null && Files.isSameFile(one, two)) {
        throw oneFile(one, other);
      }
    } catch (IOException missing) {
      // What is not there is not the same.
      return;
    }
  }

  private static StartException oneFile(Path path, String other) {
    return new StartException(Reason.CONFIGURATION, path + " is " + other + " by another name");
  }

  /**
   * Gives the files that root opened in the user's stead to the user. All are open by then, so a
   * failed opening has given nothing away.
   */
  public void applyPendingChowns() {
    try {
      opener.applyPendingChowns();
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /**
   * What {@link #applyPendingChowns} hands over, as data: for another process that has inherited
   * the descriptors to do it. Complete once everything is open.
   */
  public List<PendingChown> pendingChowns() {
    return opener.pendingChowns();
  }

  /** Empties the pidfile, with space for the pid reserved, and then output files that are to be. */
  public void prepare() {
    try {
      if (pidFile != null) {
        pidFile.prepare();
      }
      if (set.truncate()) {
        truncate(standardOutput);
        truncate(standardError == standardOutput ? null : standardError);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  private static void truncate(@Nullable OutputFile output) throws IOException {
    if (output != null) {
      output.truncate();
    }
  }

  /** Names the program that runs, if the files are still the ones that were locked. */
  public void writePid(long pid) {
    try {
      if (pidFile != null) {
        pidFile.write(pid);
        // A file that was there before stays, and must not name a program that is stopped again.
        opener.onUndo(new Empty(pidFile));
      } else if (unlockedPidFile != null) {
        commit(unlockedPidFile, pid);
      }
      requireInPlace();
      if (set.pidFile() != null) {
        progress.step("wrote process id " + pid + " to " + set.pidFile());
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /** A class, not a lambda, as in {@link FileOpener}. */
  private record Empty(SingletonLock pidFile) implements FileOpener.IoAction {
    @Override
    public void run() throws IOException {
      pidFile.empty();
    }
  }

  private void commit(FileOpener.Opened<PidFile.Pending> pending, long pid) throws IOException {
    opener.runAs(pending.asTarget, () -> pending.file.commit(pid));
    if (set.pidFile() != null) {
      PidFile committed = PidFile.at(set.pidFile());
      opener.onUndo(() -> opener.runAs(pending.asTarget, () -> removeIfNaming(committed, pid)));
    }
  }

  /** Nobody else's: without a lock another start may have put its own in place. */
  private static void removeIfNaming(PidFile pidFile, long pid) throws IOException {
    if (pidFile.read() == pid) {
      pidFile.remove();
    }
  }

  /**
   * Makes sure that nobody has removed or replaced what is locked: another one could start then.
   */
  public void requireInPlace() {
    try {
      requireInPlace(pidFile);
      requireInPlace(lockFile);
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  private static void requireInPlace(@Nullable SingletonLock lock) throws IOException {
    if (lock != null && !lock.isAtPath()) {
      throw new StartException(
          Reason.FILE,
          lock.path() + " was removed or replaced during the start; the program was stopped again");
    }
  }

  /** The pidfile's lock; null if it has none, or is not open. */
  public @Nullable SingletonLock pidFileLock() {
    return pidFile;
  }

  /** The lock file's lock; null if there is none, or it is not open. */
  public @Nullable SingletonLock lockFileLock() {
    return lockFile;
  }

  /** The locks, which the program holds for its life. */
  public List<Descriptor> lockDescriptors() {
    List<Descriptor> descriptors = new ArrayList<>(2);
    if (lockFile != null) {
      descriptors.add(lockFile.descriptor());
    }
    if (pidFile != null) {
      descriptors.add(pidFile.descriptor());
    }
    return descriptors;
  }

  /** Where standard output goes; null if not to a file. */
  public @Nullable Descriptor standardOutput() {
    return standardOutput == null ? null : standardOutput.descriptor();
  }

  /** Where standard error goes; null if not to a file. */
  public @Nullable Descriptor standardError() {
    return standardError == null ? null : standardError.descriptor();
  }

  /** Takes everything back, the last thing first; what cannot be is told with the reason why. */
  public void undo(Throwable reason) {
    for (Exception left : opener.undo()) {
      progress.step("not taken back: " + left.getMessage());
      reason.addSuppressed(left);
    }
  }

  /**
   * Leaves everything to the daemon, which has the same open files: closes them here, and removes
   * nothing; the locks stay held. For the time after success, when there is nothing to take back.
   *
   * @throws StartException if what was written could not be stored; all are closed even so
   */
  public void release() {
    try {
      opener.release();
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }
}
