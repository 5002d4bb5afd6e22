package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.NotRegularFileException;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.pidfile.PidFile;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Starts, stops, signals and watches a daemon by its pidfile, whoever has started it.
 *
 * <p>What is signalled is the process that the pidfile names and that holds the file's {@code
 * flock}: it is opened as a pidfd first, then shown to hold the lock, and then signalled through
 * the pidfd. So it is the daemon or nobody, however fast process ids are given away again. Where
 * that cannot be shown nothing is touched, not even by root: if a child or a stranger holds the
 * lock, if a daemon that may write to its pidfile has put another id there, if the file is a user's
 * and names another user's process, or if a daemon locks nothing, or has closed the descriptor that
 * it inherited (some close all from 3 up). {@link #pidOnly()} is for those.
 *
 * <p>A start, a stop and a restart hold the {@linkplain Guard guard} while they last, and wait for
 * their turn, for a minute. {@link #status()}, {@link #signal} and {@link #awaitStop} do without,
 * and need no permission to write. Where this process may not make or open the guard file beside
 * the pidfile, or where that is a stranger's or no regular file, an action does without, too; one
 * that was {@linkplain #guard(Path) given} must do.
 *
 * <p>Immutable, and safe for use by several threads.
 */
public final class DaemonControl {
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** Longer than the default policy's stop takes. */
  private static final Duration TURN = Duration.ofMinutes(1);

  private final Path pidFile;
  private final @Nullable Path guard;
  private final boolean pidOnly;
  private final ActionListener listener;

  /** Looked up once: that takes longer than the rest of a status. */
  private volatile @Nullable User user;

  private DaemonControl(
      Path pidFile, @Nullable Path guard, boolean pidOnly, ActionListener listener) {
    this.pidFile = pidFile;
    this.guard = guard;
    this.pidOnly = pidOnly;
    this.listener = listener;
  }

  /**
   * The control of the daemon with this pidfile; nothing is opened yet.
   *
   * @param pidFile where it is or shall be; a relative one counts from the JVM's working directory
   *     at its start
   * @return the control
   */
  public static DaemonControl of(Path pidFile) {
    Objects.requireNonNull(pidFile, "pidFile");
    return new DaemonControl(pidFile, null, /* pidOnly= */ false, new ActionListener() {});
  }

  /**
   * Uses another guard file than {@link Guard#beside the one beside the pidfile}.
   *
   * @param file the guard file
   * @return a control with that guard
   */
  public DaemonControl guard(Path file) {
    Objects.requireNonNull(file, "file");
    return new DaemonControl(pidFile, file, pidOnly, listener);
  }

  /**
   * Believes a pidfile that nobody has locked, for daemons that lock nothing.
   *
   * <p>Risk: if the daemon has died without removing its pidfile, and its id was given away,
   * another process is taken for it. One that was started more than five seconds after the file was
   * written is not, if the clock was not set in between; nor is one of another user than the
   * file's, unless the file is root's.
   *
   * @return a control that does
   */
  public DaemonControl pidOnly() {
    return new DaemonControl(pidFile, guard, /* pidOnly= */ true, listener);
  }

  /**
   * Tells somebody what an action meets besides its outcome.
   *
   * @param to who is told
   * @return a control that does
   */
  public DaemonControl listener(ActionListener to) {
    Objects.requireNonNull(to, "to");
    return new DaemonControl(pidFile, guard, pidOnly, to);
  }

  /** {@return the daemon's pidfile, as given} */
  public Path pidFile() {
    return pidFile;
  }

  /**
   * Looks at the daemon, and disturbs nobody.
   *
   * <p>Race: it may start or end before the answer arrives.
   *
   * @return what there is to know
   * @throws IOException if the pidfile cannot be read, or {@code /proc} not be looked into
   */
  public DaemonStatus status() throws IOException {
    try (ProbeResult sighting = look()) {
      ProcessInfo info = sighting.state() == State.RUNNING ? sighting.info() : null;
      // No lambdas: a command that lives for some milliseconds pays for each.
      return new DaemonStatus(
          sighting.state(),
          pidFile,
          sighting.pid() == 0 ? OptionalLong.empty() : OptionalLong.of(sighting.pid()),
          info == null ? Optional.empty() : Optional.of(info.startTime()),
          info == null ? Optional.empty() : Optional.of(info.uptime()),
          info == null ? List.of() : info.commandLine(),
          info == null ? Optional.empty() : Optional.of(userName(info.user())),
          sighting.holders(),
          sighting.reason());
    }
  }

  private String userName(long uid) throws PosixException {
    User known = user;
    if (known == null || known.uid != uid) {
      Optional<String> name = Identity.userName(uid);
      known = new User(uid, name.isPresent() ? name.get() : Long.toString(uid));
      user = known;
    }
    return known.name;
  }

  /** A class, not a record: nothing of one is needed. */
  private static final class User {
    final long uid;
    final String name;

    User(long uid, String name) {
      this.uid = uid;
      this.name = name;
    }
  }

  /**
   * Starts the daemon, unless it runs.
   *
   * @param spec how
   * @return {@link Outcome#OK}; {@link Outcome#STALE} if one had died and left its pidfile; {@link
   *     Outcome#ALREADY_DONE} if it runs
   * @throws ControlException if it cannot be told whether one runs, the guard is busy, or the
   *     daemon was not started
   * @throws IOException if a file cannot be opened, or the daemon not be started
   * @throws InterruptedException if the thread is interrupted
   */
  public Outcome start(StartSpec spec) throws IOException, InterruptedException {
    Objects.requireNonNull(spec, "spec");
    return guarded(held -> startGuarded(spec, held));
  }

  /** An action under the guard: if it fails the guard is as it was before. */
  private interface GuardedAction<T> {
    T run(@Nullable Guard held) throws IOException, InterruptedException;
  }

  private <T> T guarded(GuardedAction<T> action) throws IOException, InterruptedException {
    Guard held = takeGuard().orElse(null);
    T outcome;
    try {
      outcome = action.run(held);
    } catch (IOException | InterruptedException | RuntimeException | Error failure) {
      if (held != null) {
        held.takeBack(failure);
      }
      try (held) {
        throw failure;
      }
    }
    release(held);
    return outcome;
  }

  /** After the point of no return: what fails here changes nothing of what was done. */
  private void release(@Nullable Guard held) {
    try {
      if (held != null) {
        held.close();
      }
    } catch (PosixException failure) {
      failedAfterwards(guardFile() + " could not be closed", failure);
    }
  }

  /** Tells of a failure that comes when an action is done. */
  void failedAfterwards(String what, IOException failure) {
    listener.failedAfterwards(new IOException(what + ": " + failure.getMessage(), failure));
  }

  /** The daemon as it is now. */
  ProbeResult look() throws IOException {
    return Probe.at(pidFile, guardFile(), pidOnly);
  }

  private Outcome startGuarded(StartSpec spec, @Nullable Guard held)
      throws IOException, InterruptedException {
    boolean stale;
    try (ProbeResult sighting = look()) {
      if (sighting.state() == State.RUNNING) {
        return Outcome.ALREADY_DONE;
      }
      LockedFile file = sighting.file();
      if (file != null && !sighting.locked()) {
        PreviousDaemon.check(file, guardFile());
      } else if (sighting.state() == State.UNKNOWN
          && (held == null || !ForeignLock.remove(sighting))) {
        throw new ControlException(Reason.UNKNOWN, sighting.reason());
      }
      stale = sighting.state() == State.DEAD;
    }
    spec.start(this);
    if (held != null) {
      held.record(startedPid(), pidFile);
    }
    return stale ? Outcome.STALE : Outcome.OK;
  }

  /** Whom the start has put into the pidfile; 0 if it names nobody by now. */
  private long startedPid() {
    try {
      return PidFile.at(pidFile).read();
    } catch (IOException gone) {
      return 0;
    }
  }

  /**
   * Refuses the start of a daemon over a pidfile that names a process which may be one: for one who
   * starts it by other means, and who holds the file's lock or does without. {@link #start} does so
   * itself.
   *
   * @param named the process that the file names, or 0
   * @param owner the user id of the file's owner
   * @throws ControlException {@link ControlException.Reason#UNKNOWN} if that process is alive, and
   *     not shown to be another one: this process itself, not the file owner's, or started at
   *     another time than the daemon that had this id
   * @throws IOException if it cannot be found out
   */
  public void requireReplaceable(long named, long owner) throws IOException {
    if (named != 0) {
      try (LockedFile file = LockedFile.open(pidFile).orElse(null)) {
        PreviousDaemon.check(pidFile, guardFile(), named, owner, file);
      }
    }
  }

  /**
   * Whether {@link #removeFromStranger} would remove the pidfile.
   *
   * @return whether it would
   * @throws IOException if it cannot be looked at
   */
  public boolean isRemovableFromStranger() throws IOException {
    try (ProbeResult sighting = look()) {
      return ForeignLock.isRemovable(sighting);
    }
  }

  /**
   * Removes a pidfile that names no process which runs, and whose lock another user has taken, if
   * it lies in a directory that is root's alone: for one who starts the daemon by other means, was
   * refused the lock, and {@linkplain #takeGuard has the guard}. {@link #start} does so itself.
   *
   * @return whether it was removed, so that a new one can be made
   * @throws IOException if it cannot be looked at, or be removed
   */
  public boolean removeFromStranger() throws IOException {
    try (ProbeResult sighting = look()) {
      return ForeignLock.remove(sighting);
    }
  }

  /**
   * Stops the daemon, waits until it has ended and nobody holds its lock, and removes the pidfile.
   * Children of its session that hold its lock after its end get a moment, and then the signals
   * that are left.
   *
   * @param policy the signals, and the time that each gets
   * @return {@link Outcome#OK} if it was stopped; {@link Outcome#ALREADY_DONE} if it did not run;
   *     {@link Outcome#STALE} if it had left its pidfile behind, which is removed
   * @throws ControlException if it cannot be told which process is the daemon, the guard is busy,
   *     or the policy is at its end; what was sent is not taken back
   * @throws PosixException {@code EPERM} if this process may not signal the daemon
   * @throws IOException if a file cannot be opened or removed
   * @throws InterruptedException if the thread is interrupted
   */
  public StopResult stop(StopPolicy policy) throws IOException, InterruptedException {
    return stop(policy, (pid, waited, next, left) -> {});
  }

  /**
   * As {@link #stop(StopPolicy)}, and tells how it goes on.
   *
   * @param policy the signals, and the time that each gets
   * @param listener is told of every signal and every second
   * @return as there
   * @throws IOException as there
   * @throws InterruptedException if the thread is interrupted
   */
  public StopResult stop(StopPolicy policy, StopListener listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(listener, "listener");
    if (isUnknownHere()) {
      StopResult nothing = new StopResult(Outcome.ALREADY_DONE, OptionalLong.empty(), List.of());
      listener.stopped(nothing);
      return nothing;
    }
    return guarded(_ -> new Stop(this, policy, listener).carryOut());
  }

  /**
   * Sends the daemon a signal, at once: also while another action is under way.
   *
   * @param signal the signal
   * @return {@link Outcome#OK}, or, with nobody signalled, {@link Outcome#NOT_RUNNING} or {@link
   *     Outcome#STALE}
   * @throws ControlException if it cannot be told which process is the daemon
   * @throws PosixException {@code EPERM} if this process may not signal the daemon
   * @throws IOException if a file cannot be opened
   */
  public Outcome signal(Signal signal) throws IOException {
    Objects.requireNonNull(signal, "signal");
    try (ProbeResult sighting = look()) {
      PidFd daemon = sighting.daemon();
      if (daemon == null) {
        return sighting.state() == State.DEAD ? Outcome.STALE : Outcome.NOT_RUNNING;
      }
      daemon.send(signal);
      return Outcome.OK;
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ESRCH)) {
        // It has ended in this very moment.
        return Outcome.STALE;
      }
      throw failure;
    }
  }

  /**
   * Asks the daemon to read its configuration again: HUP, as is the custom.
   *
   * @return as {@link #signal}
   * @throws IOException as {@link #signal}
   */
  public Outcome reload() throws IOException {
    return signal(Signal.HUP);
  }

  /**
   * Stops the daemon if it runs, and starts it, as one action.
   *
   * @param spec how to start it
   * @param policy how to stop it
   * @return {@link Outcome#OK}; {@link Outcome#STALE} if it had died and left its pidfile; {@link
   *     Outcome#NOT_RUNNING} if it did not run. It runs in each case
   * @throws ControlException as {@link #stop} and {@link #start}
   * @throws IOException as {@link #stop} and {@link #start}; once it has stopped it is not started
   *     again by itself
   * @throws InterruptedException if the thread is interrupted
   */
  public Outcome restart(StartSpec spec, StopPolicy policy)
      throws IOException, InterruptedException {
    return restart(spec, policy, (pid, waited, next, left) -> {});
  }

  /**
   * As {@link #restart(StartSpec, StopPolicy)}, and tells how the stop goes on.
   *
   * @param spec how to start it
   * @param policy how to stop it
   * @param listener is told of every signal and every second
   * @return as there
   * @throws IOException as there
   * @throws InterruptedException if the thread is interrupted
   */
  public Outcome restart(StartSpec spec, StopPolicy policy, StopListener listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(listener, "listener");
    return guarded(held -> {
      Outcome stopped = new Stop(this, policy, listener).carryOut().outcome();
      if (startGuarded(spec, held) == Outcome.ALREADY_DONE) {
        throw new ControlException(
            Reason.NOT_STARTED, "somebody else has started another daemon meanwhile");
      }
      return stopped == Outcome.ALREADY_DONE ? Outcome.NOT_RUNNING : stopped;
    });
  }

  /**
   * Waits until the daemon has ended and nobody holds its lock. It may belong to anybody, since
   * nothing is done to it.
   *
   * @param time how long at most
   * @return whether it has; also if it did not run
   * @throws ControlException if nobody holds the lock, and it cannot be told whether the daemon
   *     runs
   * @throws IOException if the pidfile cannot be read, or {@code /proc} not be looked into
   * @throws InterruptedException if the thread is interrupted
   */
  public boolean awaitStop(Duration time) throws IOException, InterruptedException {
    return awaitStop(time, waited -> {});
  }

  /**
   * As {@link #awaitStop(Duration)}, and tells how long it has waited.
   *
   * @param time how long at most
   * @param listener is told the time, each second
   * @return as there
   * @throws IOException as there
   * @throws InterruptedException if the thread is interrupted
   */
  public boolean awaitStop(Duration time, Consumer<Duration> listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(listener, "listener");
    Waiting waiting = new Waiting(time, listener);
    boolean ended = false;
    try (LockWait release = new LockWait()) {
      while (true) {
        try (ProbeResult sighting = look()) {
          PidFd process = sighting.process();
          if (sighting.state() == State.RUNNING && process != null) {
            if (ended) {
              // The next one, which nobody has asked for.
              return true;
            }
            while (!process.awaitExit(waiting.step(SECOND))) {
              if (waiting.isOver()) {
                return false;
              }
            }
            ended = true;
            continue;
          }
          LockedFile file = sighting.file();
          if (!sighting.locked() || file == null) {
            if (sighting.state() == State.UNKNOWN && !ended) {
              throw new ControlException(Reason.UNKNOWN, sighting.reason());
            }
            return true;
          }
          if (waiting.isOver()) {
            return false;
          }
          release.await(file, waiting.step(SECOND));
        }
      }
    }
  }

  /** A wait that tells its listener each second. */
  private static final class Waiting {
    private final long start = System.nanoTime();
    private final Duration time;
    private final Consumer<Duration> listener;
    private long told = -1;

    Waiting(Duration time, Consumer<Duration> listener) {
      this.time = time;
      this.listener = listener;
    }

    private Duration waited() {
      return Duration.ofNanos(System.nanoTime() - start);
    }

    boolean isOver() {
      return time.compareTo(waited()) <= 0;
    }

    /** The time of the next step: this long, or what is left. */
    Duration step(Duration longest) {
      Duration waited = waited();
      if (waited.toSeconds() > told) {
        told = waited.toSeconds();
        listener.accept(waited);
      }
      Duration left = time.minus(waited);
      return left.compareTo(longest) < 0 ? left : longest;
    }
  }

  /** Whether there is neither a pidfile nor a guard, and so nothing to be guarded. */
  private boolean isUnknownHere() {
    return Files.notExists(pidFile, LinkOption.NOFOLLOW_LINKS)
        && Files.notExists(guardFile(), LinkOption.NOFOLLOW_LINKS);
  }

  Path guardFile() {
    return guard == null ? Guard.beside(pidFile) : guard;
  }

  /**
   * Takes the guard, as a start, a stop and a restart do here: for one who starts the daemon by
   * other means, so that no stop or start comes in between. Waits for its turn, for a minute.
   *
   * <p>A guard file must be a regular one of root's, the caller's or the pidfile owner's (where
   * there is no pidfile yet, the directory owner's).
   *
   * @return the guard, to be closed by the caller; nothing where this process may not make or open
   *     the one beside the pidfile, or that is none
   * @throws ControlException {@link ControlException.Reason#BUSY} if the turn does not come
   * @throws IOException if a guard file that was given is none, or cannot be opened or made
   * @throws InterruptedException if the thread is interrupted
   */
  public Optional<Guard> takeGuard() throws IOException, InterruptedException {
    try {
      return Optional.of(Guard.acquire(guardFile(), TURN, pidFile, listener));
    } catch (NotRegularFileException | ForeignGuardException none) {
      if (guard == null) {
        return Optional.empty();
      }
      throw none;
    } catch (PosixException failure) {
      Errno errno = failure.errno();
      boolean denied =
          errno.equals(Errno.EACCES)
              || errno.equals(Errno.EPERM)
              || errno.equals(Errno.EROFS)
              || errno.equals(Errno.ENOSPC)
              || errno.equals(Errno.EDQUOT)
              || errno.equals(Errno.ENAMETOOLONG)
              || errno.equals(Errno.ENOENT)
              || errno.equals(Errno.EISDIR)
              || errno.equals(Errno.ENXIO)
              || errno.equals(Errno.ELOOP);
      if (guard == null && denied) {
        return Optional.empty();
      }
      throw failure;
    }
  }
}
