package dev.daimon.locking;

import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** A lock that somebody else holds, or this very process through another {@link SingletonLock}. */
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

  /** Of a file that names nobody. */
  static LockHeldException byAnother(Path path) {
    return new LockHeldException(path, " by another process", 0, 0);
  }

  /** By the process that the file names. */
  static LockHeldException by(Path path, long pid) {
    return new LockHeldException(path, " by process " + pid, pid, 0);
  }

  /** By others, as far as they can be seen, than the process that the file names. */
  static LockHeldException byOthers(Path path, long named, LockTable file) throws PosixException {
    List<Long> holders = Holder.all(file, Holder.NAMING);
    String message = " by " + Holder.words(holders);
    long holder = holders.isEmpty() ? 0 : holders.get(0);
    return Holder.hasEnded(named)
        ? new LockHeldException(
            path, message + "; process " + named + ", which it names, has ended", holder, named)
        : new LockHeldException(path, message + "; it names process " + named, holder, 0);
  }

  /** {@return the locked file; not kept by serialization} */
  public Path path() {
    return path;
  }

  /**
   * A process that holds the lock.
   *
   * <p>It is the one that the file names, if that was shown to hold the lock or cannot be looked
   * into (it is another user's), otherwise the first of those that can be seen to hold it. Of a
   * file that names nobody, as while a holder is just starting, nobody is looked for.
   *
   * @return the id, from 1 to 4194304, or nothing
   */
  public OptionalLong holder() {
    return holder == 0 ? OptionalLong.empty() : OptionalLong.of(holder);
  }

  /**
   * The process that the file names, if it has ended, and so left the lock to others: to a child,
   * or to a stranger who has waited for it.
   *
   * @return the id, from 1 to 4194304, or nothing
   */
  public OptionalLong ended() {
    return ended == 0 ? OptionalLong.empty() : OptionalLong.of(ended);
  }
}
