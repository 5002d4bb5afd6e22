package dev.daimon.pidfd;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.SearchLimit;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.OwnChildren;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcessEnd;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import dev.daimon.posix.call.Sockets;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A handle of a process by a descriptor. While it is open it refers to this process only, even
 * after the process has ended and the kernel has reused its id.
 *
 * <p>{@link #awaitExit()} and {@link #ended()} wait for the end of <em>any</em> process. They
 * change nothing, and may be called any number of times.
 *
 * <p>{@link #waitFor()} and {@link #exited()} wait for the end of a <em>child</em>, and take its
 * exit status. The kernel gives the status once, and removes the zombie. From then on another
 * process may get the id.
 *
 * <p>A child in this sense is one that Daimon's own modules have started or adopted. The JDK waits
 * for the children of {@link ProcessBuilder}, and {@link Process} would return a wrong exit code if
 * their status were taken here; so this class refuses that. It can do everything else with them.
 *
 * <p>One daemon thread of this JVM watches all processes that are waited for. It starts with the
 * first wait, and ends soon after the last one. A waiting thread can be interrupted, and a waiting
 * virtual thread releases its carrier. If this JVM runs out of memory, the waits that go on may
 * fail for it, as soon as there is memory to tell them, and so may those that begin on the same
 * handle before; later ones do not.
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/pidfd_open.2.html">pidfd_open(2)</a>
 */
public final class PidFd implements AutoCloseable {
  private static final int REAP = Processes.WEXITED | Processes.WNOHANG;

  private static final int PEEK = REAP | Processes.WNOWAIT;

  private static final long FOREVER = Long.MAX_VALUE;

  private static final String SOCKET = "socket:[";

  /** The time to search the descriptors of a process for a socket, in ns. */
  private static final long SEARCH_NANOS = 1_000_000_000L;

  private static final Waiting<?>[] NONE = {};

  private final Descriptor descriptor;
  private final int pid;

  /** Marks the process as a child that only Daimon waits for; null if it is none. */
  private final @Nullable Object own;

  /** The waits that go on; the descriptor is watched while there are any. Guarded by this. */
  private final List<Waiting<?>> pending = new ArrayList<>(1);

  /** Whom the watcher tells; null if the descriptor is not watched. Guarded by this. */
  private @Nullable Events watching;

  /** The future that has got the exit status last; null if there is none. */
  private @Nullable Delivery delivery;

  private PidFd(int pid, Descriptor descriptor) {
    this.pid = pid;
    this.descriptor = descriptor;
    this.own = OwnChildren.mark(pid);
  }

  /**
   * Opens a handle of the process that has this id now. A zombie has one too.
   *
   * <p>Race: another process may have got the id since the caller has learned it. This is ruled out
   * only for a child whose exit status was not taken. For every other process, check <em>after</em>
   * this method has returned something that is true of the intended process alone: its start time,
   * as {@link #of(ProcessHandle)} does, or that it holds a lock. If that is so, the handle refers
   * to the intended process, and no race is left.
   *
   * @param pid the process id
   * @return the handle, to be closed by the caller
   * @throws IllegalArgumentException if the number cannot be a process id
   * @throws PosixException {@code ESRCH} if there is no such process, {@code EINVAL} or {@code
   *     ENOENT} if this is the id of a thread, {@code EMFILE} if this JVM has no descriptor left,
   *     {@code ENOSYS} before Linux 5.3
   * @throws NotPermittedException if a seccomp filter forbids the call, as that of an old container
   *     runtime does
   */
  public static PidFd open(long pid) throws PosixException {
    if (pid < 1 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    int number = PidFds.open((int) pid);
    if (number == -Errno.EPERM.number()) {
      // A seccomp filter that forbids pidfd_open rarely forbids kill.
      if (Signals.kill((int) pid, 0) != -Errno.ESRCH.number()) {
        throw new NotPermittedException(
            "pidfd_open",
            pid,
            ": a seccomp filter forbids this call, as that of an old container runtime does");
      }
      number = -Errno.ESRCH.number();
    }
    PosixException.check(number, "pidfd_open", pid);
    return new PidFd((int) pid, Descriptor.adopt(number));
  }

  /**
   * Opens a handle of the process that a handle of Java refers to. This compares the start time
   * after it has opened the process, so it does not open another process that has got the id.
   *
   * <p>Linux measures start times in hundredths of a second. If a process ends, and its id is
   * reused, within the hundredth in which it was started, this method cannot tell the two processes
   * apart. Nor can it where {@code /proc} hides the processes of other users.
   *
   * @param handle Java's handle of the process
   * @return the handle, to be closed by the caller
   * @throws PosixException as {@link #open(long)}; {@code ESRCH} also if the process has ended and
   *     another one has got its id; {@code EPERM} or {@code ENOENT} if {@code /proc} is of another
   *     PID namespace or not mounted, since Java reads the start times there
   */
  public static PidFd of(ProcessHandle handle) throws PosixException {
    Objects.requireNonNull(handle, "handle");
    String _ = ProcDirectory.of(handle.pid());
    PidFd opened = open(handle.pid());
    // This compares the start time with that of the process that has the id now.
    if (handle.isAlive()) {
      return opened;
    }
    try (opened) {
      // Java says so, too, where it has no descriptor left to find it out: is there one now?
      if (ProcessStart.of(handle.pid()).isPresent() && handle.isAlive()) {
        return open(handle.pid());
      }
      throw new PosixException("pidfd_open", Long.toString(handle.pid()), Errno.ESRCH);
    }
  }

  /** {@return the process id; after the end of the process another one may have it} */
  public long pid() {
    return pid;
  }

  /** The number of the descriptor, to be polled. */
  int number() {
    return descriptor.number();
  }

  /**
   * Sends a signal to this process.
   *
   * <p>This also succeeds for a zombie, so it does not show that the process is alive.
   *
   * @param signal the signal
   * @throws PosixException {@code ESRCH} if the process has ended and its exit status was taken
   * @throws NotPermittedException if this JVM may not signal the process
   * @throws IllegalStateException if this handle is closed
   * @see <a
   *     href="https://man7.org/linux/man-pages/man2/pidfd_send_signal.2.html">pidfd_send_signal(2)</a>
   */
  // Here and below, the call is made with this object's lock: after a close in between, the
  // descriptor's number could be that of another process.
  public synchronized void send(Signal signal) throws PosixException {
    Objects.requireNonNull(signal, "signal");
    int result = PidFds.sendSignal(descriptor.number(), signal.number());
    if (result == -Errno.EPERM.number()) {
      throw new NotPermittedException("pidfd_send_signal", pid, "");
    }
    PosixException.check(result, "pidfd_send_signal", pid);
  }

  /**
   * Makes a descriptor of an open file of the process: both then share the file's position, status
   * flags and {@code flock} lock. For a socket this JVM has the socket too.
   *
   * <p>To close the descriptor may block, also at the end of this JVM. If it is of a FUSE file,
   * that asks the file's server, which may never answer. If it is the last one of a connection, the
   * close waits for as long as the process has set ({@code SO_LINGER}).
   *
   * @param number the number under which the process has the file
   * @return the descriptor, marked close-on-exec, to be closed by the caller
   * @throws NotPermittedException if this JVM may not trace the process; see ptrace(2), "access
   *     mode checking"
   * @throws PosixException {@code EBADF} if the process has no such descriptor, {@code ESRCH} if it
   *     has ended, {@code ENOSYS} before Linux 5.6
   * @throws IllegalStateException if this handle is closed
   * @see <a href="https://man7.org/linux/man-pages/man2/pidfd_getfd.2.html">pidfd_getfd(2)</a>
   */
  public synchronized Descriptor duplicate(int number) throws PosixException {
    int result = PidFds.getfd(descriptor.number(), number);
    if (result == -Errno.EPERM.number()) {
      throw new NotPermittedException(
          "pidfd_getfd", pid, "; to share its descriptors takes the right to trace it");
    }
    return Descriptor.adopt(PosixException.check(result, "pidfd_getfd", pid));
  }

  /**
   * Makes a descriptor of a listening socket of the process, as {@link #duplicate} does. Of
   * anything else, such as a connection, no descriptor is kept: the other end of a connection would
   * not learn that the process has closed it. To close it may block, as described there.
   *
   * @param number the number under which the process has the socket
   * @return the descriptor, marked close-on-exec, to be closed by the caller; empty if it is no
   *     socket that listens
   * @throws NotPermittedException as {@link #duplicate}
   * @throws PosixException as {@link #duplicate}
   * @throws IllegalStateException if this handle is closed
   */
  public Optional<Descriptor> duplicateListener(int number) throws PosixException {
    Descriptor copy = duplicate(number);
    int[] listens = new int[1];
    int result =
        Sockets.getsockopt(copy.number(), Sockets.SOL_SOCKET, Sockets.SO_ACCEPTCONN, listens);
    if (result == 0 && listens[0] != 0) {
      return Optional.of(copy);
    }
    copy.close();
    return Optional.empty();
  }

  /**
   * Tells whether the process has not ended yet. A zombie has ended.
   *
   * <p>Race: the process may end before this method returns.
   *
   * @return whether it is alive
   * @throws PosixException if the kernel is out of memory
   * @throws IllegalStateException if this handle is closed
   */
  public synchronized boolean isAlive() throws PosixException {
    return PosixException.check(Polling.poll(descriptor.number(), Polling.POLLIN, 0), "poll", pid)
        == 0;
  }

  /**
   * Describes the process. This reads {@code /proc}, and then checks that the process is alive: so
   * the description is of this process, and not of another one with the same id.
   *
   * @return the description
   * @throws PosixException {@code ESRCH} if the process has ended; {@code EPERM} or {@code ENOENT}
   *     where {@code /proc} hides the processes of other users, or is of another PID namespace
   * @throws IllegalStateException if this handle is closed
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
   * Returns the name of the program alone, to be shown to people. This does not read the memory of
   * the process, as {@link #info()} does; a process can make that slow.
   *
   * @return the name, as {@link ProcessInfo#name()}; empty if the process has ended, or {@code
   *     /proc} hides it or is of another PID namespace
   * @throws PosixException if this JVM has no descriptor or the kernel no memory left
   * @throws IllegalStateException if this handle is closed
   */
  public String name() throws PosixException {
    // Throws if the handle is closed: the id may be another process's then.
    int _ = descriptor.number();
    String name;
    try {
      name = ProcFiles.programName(pid);
    } catch (PosixException failure) {
      failure.throwIfShortage();
      return "";
    }
    return isAlive() ? name : "";
  }

  /**
   * Tells whether the process has one of these sockets open, whoever has made it.
   *
   * @param inodes the sockets' inodes, as {@code /proc/PID/net/tcp} and the like name them
   * @return whether it has; false if it has ended
   * @throws PosixException {@code EACCES} if this process may not examine it, {@code EPERM} if
   *     {@code /proc} is of another PID namespace, {@code ETIMEDOUT} if it has more than 5,000
   *     descriptors, and more than can be examined in a second
   * @throws IllegalStateException if this handle is closed
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html">proc_pid_fd(5)</a>
   */
  public boolean hasSocket(Set<Long> inodes) throws PosixException {
    Objects.requireNonNull(inodes, "inodes");
    return hasSocket(inodes, /* unix= */ false, SEARCH_NANOS);
  }

  /**
   * Tells whether the process has one of these Unix sockets open, whoever has made it. In {@code
   * /proc/PID/net/unix} a user can forge lines, by the name of a socket, with the inode of a socket
   * of another kind; that one does not count here. Before Linux 5.6 it does.
   *
   * @param inodes the sockets' inodes
   * @return whether it has; false if it has ended
   * @throws PosixException as {@link #hasSocket(Set)}
   * @throws IllegalStateException if this handle is closed
   */
  public boolean hasUnixSocket(Set<Long> inodes) throws PosixException {
    Objects.requireNonNull(inodes, "inodes");
    return hasSocket(inodes, /* unix= */ true, SEARCH_NANOS);
  }

  /** As {@link #hasSocket(Set)}, within this time in ns. */
  boolean hasSocket(Set<Long> inodes, boolean unix, long time) throws PosixException {
    int _ = descriptor.number();
    String process = ProcDirectory.of(pid);
    SearchLimit limit = new SearchLimit(time);
    boolean found = false;
    try (ProcFiles.Names names = new ProcFiles.Names(process.concat("/fd"))) {
      String name;
      for (int i = 0; !found && (name = names.next()) != null; i++) {
        if (limit.isOver(i)) {
          throw new PosixException("readlink", process.concat("/fd"), Errno.ETIMEDOUT);
        }
        found =
            inodes.contains(socket(process.concat("/fd/").concat(name)))
                && (!unix || isUnix(process.concat("/fdinfo/").concat(name)));
      }
    }
    return found && isAlive();
  }

  /** Whether a socket is a Unix socket: the kernel has a field for these alone. */
  private static boolean isUnix(String info) throws PosixException {
    try {
      return ProcFiles.readRecord(info).contains("\nscm_fds:") || !UnixField.EXISTS;
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT) || failure.errno().equals(Errno.ESRCH)) {
        return false;
      }
      throw failure;
    }
  }

  /** Whether this kernel has the field, by its version. */
  private static final class UnixField {
    static final boolean EXISTS = isSince(System.getProperty("os.version", ""), 5, 6);

    static boolean isSince(String version, int major, int minor) {
      String[] numbers = version.split("[^0-9]", 3);
      return numbers.length > 1
          && !numbers[0].isEmpty()
          && !numbers[1].isEmpty()
          && (Integer.parseInt(numbers[0]) > major
              || (Integer.parseInt(numbers[0]) == major && Integer.parseInt(numbers[1]) >= minor));
    }
  }

  /** The inode of the socket that a descriptor leads to; -1 for anything else. */
  private static long socket(String descriptor) throws PosixException {
    byte[] target = new byte[SOCKET.length() + Long.SIZE];
    int length = Files.readlink(descriptor.getBytes(StandardCharsets.US_ASCII), target);
    if (length == -Errno.ENOENT.number() || length == -Errno.ESRCH.number()) {
      return -1;
    }
    PosixException.check(length, "readlink", descriptor);
    String link = new String(target, 0, length, StandardCharsets.ISO_8859_1);
    return link.startsWith(SOCKET) && link.endsWith("]")
        ? Long.parseLong(link, SOCKET.length(), link.length() - 1, 10)
        : -1;
  }

  /**
   * Waits for the end of this child, and takes its exit status.
   *
   * @return how the child ended
   * @throws AlreadyWaitedException if the status was taken before, or is taken elsewhere during the
   *     wait
   * @throws NotAChildException if the process is no child in the sense of this class
   * @throws PosixException if this JVM has no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted; the status is not taken
   * @throws CancellationException if this handle is closed during the wait
   * @throws IllegalStateException if this handle is closed
   */
  public ExitInfo waitFor() throws PosixException, InterruptedException {
    await(begin(this::ifReapable, Runnable::run), FOREVER);
    return reaped();
  }

  /**
   * Waits for the end of this child for a limited time, and takes its exit status.
   *
   * @param timeout how long to wait at most; if it is not positive, the method does not wait
   * @return how the child ended; empty if it has not ended in that time
   * @throws AlreadyWaitedException if the status was taken before, or is taken elsewhere during the
   *     wait
   * @throws NotAChildException if the process is no child in the sense of this class
   * @throws PosixException if this JVM has no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted; the status is not taken
   * @throws CancellationException if this handle is closed during the wait
   * @throws IllegalStateException if this handle is closed
   */
  public Optional<ExitInfo> waitFor(Duration timeout) throws PosixException, InterruptedException {
    Objects.requireNonNull(timeout, "timeout");
    return await(begin(this::ifReapable, Runnable::run), nanos(timeout))
        ? Optional.of(reaped())
        : Optional.empty();
  }

  /**
   * Waits for the end of this process, which need not be a child. This does not take the exit
   * status of a child.
   *
   * @throws PosixException if this JVM has no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted
   * @throws CancellationException if this handle is closed during the wait
   * @throws IllegalStateException if this handle is closed
   */
  public void awaitExit() throws PosixException, InterruptedException {
    await(begin(this::ifEnded, Runnable::run), FOREVER);
  }

  /**
   * Waits for the end of this process for a limited time, as {@link #awaitExit()} does.
   *
   * @param timeout how long to wait at most; if it is not positive, the method does not wait
   * @return whether the process has ended
   * @throws PosixException if this JVM has no descriptor left to wait with ({@code EMFILE})
   * @throws InterruptedException if the thread is interrupted
   * @throws CancellationException if this handle is closed during the wait
   * @throws IllegalStateException if this handle is closed
   */
  public boolean awaitExit(Duration timeout) throws PosixException, InterruptedException {
    Objects.requireNonNull(timeout, "timeout");
    return await(begin(this::ifEnded, Runnable::run), nanos(timeout));
  }

  /**
   * Returns a future of the end of this child. When the child has ended, the future takes its exit
   * status.
   *
   * <p>The future fails as {@link #waitFor()} does: with {@link AlreadyWaitedException} or {@link
   * NotAChildException}, at once if that is known, and with {@link CancellationException} if this
   * handle is closed. The stages that depend on it run on a virtual thread of their own, and may
   * block, or on a thread that waits for the future itself; one that is added once the future is
   * completed runs on the thread that adds it. A future that was cancelled, or completed elsewhere,
   * takes no status, and costs nothing any more.
   *
   * @return the future of how the child ended
   * @throws IllegalStateException if this handle is closed
   */
  public CompletableFuture<ExitInfo> exited() {
    return publish(this::reapFor);
  }

  /**
   * Returns a future of the end of this process, which need not be a child. This does not take the
   * exit status of a child.
   *
   * <p>The future fails with {@link CancellationException} if this handle is closed. The stages
   * that depend on it run on a virtual thread of their own, and may block, or on a thread that
   * waits for the future itself; one that is added once the future is completed runs on the thread
   * that adds it. A future that was cancelled, or completed elsewhere, costs nothing any more.
   *
   * @return the future, which is completed with this handle when the process has ended
   * @throws IllegalStateException if this handle is closed
   */
  public CompletableFuture<PidFd> ended() {
    return publish(this::ifEnded);
  }

  /**
   * Closes the handle, and leaves the process as it is; a second call does nothing. Waits that go
   * on fail with {@link CancellationException}, futures soon after the call, on virtual threads: at
   * the end of the JVM their stages may not run.
   *
   * @throws PosixException if the descriptor was closed elsewhere
   */
  @Override
  public void close() throws PosixException {
    Waiting<?>[] left = NONE;
    CancellationException closed = null;
    try {
      synchronized (this) {
        // Made first: where there is no memory for it, nothing changes.
        Waiting<?>[] all = pending.toArray(NONE);
        if (all.length > 0) {
          closed = new CancellationException("the handle of process " + pid + " was closed");
        }
        unwatch();
        pending.clear();
        left = all;
        descriptor.close();
      }
    } finally {
      if (closed != null) {
        fail(left, closed);
      }
    }
  }

  /** Fails waits that are not pending any more. An array, since a list's iterator takes memory. */
  private static void fail(Waiting<?>[] waits, Throwable failure) {
    for (Waiting<?> waiting : waits) {
      waiting.fail(failure);
    }
  }

  @Override
  public String toString() {
    return "process " + pid;
  }

  /** What a wait waits for. */
  private interface Condition<T> {
    /** Returns the result of the wait; null if the condition is not met yet. */
    @Nullable T check(Waiting<T> waiting) throws PosixException;
  }

  /** A wait that goes on. */
  private final class Waiting<T> extends CompletableFuture<T> {
    private final Condition<T> condition;
    private final Executor executor;

    /**
     * More memory than a failure of this wait takes. It is given back where there is no other: the
     * thread that has all the memory may be the one that fails the wait.
     */
    private byte @Nullable [] spare = new byte[32];

    Waiting(Condition<T> condition, Executor executor) {
      this.condition = condition;
      this.executor = executor;
    }

    /** Completes the wait if its condition is met, or cannot be examined. */
    void settle() {
      T value = null;
      Throwable failure = null;
      try {
        value = claim();
      } catch (PosixException | RuntimeException | Error refused) {
        forget(this);
        failure = refused;
      }
      if (value != null || failure != null) {
        end(value, failure);
      }
    }

    /** Fails the wait, which is not pending any more, where its dependent stages may run. */
    void fail(Throwable failure) {
      try {
        executor.execute(() -> end(null, failure));
      } catch (Error noThread) {
        // After a lack of memory it may also be that one of the JDK's classes cannot be used.
        end(null, failure);
      }
    }

    /** Completes the wait, as soon as there is memory for that: nobody must wait for ever. */
    private void end(@Nullable T value, @Nullable Throwable failure) {
      for (boolean again = false; ; again = true) {
        try {
          if (spare == null) {
            Pause.nanos(Watcher.PAUSE_NANOS);
          } else if (again) {
            spare = null;
          }
          boolean _ = failure == null ? complete(value) : completeExceptionally(failure);
          return;
        } catch (OutOfMemoryError scarce) {
          // A further call also tells those that this one has not told.
        }
      }
    }

    /** Takes the result once: the end may be reported more than once. */
    private @Nullable T claim() throws PosixException {
      // The caller completes the future without this lock, since dependent stages run then.
      synchronized (PidFd.this) {
        // Cancelled, or claimed before, or the handle is closed.
        T value = pending.contains(this) ? condition.check(this) : null;
        if (value != null) {
          forget(this);
        }
        return value;
      }
    }
  }

  /** An exit status that was taken for a future. */
  private record Delivery(ExitInfo info, CompletableFuture<ExitInfo> future) {
    /** Whether the future has got it; false if it was completed otherwise at the same time. */
    boolean arrived() {
      while (!future.isDone()) {
        // The thread that has claimed the status completes the future next.
        Thread.onSpinWait();
      }
      return future.state() == Future.State.SUCCESS && info.equals(future.resultNow());
    }
  }

  private <T> CompletableFuture<T> publish(Condition<T> condition) {
    return begin(condition, Thread::startVirtualThread);
  }

  /** Begins to wait. When the process has ended, the executor settles the wait. */
  private <T> Waiting<T> begin(Condition<T> condition, Executor executor) {
    Waiting<T> waiting = new Waiting<>(condition, executor);
    // However the wait ends: also if its user cancels it, or lets it time out.
    var _ = waiting.whenComplete((value, failure) -> forget(waiting));
    synchronized (this) {
      int number = descriptor.number();
      pending.add(waiting);
      try {
        T value = waiting.claim();
        if (value != null) {
          waiting.complete(value);
        } else if (watching == null) {
          Events events = new Events();
          Watcher.add(number, events);
          watching = events;
        }
      } catch (PosixException failure) {
        pending.remove(waiting);
        waiting.completeExceptionally(failure);
      } catch (RuntimeException | Error refused) {
        // The caller knows: it may have the memory itself that this would wait for.
        pending.remove(waiting);
        throw refused;
      }
    }
    return waiting;
  }

  private synchronized void forget(Waiting<?> waiting) {
    if (pending.remove(waiting) && pending.isEmpty()) {
      try {
        unwatch();
      } catch (OutOfMemoryError scarce) {
        // It stays watched, and the end of the next wait tries again, or the close.
      }
    }
  }

  private void unwatch() {
    if (watching != null) {
      Watcher.remove(descriptor.number());
      watching = null;
    }
  }

  /** What the watcher reports of this process. */
  private final class Events implements Watcher.Listener {
    @Override
    public void readable() {
      List<Waiting<?>> ready;
      synchronized (PidFd.this) {
        ready = List.copyOf(pending);
      }
      for (Waiting<?> waiting : ready) {
        waiting.executor.execute(waiting::settle);
      }
    }

    @Override
    public void failed(Throwable failure) {
      Waiting<?>[] failed;
      synchronized (PidFd.this) {
        if (watching != this) {
          return;
        }
        failed = pending.toArray(NONE);
        pending.clear();
        watching = null;
      }
      fail(failed, failure);
    }

    @Override
    public String toString() {
      return PidFd.this.toString();
    }
  }

  /** Blocks the calling thread; returns false if the time is over. */
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
      throw new IllegalStateException("the wait has failed", failed.getCause());
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
    return (delivery != null && !delivery.arrived()) || waitid(PEEK) != null ? this : null;
  }

  /** Called by the thread that has waited, so that an abandoned wait loses no status. */
  private synchronized ExitInfo reaped() throws PosixException {
    return Objects.requireNonNull(reap());
  }

  private synchronized @Nullable ExitInfo reapFor(Waiting<ExitInfo> waiting) throws PosixException {
    ExitInfo info = reap();
    if (info != null) {
      delivery = new Delivery(info, waiting);
    }
    return info;
  }

  private @Nullable ExitInfo reap() throws PosixException {
    Delivery last = delivery;
    delivery = null;
    if (last != null && !last.arrived()) {
      return last.info();
    }
    if (own == null) {
      throw new NotAChildException(pid);
    }
    // Nobody signals it by its id meanwhile.
    synchronized (own) {
      ExitInfo info = waitid(REAP);
      if (info != null) {
        OwnChildren.remove(pid, own);
      }
      return info;
    }
  }

  /** How the child has ended; null if it has not. */
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
