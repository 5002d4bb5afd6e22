package dev.daimon.daemon.runtime;

import dev.daimon.forking.ThisProcess;
import java.util.concurrent.atomic.AtomicBoolean;

/** A daemon in the foreground: its process can become another one when it is closed. */
public final class Foreground {
  private final int umask;
  private final AtomicBoolean daemonized;
  private final AtomicBoolean ended = new AtomicBoolean();

  /**
   * A foreground daemon that begins.
   *
   * @param umask the umask before it
   * @param daemonized whether this process is a daemon; cleared at the end
   */
  public Foreground(int umask, AtomicBoolean daemonized) {
    this.umask = umask;
    this.daemonized = daemonized;
  }

  /**
   * Restores the umask, and lets this process become another daemon. A second call does nothing.
   */
  public void end() {
    if (ended.compareAndSet(false, true)) {
      int _ = ThisProcess.umask(umask);
      daemonized.set(false);
    }
  }
}
