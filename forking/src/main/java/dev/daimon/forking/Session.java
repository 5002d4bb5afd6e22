package dev.daimon.forking;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Processes;

/** The session and process group of this JVM. */
public final class Session {
  private Session() {}

  /**
   * Makes this JVM the leader of a new session and of a new process group, without a controlling
   * terminal.
   *
   * <p>What it spawns afterwards belongs to the session without leading it, so it can never get a
   * controlling terminal by opening one.
   *
   * @throws PosixException {@code EPERM} if this JVM leads a process group already, as it does when
   *     a shell with job control started it directly
   * @see <a href="https://man7.org/linux/man-pages/man2/setsid.2.html">setsid(2)</a>
   */
  public static void start() throws PosixException {
    PosixException.check(Processes.setsid(), "setsid", "");
  }

  /** {@return whether this JVM leads its process group, so that {@link #start()} would fail} */
  public static boolean isGroupLeader() {
    return Processes.getpgrp() == Processes.getpid();
  }
}
