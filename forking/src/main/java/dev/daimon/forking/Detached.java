package dev.daimon.forking;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A program that this JVM has started as a daemon: in a session of its own that it does not lead,
 * and not as a child.
 *
 * <p>The process that led the session has ended, but is left a zombie until {@link #close()}: until
 * then its id, which is the session's and the process group's, cannot be given to anything else, so
 * that {@link #signalGroup} never reaches a stranger, whether the program is still there or not.
 * Nobody else in this JVM takes the zombie away by mistake, not even if {@code SIGCHLD} is ignored.
 * What is never closed stays until this JVM ends.
 *
 * <p>Nothing of the kind holds the program's own id: once it has ended, {@link #pid()} may be a
 * stranger's.
 */
public final class Detached implements AutoCloseable {
  private final int pid;
  private final int session;
  private final Path program;
  private boolean closed;
  private @Nullable ExitStatus status;

  Detached(int pid, int session, Path program) {
    this.pid = pid;
    this.session = session;
    this.program = program;
  }

  /** {@return the program's process id} */
  public long pid() {
    return pid;
  }

  /** {@return the id of the session and of the process group that it was started in} */
  public long session() {
    return session;
  }

  /**
   * Tells whether the program's process is still there, be it as a zombie that nobody has waited
   * for. It is not mistaken for another one: nobody else can be in the session.
   *
   * <p>Race: it may end before the answer arrives.
   *
   * @return whether it is
   * @throws IllegalStateException if this is closed
   */
  public synchronized boolean isAlive() {
    requireOpen();
    return Processes.getsid(pid) == session;
  }

  /**
   * Sends a signal to every process of the program's group: to the program and to what it has
   * started, except what has left the group.
   *
   * <p>It does nothing if none is left. Nor is it told if this JVM may not signal any of them,
   * because they belong to somebody else by now: the zombie counts as reached.
   *
   * @param signal the signal
   * @throws IllegalStateException if this is closed
   * @throws PosixException if the kernel refuses
   * @see <a href="https://man7.org/linux/man-pages/man2/kill.2.html">kill(2)</a>
   */
  public synchronized void signalGroup(Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    requireOpen();
    PosixException.check(Signals.kill(-session, signal.number()), "kill", -session);
  }

  /**
   * Takes the program away, if it has ended, where that is this JVM's duty: it is a child of this
   * JVM if that is init (of a container) or a {@linkplain ThisProcess#adoptOrphans() subreaper}.
   * Does not wait.
   *
   * @return whether there is nothing to be taken away any more, or it is somebody else's duty
   * @throws IllegalStateException if this is closed
   * @see <a href="https://man7.org/linux/man-pages/man2/waitpid.2.html">waitpid(2)</a>
   */
  public synchronized boolean reap() {
    if (!isAlive()) {
      return true;
    }
    int[] wait = new int[1];
    int result = Processes.waitpid(pid, wait, Processes.WNOHANG);
    if (result == pid) {
      status = new ExitStatus(wait[0]);
    }
    return result != 0;
  }

  /**
   * Tells how the program ended.
   *
   * @return empty unless {@link #reap()} has taken it away
   */
  public synchronized Optional<ExitStatus> exitStatus() {
    return Optional.ofNullable(status);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("closed: " + this);
    }
  }

  /** Lets go of the session's id. The program runs on; a second call does nothing. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      // It has ended, so this does not wait, and can only fail if somebody else has reaped it.
      Processes.waitpid(session, new int[1], Processes.__WALL);
    }
  }

  @Override
  public String toString() {
    return program + ", process " + pid + " in session " + session;
  }
}
