package dev.daimon.startup;

import dev.daimon.forking.OutputFile;
import dev.daimon.locking.LockHeldException;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfile.MalformedPidFileException;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Descriptor;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The pidfile, lock file and output files of one start, from their paths to a running program.
 *
 * <p>The caller keeps this order: {@link #open}; {@link #applyPendingChowns} and {@link #prepare};
 * start the program; {@link #writePid}; {@link #release}. If a step fails, the caller calls {@link
 * #undo}, which takes back all earlier steps. A failed step throws a {@link StartException} with
 * {@link Reason#FILE}, unless the method names another reason.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class DaemonFiles {
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

  /**
   * Prepares a start; nothing is opened yet.
   *
   * @param set the files
   * @param identity the identity that the files are opened as and are to belong to; null for this
   *     process' own
   * @param progress receives the steps
   */
  public DaemonFiles(FileSet set, @Nullable Identity identity, Progress progress) {
    Objects.requireNonNull(set, "set");
    Objects.requireNonNull(progress, "progress");
    this.set = set;
    this.identity = identity;
    this.progress = progress;
    opener = new FileOpener(identity);
  }

  /**
   * Has {@link #undo} remove directories, too, after the files in them. Call it before {@link
   * #open}.
   *
   * @param made the directories
   */
  public void undoLast(MadeDirectories made) {
    Objects.requireNonNull(made, "made");
    opener.onUndo(() -> {
      IOException left = new IOException("not all directories were removed");
      made.undo(left);
      for (Throwable each : left.getSuppressed()) {
        throw each instanceof IOException failure ? failure : new IOException(each);
      }
    });
  }

  /**
   * Locks and opens all files, and changes nothing that exists.
   *
   * @throws StartException {@link Reason#ALREADY_RUNNING} for a held lock, {@link
   *     Reason#CANNOT_TELL} if another user's process holds it, {@link Reason#CONFIGURATION} for
   *     one file with two purposes
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
      FilePurposes.refuseSameFile(set.pidFile(), set.lockFile(), "the lock file " + set.lockFile());
      throw refusal(held);
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, String.valueOf(failure.getMessage()));
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

  /** Names the lock's holder, and says what to do if the daemon itself has ended. */
  private StartException refusal(LockHeldException held) {
    String message = String.valueOf(held.getMessage());
    try (LockedFile file = LockedFile.open(held.path()).orElse(null)) {
      if (file != null && held.holder().isEmpty() && held.ended().isEmpty()) {
        message = held.path() + " is locked by " + file.holdersInWords();
      }
      if (file != null && isStrangers(file, held)) {
        return new StartException(
            Reason.CANNOT_TELL,
            message + "; another user has taken the lock: end that process, or remove the file");
      }
    } catch (IOException unseen) {
      // The message has what is known already.
      return new StartException(Reason.ALREADY_RUNNING, "already running: " + message);
    }
    return new StartException(
        Reason.ALREADY_RUNNING,
        "already running: "
            + message
            + (held.ended().isPresent()
                    && held.holder().isPresent()
                    && held.path().equals(set.pidFile())
                ? ": end what is left of its session with daimon stop --session -p "
                    + held.path()
                    + ", or the process by its id"
                : ""));
  }

  /** Whether the file names no running process, and another user's process holds the lock. */
  private boolean isStrangers(LockedFile file, LockHeldException held) throws IOException {
    return (held.ended().isPresent() || held.holder().isEmpty())
        && file.foreignHolder(0, Identity.effectiveUser(), TargetIdentity.user(identity))
            .isPresent();
  }

  /** Judges the pidfile that was opened; a class, not a lambda, as in {@link FileOpener}. */
  private final class Judgement implements FileOpener.IoAction {
    /** Null for a pidfile that is not locked; the start will replace it. */
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
   * Reads an existing pidfile, and refuses one that this start must not take over: a file that
   * holds something else than a process id, and a file that belongs neither to root nor to the user
   * that the program will run as. Its owner could write any process id into it, so nobody could
   * control a daemon by it.
   *
   * @param pidFile the file
   * @param identity the identity that the program will run as; null for this process' own
   * @param locked whether the start takes the file itself over; otherwise it replaces it, and the
   *     owner does not matter
   * @return the process that the file names
   * @throws StartException {@link Reason#FILE} if it is refused
   * @throws IOException if it cannot be opened for reading
   */
  public static NamedProcess judge(Path pidFile, @Nullable Identity identity, boolean locked)
      throws IOException {
    Objects.requireNonNull(pidFile, "pidFile");
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

  /** Returns the process id that is the file's whole content; 0 if it is empty. */
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
    if (owner != 0 && owner != TargetIdentity.user(identity)) {
      throw new StartException(
          Reason.FILE,
          file.path()
              + " belongs to user "
              + owner
              + ", but the program would run as user "
              + TargetIdentity.user(identity)
              + ": remove the file");
    }
  }

  private void requireTrust(boolean rootsOwn) throws IOException {
    if (set.pidFile() != null) {
      Ownership.requireTrust(set.pidFile(), rootsOwn ? 0 : TargetIdentity.user(owner()));
    }
  }

  /** The identity that the pidfile is to belong to; null for this process' own. */
  private @Nullable Identity owner() {
    return set.rootsLocks() ? null : identity;
  }

  /** {@return the process that the pidfile named when it was opened} */
  public NamedProcess namedProcess() {
    return named;
  }

  /** Refuses an output file that is a pidfile or lock file by another name. */
  private void refuseOtherPurpose(@Nullable OutputFile output) throws IOException {
    if (output == null) {
      return;
    }
    if (lockFile != null && output.isSameFile(lockFile.descriptor())) {
      throw FilePurposes.sameFile(output.path(), "the lock file " + lockFile.path());
    }
    if (pidFile != null && output.isSameFile(pidFile.descriptor())) {
      throw FilePurposes.sameFile(output.path(), "the pidfile " + pidFile.path());
    }
    if (unlockedPidFile != null) {
      FilePurposes.refuseSameFile(output.path(), set.pidFile(), "the pidfile " + set.pidFile());
    }
  }

  /**
   * Gives the files that root has opened to the target user. All files are open by then, so a start
   * that cannot open one of them gives no file away.
   */
  public void applyPendingChowns() {
    try {
      opener.applyPendingChowns();
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /**
   * Returns the files that {@link #applyPendingChowns} would give to the target user, so that
   * another process that inherits the descriptors can do it instead.
   *
   * @return the files; complete once all are open
   */
  public List<PendingChown> pendingChowns() {
    return opener.pendingChowns();
  }

  /**
   * Empties the pidfile and reserves space for the process id; then empties the output files, if
   * the file set says so.
   */
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

  /**
   * Writes the process id of the started program. Call {@link #requireInPlace} before you take the
   * program for started.
   *
   * @param pid the process id
   */
  public void writePid(long pid) {
    try {
      if (pidFile != null) {
        pidFile.write(pid);
        // A file that existed before stays, and must not name a program that is stopped again.
        opener.onUndo(new Empty(pidFile));
      } else if (unlockedPidFile != null) {
        commit(unlockedPidFile, pid);
      }
      if (set.pidFile() != null) {
        progress.step("wrote process id " + pid + " to " + set.pidFile());
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /**
   * Writes another process id than {@link #writePid} before: that of a descendant of the program
   * that has turned out to be the daemon.
   *
   * @param pid the process id
   */
  public void rewritePid(long pid) {
    try {
      if (pidFile != null) {
        pidFile.write(pid);
      } else if (unlockedPidFile != null && set.pidFile() != null) {
        boolean asTarget = unlockedPidFile.asTarget;
        PidFile written = PidFile.at(set.pidFile());
        opener.runAs(asTarget, () -> written.write(pid));
        opener.onUndo(() -> opener.runAs(asTarget, () -> removeIfNaming(written, pid)));
      }
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

  /** Leaves another start's file alone: without a lock it may have replaced this one. */
  private static void removeIfNaming(PidFile pidFile, long pid) throws IOException {
    if (pidFile.read() == pid) {
      pidFile.remove();
    }
  }

  /**
   * Makes sure that nobody has removed or replaced a locked file: a second daemon could start then.
   *
   * @throws StartException if somebody has, which may be the program at its end
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

  /** {@return the lock on the pidfile; null if there is none, or it is not open} */
  public @Nullable SingletonLock pidFileLock() {
    return pidFile;
  }

  /** {@return the lock on the lock file; null if there is none, or it is not open} */
  public @Nullable SingletonLock lockFileLock() {
    return lockFile;
  }

  /** {@return the descriptors of the locked files, which the program must inherit} */
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

  /** {@return the open file of standard output; null if there is none} */
  public @Nullable Descriptor standardOutput() {
    return standardOutput == null ? null : standardOutput.descriptor();
  }

  /** {@return the open file of standard error; null if there is none} */
  public @Nullable Descriptor standardError() {
    return standardError == null ? null : standardError.descriptor();
  }

  /**
   * Takes back all steps, the last one first. A step that cannot be taken back does not keep the
   * others from it; its exception is added to the reason as a suppressed one.
   *
   * @param reason why the start failed
   */
  public void undo(Throwable reason) {
    Objects.requireNonNull(reason, "reason");
    for (Throwable left : opener.undo()) {
      progress.step("not taken back: " + left.getMessage());
      reason.addSuppressed(left);
    }
  }

  /**
   * Closes the files in this process after a successful start, and removes nothing. The locks stay
   * held, because the daemon has inherited the same open files. {@link #undo} has no effect after
   * this.
   *
   * @throws StartException if a file reports that something was not stored; all are closed even so
   */
  public void release() {
    try {
      opener.release();
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }
}
