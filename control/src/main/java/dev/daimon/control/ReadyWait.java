package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Alive;
import dev.daimon.control.ReadyCondition.Line;
import dev.daimon.control.ReadyCondition.Newline;
import dev.daimon.control.ReadyCondition.Notify;
import dev.daimon.control.ReadyCondition.Tcp;
import dev.daimon.control.ReadyCondition.Unix;
import dev.daimon.control.ReadyCondition.Written;
import dev.daimon.forking.Child;
import dev.daimon.forking.Descendants;
import dev.daimon.forking.Environment;
import dev.daimon.forking.ExitStatus;
import dev.daimon.forking.Program;
import dev.daimon.pidfd.EventWait;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Waits until a program that this process starts is ready.
 *
 * <p>In this order: {@link #open}; {@link #addTo} for the program; start it as a child of this
 * process; {@link #await}. If the result is not {@link ReadyResult.Ready}, the caller stops the
 * program.
 *
 * <p>A process belongs to the daemon if it is a descendant of this process. That of an orphan can
 * be seen only if this process {@linkplain dev.daimon.forking.ThisProcess#adoptOrphans adopts
 * orphans}: call that first. This class is for a launcher, which starts one daemon and ends; the
 * children of a process that starts several cannot be told apart.
 *
 * <p>For use by one thread.
 */
public final class ReadyWait implements AutoCloseable {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** The thread looks that often whether it was interrupted. */
  private static final long ATTENTION = SECOND / 5;

  /** How many times what a process has said is read on after its end. */
  private static final int LAST_WORDS = 100;

  private final EventWait events;
  private final ReadyCheck check;
  private @Nullable Descriptor cancel;

  /** The processes whose end cancels the wait. */
  private final List<PidFd> others = new ArrayList<>();

  private ReadyWait(EventWait events, ReadyCheck check) {
    this.events = events;
    this.check = check;
  }

  /**
   * Prepares the wait: makes the socket or pipe that the program gets, or looks what is there
   * before the start.
   *
   * @param condition what to wait for
   * @param output the program's output files, each once; needed for {@link Line} alone
   * @return the wait, to be closed by the caller
   * @throws IOException if that fails; for {@link Line} also if an output file is not a regular
   *     file that this process may read
   */
  public static ReadyWait open(ReadyCondition condition, List<Descriptor> output)
      throws IOException {
    Objects.requireNonNull(condition, "condition");
    Objects.requireNonNull(output, "output");
    EventWait events = EventWait.open();
    try {
      return new ReadyWait(events, check(condition, output));
    } catch (IOException | RuntimeException failure) {
      Cleanup.close(events, failure);
      throw failure;
    }
  }

  private static ReadyCheck check(ReadyCondition condition, List<Descriptor> output)
      throws IOException {
    return switch (condition) {
      case Alive alive -> new AliveCheck(alive);
      case Notify notify -> new NotifyCheck(notify);
      case Newline newline -> new NewlineCheck(newline);
      case Tcp tcp -> new TcpCheck(tcp);
      case Unix unix -> new UnixCheck(unix);
      case Written written -> new WrittenCheck(written);
      case Line line -> new LineCheck(line, output);
    };
  }

  /**
   * Gives the program what it needs to tell that it is ready: a variable, or a descriptor.
   *
   * @param program the program
   * @param environment its environment, which this method sets if it adds a variable
   * @throws IOException if that fails
   */
  public void addTo(Program program, Environment environment) throws IOException {
    Objects.requireNonNull(program, "program");
    Objects.requireNonNull(environment, "environment");
    check.addTo(program, environment);
  }

  /**
   * Cancels the wait as soon as a descriptor is readable, or its other end is closed.
   *
   * @param descriptor a pipe or socket, which stays the caller's
   * @return false if the descriptor is of another kind, which never tells that
   * @throws PosixException if the kernel refuses
   */
  public boolean cancelOn(Descriptor descriptor) throws PosixException {
    Objects.requireNonNull(descriptor, "descriptor");
    try {
      events.add(descriptor);
    } catch (PosixException other) {
      if (other.errno().equals(Errno.EPERM)) {
        return false;
      }
      throw other;
    }
    cancel = descriptor;
    return true;
  }

  /**
   * Cancels the wait as soon as a process has ended: the one that waits for this process, or one
   * that reads the program's output. Several processes can be named.
   *
   * @param process a handle, which stays the caller's
   * @throws PosixException if the kernel refuses
   */
  public void cancelOn(PidFd process) throws PosixException {
    Objects.requireNonNull(process, "process");
    events.add(process);
    others.add(process);
  }

  /**
   * Waits until the program is ready, has failed, or the time is over. The end of the program ends
   * the wait at once.
   *
   * @param program the program
   * @param timeout how long to wait; the program can extend that by {@code EXTEND_TIMEOUT_USEC}
   * @param listener is told how the wait goes on
   * @return how the wait has ended
   * @throws IOException if something cannot be examined
   * @throws InterruptedException if the thread is interrupted, which takes up to a fifth of a
   *     second to be noticed
   */
  public ReadyResult await(Child program, Duration timeout, ReadyListener listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(program, "program");
    Objects.requireNonNull(timeout, "timeout");
    Objects.requireNonNull(listener, "listener");
    check.started(program.pid());
    Descriptor source = check.events();
    if (source != null) {
      events.add(source);
    }
    return new Daemon(program, timeout, listener).await();
  }

  /** The process that counts as the daemon, and the wait for it. */
  private final class Daemon {
    private final ReadyListener listener;
    private final long begin = System.nanoTime();
    private long deadline;
    private Child child;
    private PidFd process;
    private long told;
    private String status = "";

    Daemon(Child program, Duration timeout, ReadyListener listener) throws PosixException {
      this.listener = listener;
      deadline = begin + TimeUnit.NANOSECONDS.convert(timeout);
      child = program;
      process = PidFd.open(program.pid());
    }

    ReadyResult await() throws IOException, InterruptedException {
      try {
        events.add(process);
        ReadyResult result;
        while ((result = step()) == null) {
          if (Thread.interrupted()) {
            throw new InterruptedException();
          }
        }
        return result;
      } finally {
        process.close();
      }
    }

    /**
     * Examines everything once, and then waits for the next event; null if that decides nothing.
     */
    private @Nullable ReadyResult step() throws IOException {
      if ((cancel != null && events.isReadable(cancel)) || hasOtherEnded()) {
        return new ReadyResult.Cancelled();
      }
      boolean ready = check.isReady(process.pid());
      follow();
      if (!process.isAlive()) {
        return ended();
      }
      if (ready) {
        return new ReadyResult.Ready(process.pid());
      }
      String failure = check.failure();
      if (failure != null) {
        return endsSoon() ? ended() : new ReadyResult.Failed(failure);
      }
      long extension = check.extension();
      long now = System.nanoTime();
      if (extension > 0 && now + extension - deadline > 0) {
        deadline = now + extension;
      }
      if (now - deadline >= 0) {
        return new ReadyResult.TimedOut(check.missing(process.pid()));
      }
      tell(now);
      long pause = Math.min(Math.min(deadline - now, check.pause()), ATTENTION);
      boolean _ = events.await(Duration.ofNanos(pause));
      return null;
    }

    private boolean hasOtherEnded() throws PosixException {
      for (PidFd other : others) {
        if (!other.isAlive()) {
          return true;
        }
      }
      return false;
    }

    /**
     * Whether the daemon ends within a moment: a process that ends closes its descriptors first,
     * and how it has ended says more.
     */
    private boolean endsSoon() throws PosixException {
      try (EventWait end = EventWait.open()) {
        end.add(process);
        return end.await(Duration.ofNanos(ATTENTION));
      }
    }

    /** Goes over to the descendant that the daemon has named as the daemon. */
    private void follow() throws PosixException {
      long main = check.main(process.pid());
      if (main == process.pid()) {
        return;
      }
      PidFd next = Processes.open(main);
      // In this order: the handle keeps its meaning, the number may have got another one.
      boolean descendant = false;
      try {
        descendant = next != null && Descendants.contain(main);
      } finally {
        if (next != null && !descendant) {
          Processes.close(next);
        }
      }
      if (next == null || !descendant) {
        check.forget(main);
        return;
      }
      events.remove(process);
      process.close();
      process = next;
      child = Child.adopt(main);
      events.add(process);
    }

    /** What the daemon has said before it ended may name another process as the daemon. */
    private @Nullable ReadyResult ended() throws IOException {
      long pid = process.pid();
      // At least once: it may have said something after the last look.
      int times = 0;
      do {
        boolean _ = check.isReady(pid);
        times++;
      } while (check.hasMore() && times < LAST_WORDS);
      follow();
      if (process.pid() != pid) {
        return null;
      }
      String left =
          Descendants.list().isEmpty()
              ? ""
              : "; what it has started still ran: a program that daemonizes itself needs --ready"
                  + " exit";
      return new ReadyResult.Failed(
          "has ended" + how() + " before it was ready" + check.complaint() + left);
    }

    private String how() {
      try {
        ExitStatus end = child.waitFor();
        return end.signal().isPresent()
            ? " by " + end.signal().get()
            : " with exit code " + end.exitCode().orElseThrow();
      } catch (PosixException notOurChild) {
        return "";
      }
    }

    private void tell(long now) {
      String said = check.status();
      long seconds = (now - begin) / SECOND;
      if (seconds > told || !said.equals(status)) {
        told = seconds;
        status = said;
        listener.waiting(Duration.ofNanos(now - begin), Duration.ofNanos(deadline - now), said);
      }
    }
  }

  /**
   * Ends the wait, and closes what it has made. The program keeps its end.
   *
   * @throws IOException if other code has closed a descriptor
   */
  @Override
  public void close() throws IOException {
    try (events) {
      check.close();
    }
  }
}
