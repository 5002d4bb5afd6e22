package dev.daimon.forking;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.ProcStat;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A program that this JVM has started as a daemon or as an orphan: it is in a new session, or in a
 * new process group of this one, that it does not lead; and it is not a child of this JVM.
 *
 * <p>The leader has ended, but stays a zombie until {@link #close()}. Until then the kernel cannot
 * give its id, which is also the id of the process group, to anything else: {@link #signalGroup}
 * never reaches other processes, whether the program still runs or not. No other code in this JVM
 * reaps the zombie by mistake, not even if {@code SIGCHLD} is ignored. Without {@code close()} it
 * stays until this JVM ends.
 *
 * <p>The program's own id is not held like this: after the program has ended, {@link #pid()} may be
 * another process's.
 */
public final class Detached implements AutoCloseable {
  private final int pid;
  private final int leader;
  private final int session;

  /** Whether the leader leads a session, and not only a process group. */
  private final boolean newSession;

  private final Path program;

  /** When the program was started, once it was seen where it was started; 0 before. */
  private long startTicks;

  private boolean closed;
  private @Nullable ExitStatus status;

  Detached(int pid, int leader, boolean newSession, Path program) {
    this.pid = pid;
    this.leader = leader;
    session = newSession ? leader : Processes.getsid(0);
    this.newSession = newSession;
    this.program = program;
  }

  /** {@return the program's process id} */
  public long pid() {
    return pid;
  }

  /** {@return the id of the session that it was started in} */
  public long session() {
    return session;
  }

  /** {@return the id of the process group that it was started in} */
  public long group() {
    return leader;
  }

  /**
   * Tells whether the program's process still exists, if only as a zombie. Another process with the
   * same id is not mistaken for it: that would not be in this session, or group. A program that has
   * moved to another one, by {@code setsid} for instance, is known by its start time if it was seen
   * here before that; otherwise it counts as ended.
   *
   * <p>Race: the program may end before the caller gets the answer.
   *
   * @return whether it exists
   * @throws IllegalStateException if this is closed
   */
  public synchronized boolean isAlive() {
    requireOpen();
    if (newSession && startTicks != 0 && Processes.getsid(pid) == leader) {
      return true;
    }
    try {
      ProcStat stat = ProcStat.of(pid);
      if ((newSession ? stat.session() : stat.group()) != leader) {
        return startTicks != 0 && stat.startTicks() == startTicks;
      }
      startTicks = stat.startTicks();
      return true;
    } catch (PosixException hidden) {
      // Or gone: then it has neither a session nor a group.
      return (newSession ? Processes.getsid(pid) : Processes.getpgid(pid)) == leader;
    }
  }

  /**
   * Sends a signal to every process of the program's group: to the program and to the processes
   * that it has started, except those that have left the group.
   *
   * <p>If there are none any more, nothing happens. If this JVM may not signal any of them, since
   * they have another user, this method does not report it: for the kernel, the signal has reached
   * the zombie.
   *
   * @param signal the signal
   * @throws IllegalStateException if this is closed
   * @throws PosixException if the kernel refuses
   * @see <a href="https://man7.org/linux/man-pages/man2/kill.2.html">kill(2)</a>
   */
  public synchronized void signalGroup(Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    requireOpen();
    PosixException.check(Signals.kill(-leader, signal.number()), "kill", -leader);
  }

  /**
   * Reaps the program, if it has ended and is a child of this JVM. It is one where this JVM is init
   * (of a container) or a {@linkplain ThisProcess#adoptOrphans() subreaper}. Does not wait.
   *
   * <p>A program that has left its session, or group, before {@link #isAlive} or this method was
   * called for the first time is not known again, and not reaped: {@link Descendants#reap} does it.
   *
   * @return whether this JVM has nothing more to reap: the program is reaped, or is no child of
   *     this JVM
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
   * @return how it ended; empty unless {@link #reap()} has reaped it
   */
  public synchronized Optional<ExitStatus> exitStatus() {
    return Optional.ofNullable(status);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("closed: " + this);
    }
  }

  /**
   * Releases the id of session and group. The program goes on running; a second call does nothing.
   */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      // It has ended, so this does not wait, and can only fail if other code has reaped it.
      Processes.waitpid(leader, new int[1], Processes.__WALL);
    }
  }

  @Override
  public String toString() {
    return program + ", process " + pid + (newSession ? " in session " : " in group ") + leader;
  }
}
