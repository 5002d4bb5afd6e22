package dev.daimon.locking;

import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * Thrown if another process holds the lock, or this process through another {@link SingletonLock}.
 */
public final class LockHeldException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path path;
  private final long holder;
  private final long ended;

  private LockHeldException(Path path, String message, long holder, long ended) {
    super(path + " is locked" + message);
    this.path = path;
    this.holder = holder;
    this.ended = ended;
  }

  /** Of a file that names no process. */
  static LockHeldException byAnother(Path path) {
    return new LockHeldException(path, " by another process", 0, 0);
  }

  /** By a process whose id is known: mostly the one that the file names. */
  static LockHeldException by(Path path, long pid) {
    return new LockHeldException(path, " by process " + pid, pid, 0);
  }

  /** By processes that can be seen; else by the one that the file names, which is hidden. */
  static LockHeldException byHidden(Path path, long named, LockTable file) {
    try {
      LockHeldException others = byOthers(path, named, file);
      return others.holder == 0 ? by(path, named) : others;
    } catch (PosixException nobodyCanBeSeen) {
      return by(path, named);
    }
  }

  /** By processes other than the one that the file names, as far as they can be seen. */
  static LockHeldException byOthers(Path path, long named, LockTable file) throws PosixException {
    List<Holder> holders = HolderSearch.all(file, HolderSearch.FOR_PEOPLE);
    String message = " by " + Holder.inWords(holders);
    long holder = holders.isEmpty() ? 0 : holders.get(0).pid();
    // Without a holder that can be seen both may be of another PID namespace.
    String gone =
        holders.isEmpty() ? ", which it names, is not to be found" : ", which it names, has ended";
    return HolderSearch.hasEnded(named)
        ? new LockHeldException(path, message + "; process " + named + gone, holder, named)
        : new LockHeldException(path, message + "; it names process " + named, holder, 0);
  }

  /** {@return the locked file; not kept by serialization} */
  public Path path() {
    return path;
  }

  /**
   * Returns a process that holds the lock.
   *
   * <p>This is the process that the file names, if that was shown to hold the lock, or if this
   * process may not examine it (it is another user's), and can see no other that does. Otherwise it
   * is the first of the processes that can be seen to hold the lock. If the file names no process,
   * as while a holder is just starting, it is this process, or not known.
   *
   * @return the process id, from 1 to 4194304; empty if it is not known
   */
  public OptionalLong holder() {
    return holder == 0 ? OptionalLong.empty() : OptionalLong.of(holder);
  }

  /**
   * Returns the process that the file names, if that has ended. Another process holds the lock
   * then: a child that has inherited it, or a process that has waited for it.
   *
   * @return the process id, from 1 to 4194304; empty if that process has not ended
   */
  public OptionalLong ended() {
    return ended == 0 ? OptionalLong.empty() : OptionalLong.of(ended);
  }
}
