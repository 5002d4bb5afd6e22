package dev.daimon.locking;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;

/** A lock that somebody else holds, or this very process through another {@link SingletonLock}. */
public final class LockHeldException extends IOException {
  private static final long serialVersionUID = 1;

  private final transient Path path;
  private final long holder;

  /** Of the file and the process id in it, or 0. */
  LockHeldException(Path path, long holder) {
    super(path + " is locked by " + (holder == 0 ? "another process" : "process " + holder));
    this.path = path;
    this.holder = holder;
  }

  /** {@return the locked file; not kept by serialization} */
  public Path path() {
    return path;
  }

  /**
   * The process id that the locked file holds, if it is one.
   *
   * <p>A hint, for people to read: a holder that is just starting has not written yet, so that the
   * file is empty or still names its predecessor; the lock may be held by a child of the process
   * named here; and whoever may write to the file may write anything.
   *
   * @return the id, from 1 to 4194304, or nothing
   */
  public OptionalLong holder() {
    return holder == 0 ? OptionalLong.empty() : OptionalLong.of(holder);
  }
}
