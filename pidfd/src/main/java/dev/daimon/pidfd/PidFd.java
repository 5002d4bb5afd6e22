package dev.daimon.pidfd;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.OwnChildren;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.ProcessEnd;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A process by a descriptor: as long as this is open it means that very process, also after it has
 * ended and its id was given to another one.
 *
 * <p>How a <em>child</em> ended is told once, as the kernel does, to {@link #waitFor()} or {@link
 * #exited()}, and that takes the zombie away. That <em>any</em> process has ended is told to
 * everybody who asks, by {@link #awaitExit()} or {@link #ended()}, and changes nothing.
 *
 * <p>A child in this sense is one that Daimon's own modules have started, or adopted. Those of
 * {@link ProcessBuilder} are waited for by the JDK, and {@link Process} would tell a wrong exit
 * code if somebody else were first; so their exit status is not to be had here. Everything else is.
 * When a child was waited for here, its id, wherever else it was kept, is only a number.
 *
 * <p>However many are waited for, one daemon thread of this JVM watches them all. It starts when
 * the first one is needed, and ends soon after the last one. Threads that wait can be interrupted,
 * and virtual ones give their carrier away meanwhile.
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</a>
 */
public final class PidFd implements AutoCloseable {
  private static final int REAP = Processes.WEXITED | Processes.WNOHANG;

  private static final int PEEK = REAP | Processes.WNOWAIT;

  private static final long FOREVER = Long.MAX_VALUE;

  private final Descriptor descriptor;
  private final int pid;

  /** What marks it as a child that nobody else waits for; null if it is none. */
  private final @Nullable Object own;

  /** Watched for while there are any. */
  private final List<Waiting<?>> pending = new ArrayList<>(1);

  /** To whom the exit status went last, if that was a future. */
  private @Nullable Given given;

  private PidFd(int pid, Descriptor descriptor) {
    this.pid = pid;
    this.descriptor = descriptor;
    this.own = OwnChildren.mark(pid);
  }

  /**
   * Opens the process that has this id now.
   *
   * <p>Race: whoever has the id from somewhere cannot know whether it still means the same process.
   * It does for a child that nobody has waited for. For every other one, find something out
   * <em>after</em> this has returned that is true of the right process alone, such as the time of
   * its start, as {@link #of(ProcessHandle)} does, or a lock that it holds; from then on no race is
   * left.
   *
   * @param pid the process id
   * @return a handle of that process, to be closed by the caller; a zombie has one too
   * @throws IllegalArgumentException if it is no process id
   * @throws PosixException {@code ESRCH} if there is no such process, {@code EINVAL} or {@code
   *     ENOENT} if it is the id of a thread, {@code EMFILE} if this JVM has no descriptor left,
   *     {@code ENOSYS} before Linux 5.3, {@code EPERM} where a seccomp filter forbids the call, as
   *     that of an old container runtime does
   */
  public static PidFd open(long pid) throws PosixException {
    if (pid < 1 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    int number = PidFds.open((int) pid);
    if (number == -Errno.EPERM.number() && Signals.kill((int) pid, 0) == -Errno.ESRCH.number()) {
      // A filter that forbids the one call rarely forbids the other.
      number = -Errno.ESRCH.number();
    }
    PosixException.check(number, "pidfd_open", pid);
    return new PidFd((int) pid, Descriptor.adopt(number));
  }

  /**
   * Opens the process of a handle of Java's, and no other one that has its id by now: the time of
   * its start is compared after it was opened.
   *
   * <p>Linux tells the time of a start in hundredths of a second: a process that ends, and whose id
   * is given away, within the hundredth in which it started cannot be told from its successor. So
   * it is where {@code /proc} hides other users' processes.
   *
   * @param handle the process
   * @return a handle of that process, to be closed by the caller
   * @throws PosixException as {@link #open(long)}; {@code ESRCH} also if the process has ended and
   *     its id is another's
   */
  public static PidFd of(ProcessHandle handle) throws PosixException {
    Objects.requireNonNull(handle, "handle");
    PidFd opened = open(handle.pid());
    // Holds the time of the start against that of the process that has the id now.
    if (!handle.isAlive()) {
      PosixException gone =
          new PosixException("pidfd_open", Long.toString(handle.pid()), Errno.ESRCH);
      try (opened) {
        throw gone;
      }
    }
    return opened;
  }

  /** {@return the process id; when the process has ended it may be another's} */
  public long pid() {
    return pid;
  }

  /**
   * Sends a signal to this very process.
   *
   * <p>That it could be sent does not show that the process is alive: a zombie takes it too.
   *
   * @param signal the signal
   * @throws PosixException {@code ESRCH} if it has ended and was waited for, {@code EPERM} if this
   *     JVM may not signal it
   * @throws IllegalStateException if this is closed
   * @see <a
   *     href="https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html">pidfd_send_signal(2)</a>
   */
  // Here and below, the lock is held over the call: after a close in between, the descriptor's
  // number could be that of another process.
  public synchronized void send(Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    PosixException.check(
        PidFds.sendSignal(descriptor.number(), signal.number()), "pidfd_send_signal", pid);
  }

  /**
   * Tells whether the process has not ended yet. A zombie has.
   *
   * <p>Race: it may end before the answer arrives.
   *
   * @return whether it is
   * @throws PosixException if the kernel is out of memory
   * @throws IllegalStateException if this is closed
   */
  public synchronized boolean isAlive() throws PosixException {
    return PosixException.check(Polling.poll(descriptor.number(), Polling.POLLIN, 0), "poll", pid)
        == 0;
  }

  /**
   * Tells what the process is: of this very one, since it still has its id when all is read.
   *
   * @return what {@code /proc} says of it
   * @throws PosixException {@code ESRCH} if it has ended, as a zombie has; {@code EPERM} or {@code
   *     ENOENT} where {@code /proc} hides other users' processes
   * @throws IllegalStateException if this is closed
   */
  public ProcessInfo info() throws PosixException {
    try {
      ProcessInfo info = ProcessInfo.read(pid, descriptor);
      if (isAlive()) {
        return info;
      }
    } catch (PosixException failure) {
      if (isAlive()) {
        throw failure;
      }
    }
    throw new PosixException("pidfd_open", Integer.toString(pid), Errno.ESRCH);
  }

  /**
   * Tells the program's name alone: for people, and without a look into the process, which may make
   * that as slow as it likes.
   *
   * @return as {@link ProcessInfo#name()}; empty if the process has ended, or is hidden
   * @throws PosixException if the kernel is out of memory
   * @throws IllegalStateException if this is closed
   */
  public String name() throws PosixException {
    String name;
    try {
      name = ProcessInfo.name(pid);
    } catch (PosixException gone) {
      return "";
    }
    return isAlive() ? name : "";
  }

  /**
   * Waits for the end of this child, and takes its exit status.
   *
   * @return how it ended
   * @throws AlreadyWaitedException if the status was already taken, or is while this waits
   * @throws NotAChildException if the process is no child, as is said above
   * @throws PosixException if there is no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted; the status is not taken then
   * @throws CancellationException if this is closed meanwhile
   * @throws IllegalStateException if this is closed
   */
  public ExitInfo waitFor() throws PosixException, InterruptedException {
    await(begin(this::ifReapable, Runnable::run), FOREVER);
    return reaped();
  }

  /**
   * As {@link #waitFor()}, but not for ever.
   *
   * @param timeout how long to wait; nothing is waited for if it is not positive
   * @return how it ended; empty if it has not in that time
   * @throws AlreadyWaitedException if the status was already taken, or is while this waits
   * @throws NotAChildException if the process is no child, as is said above
   * @throws PosixException if there is no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted; the status is not taken then
   * @throws CancellationException if this is closed meanwhile
   * @throws IllegalStateException if this is closed
   */
  public Optional<ExitInfo> waitFor(Duration timeout) throws PosixException, InterruptedException {
    Objects.requireNonNull(timeout, "timeout");
    return await(begin(this::ifReapable, Runnable::run), nanos(timeout))
        ? Optional.of(reaped())
        : Optional.empty();
  }

  /**
   * Waits for the end of this process, which need not be a child; its exit status is left alone.
   *
   * @throws PosixException if there is no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted
   * @throws CancellationException if this is closed meanwhile
   * @throws IllegalStateException if this is closed
   */
  public void awaitExit() throws PosixException, InterruptedException {
    await(begin(this::ifEnded, Runnable::run), FOREVER);
  }

  /**
   * As {@link #awaitExit()}, but not for ever.
   *
   * @param timeout how long to wait; nothing is waited for if it is not positive
   * @return whether it has ended
   * @throws PosixException if there is no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted
   * @throws CancellationException if this is closed meanwhile
   * @throws IllegalStateException if this is closed
   */
  public boolean awaitExit(Duration timeout) throws PosixException, InterruptedException {
    Objects.requireNonNull(timeout, "timeout");
    return await(begin(this::ifEnded, Runnable::run), nanos(timeout));
  }

  /**
   * The end of this child in the future, when its exit status is taken.
   *
   * <p>It fails as {@link #waitFor()} does: with {@link AlreadyWaitedException} or {@link
   * NotAChildException}, at once if that is known, and with {@link CancellationException} if this
   * is closed. What depends on it runs on a virtual thread of its own, and may block. A future that
   * was cancelled, or completed by somebody else, takes no status, and costs nothing any more.
   *
   * @return how it ended
   * @throws IllegalStateException if this is closed
   */
  public CompletableFuture<ExitInfo> exited() {
    return publish(this::reapFor);
  }

  /**
   * The end of this process in the future; it need not be a child, and its exit status is left
   * alone.
   *
   * <p>It fails with {@link CancellationException} if this is closed. What depends on it runs on a
   * virtual thread of its own, and may block. A future that was cancelled, or completed by somebody
   * else, costs nothing any more.
   *
   * @return this handle, when its process has ended
   * @throws IllegalStateException if this is closed
   */
  public CompletableFuture<PidFd> ended() {
    return publish(this::ifEnded);
  }

  /**
   * Closes the handle; the process runs on, and a second call does nothing. Whoever waits fails
   * with {@link CancellationException}.
   *
   * @throws PosixException if somebody else has closed the descriptor
   */
  @Override
  public void close() throws PosixException {
    List<Waiting<?>> left = new ArrayList<>();
    try {
      synchronized (this) {
        left.addAll(pending);
        pending.clear();
        if (!left.isEmpty()) {
          Watcher.remove(descriptor.number());
        }
        descriptor.close();
      }
    } finally {
      for (Waiting<?> waiting : left) {
        waiting.completeExceptionally(
            new CancellationException("the handle of process " + pid + " was closed"));
      }
    }
  }

  @Override
  public String toString() {
    return "process " + pid;
  }

  /** What a wait is for; null if it is not there yet. */
  private interface Outcome<T> {
    @Nullable T get(Waiting<T> waiting) throws PosixException;
  }

  /** A wait that is going on. */
  private final class Waiting<T> extends CompletableFuture<T> {
    private final Outcome<T> outcome;
    private final Executor executor;

    Waiting(Outcome<T> outcome, Executor executor) {
      this.outcome = outcome;
      this.executor = executor;
    }

    /** Completes it if the outcome is there. */
    void settle() {
      try {
        T value = claim();
        if (value != null) {
          complete(value);
        }
      } catch (PosixException failure) {
        completeExceptionally(failure);
      }
    }

    /** Takes the outcome, or the failure, once: an end may be told of more than once. */
    private @Nullable T claim() throws PosixException {
      // What depends on a future runs when it is completed, so that is done without this lock.
      synchronized (PidFd.this) {
        // Cancelled, or claimed, or the handle is closed.
        if (!pending.contains(this)) {
          return null;
        }
        try {
          T value = outcome.get(this);
          if (value != null) {
            forget(this);
          }
          return value;
        } catch (PosixException failure) {
          forget(this);
          throw failure;
        }
      }
    }
  }

  /** An exit status on its way to a future. */
  private record Given(ExitInfo info, CompletableFuture<ExitInfo> future) {
    /** False if the future was completed otherwise, perhaps in that very moment. */
    boolean arrived() {
      while (!future.isDone()) {
        // The thread that has claimed it completes it next.
        Thread.onSpinWait();
      }
      return future.state() == Future.State.SUCCESS && info.equals(future.resultNow());
    }
  }

  private <T> CompletableFuture<T> publish(Outcome<T> outcome) {
    return begin(outcome, Thread::startVirtualThread);
  }

  /** Begins to wait. When the time has come, the executor settles it. */
  private <T> Waiting<T> begin(Outcome<T> outcome, Executor executor) {
    Waiting<T> waiting = new Waiting<>(outcome, executor);
    synchronized (this) {
      int number = descriptor.number();
      pending.add(waiting);
      waiting.settle();
      if (!waiting.isDone() && pending.size() == 1) {
        try {
          Watcher.add(number, this);
        } catch (PosixException failure) {
          pending.remove(waiting);
          waiting.completeExceptionally(failure);
        }
      }
    }
    // However it ends: also if its user cancels it, or lets it time out.
    var _ = waiting.whenComplete((value, failure) -> forget(waiting));
    return waiting;
  }

  private synchronized void forget(Waiting<?> waiting) {
    if (pending.remove(waiting) && pending.isEmpty()) {
      Watcher.remove(descriptor.number());
    }
  }

  /** Called by the watcher when the process has ended, or perhaps: it may be for a predecessor. */
  void readable() {
    List<Waiting<?>> told;
    synchronized (this) {
      told = List.copyOf(pending);
    }
    for (Waiting<?> waiting : told) {
      waiting.executor.execute(waiting::settle);
    }
  }

  /** Called by the watcher when it cannot go on, and does not know this handle any more. */
  void fail(Throwable failure) {
    List<Waiting<?>> failed;
    synchronized (this) {
      failed = List.copyOf(pending);
      pending.clear();
    }
    for (Waiting<?> waiting : failed) {
      waiting.completeExceptionally(failure);
    }
  }

  /** Lets the calling thread wait; false if it did so in vain. */
  private static boolean await(Waiting<?> waiting, long nanos)
      throws PosixException, InterruptedException {
    try {
      if (nanos == FOREVER) {
        waiting.get();
      } else {
        waiting.get(nanos, TimeUnit.NANOSECONDS);
      }
      return true;
    } catch (TimeoutException over) {
      return false;
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof PosixException failure) {
        throw failure;
      }
      throw new IllegalStateException("the watching thread has ended", failed.getCause());
    } finally {
      waiting.cancel(false);
    }
  }

  private static long nanos(Duration timeout) {
    return TimeUnit.NANOSECONDS.convert(timeout);
  }

  private synchronized @Nullable PidFd ifEnded(Waiting<PidFd> waiting) throws PosixException {
    return isAlive() ? null : this;
  }

  private synchronized @Nullable PidFd ifReapable(Waiting<PidFd> waiting) throws PosixException {
    return (given != null && !given.arrived()) || waitid(PEEK) != null ? this : null;
  }

  /** By the thread that has waited, so that no status is lost with a wait that is given up. */
  private synchronized ExitInfo reaped() throws PosixException {
    return Objects.requireNonNull(reap());
  }

  private synchronized @Nullable ExitInfo reapFor(Waiting<ExitInfo> waiting) throws PosixException {
    ExitInfo info = reap();
    if (info != null) {
      given = new Given(info, waiting);
    }
    return info;
  }

  private @Nullable ExitInfo reap() throws PosixException {
    Given last = given;
    given = null;
    if (last != null && !last.arrived()) {
      return last.info();
    }
    ExitInfo info = waitid(REAP);
    if (info != null) {
      OwnChildren.remove(pid, own);
    }
    return info;
  }

  /** How it has ended; null if it has not. */
  private @Nullable ExitInfo waitid(int options) throws PosixException {
    if (own == null) {
      throw new NotAChildException(pid);
    }
    ProcessEnd end = new ProcessEnd();
    int result = Processes.waitid(descriptor.number(), end, options);
    if (result == -Errno.ECHILD.number()) {
      throw new AlreadyWaitedException(pid);
    }
    PosixException.check(result, "waitid", pid);
    return end.pid() == 0 ? null : ExitInfo.of(end);
  }
}
