package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
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
 * Starts, stops, signals and watches a daemon by its pidfile, whatever program has started it.
 *
 * <p>The daemon is the process that the pidfile names and that holds the {@code flock} on the file.
 * Before this class signals it, it opens the process as a pidfd and checks that the process holds
 * the lock. Then it sends the signal through the pidfd. So the signal reaches the daemon or no
 * process, however fast the kernel reuses process ids.
 *
 * <p>If this check fails the class sends nothing, not even for root. This is so in these cases:
 *
 * <ul>
 *   <li>a child of the daemon, or a process that does not belong to it, holds the lock;
 *   <li>a daemon that may write to its pidfile has written another process id into it;
 *   <li>the pidfile belongs to a user, and names a process of another user;
 *   <li>the daemon does not lock its pidfile, or has closed the descriptor that it inherited (some
 *       daemons close all descriptors from 3 on): use {@link #pidOnly()} for these.
 * </ul>
 *
 * <p>A start, a stop and a restart hold the {@linkplain Guard guard} while they last. They wait up
 * to a minute for it. Without permission to make or open the default guard file, and if that is
 * another user's or not a regular file, the action runs without a guard. A guard file that was
 * {@linkplain #guard(Path) set} must work. {@link #status()}, {@link #signal} and {@link
 * #awaitStop} use no guard, and need no permission to write.
 *
 * <p>Immutable, and safe for use by several threads.
 */
public final class DaemonControl {
  private final ControlledDaemon daemon;

  /** Looked up once: that takes longer than the rest of a status. */
  private volatile @Nullable User user;

  private DaemonControl(ControlledDaemon daemon) {
    this.daemon = daemon;
  }

  /**
   * Returns a control of the daemon with this pidfile. This opens nothing, and the file need not
   * exist.
   *
   * @param pidFile the pidfile; a relative path is resolved against the working directory in which
   *     the JVM was started
   * @return the control
   */
  public static DaemonControl of(Path pidFile) {
    Objects.requireNonNull(pidFile, "pidFile");
    return new DaemonControl(
        new ControlledDaemon(pidFile, null, /* pidOnly= */ false, new ActionListener() {}));
  }

  /**
   * Returns a control that uses another guard file than {@link Guard#beside the default one}.
   *
   * @param file the guard file
   * @return a control with that guard file
   */
  public DaemonControl guard(Path file) {
    Objects.requireNonNull(file, "file");
    return new DaemonControl(
        new ControlledDaemon(daemon.pidFile, file, daemon.pidOnly, daemon.listener));
  }

  /**
   * Returns a control that trusts the pidfile even if no process has locked it, for daemons that do
   * not lock it.
   *
   * <p>Risk: if the daemon has ended without removing its pidfile, and another process has got its
   * id, the control takes that process for the daemon. It does not take a process that was started
   * more than five seconds after the file was written (unless the clock was set in between), nor a
   * process of another user than the file's owner (unless the file is root's). For root it takes no
   * process if others than the owner may write to the file.
   *
   * @return a control that trusts the process id alone
   */
  public DaemonControl pidOnly() {
    return new DaemonControl(
        new ControlledDaemon(daemon.pidFile, daemon.guard, /* pidOnly= */ true, daemon.listener));
  }

  /**
   * Returns a control that tells a listener what an action meets besides its outcome.
   *
   * @param to the listener
   * @return a control with that listener
   */
  public DaemonControl listener(ActionListener to) {
    Objects.requireNonNull(to, "to");
    return new DaemonControl(
        new ControlledDaemon(daemon.pidFile, daemon.guard, daemon.pidOnly, to));
  }

  /** {@return the daemon's pidfile, as given} */
  public Path pidFile() {
    return daemon.pidFile;
  }

  /**
   * Returns the daemon's status. This takes no lock, and sends nothing.
   *
   * <p>Race: the daemon may start or end before this method returns.
   *
   * @return the status
   * @throws IOException if the pidfile or {@code /proc} cannot be read
   */
  public DaemonStatus status() throws IOException {
    try (ProbeResult probe = daemon.probe()) {
      ProcessInfo info = probe.state() == State.RUNNING ? probe.info() : null;
      return info == null
          ? status(probe, daemon.pidFile, /* user= */ null, List.of(), output(probe))
          : status(probe, daemon.pidFile, userName(info.user()), info.commandLine(), output(probe));
    }
  }

  /**
   * The status that a probe has found.
   *
   * @param user the name of the daemon's user; null if the daemon does not run, or is hidden
   * @param commandLine the words of its command line, or the first of them
   * @param output what reads its output
   */
  static DaemonStatus status(
      ProbeResult probe,
      Path pidFile,
      @Nullable String user,
      List<String> commandLine,
      List<OutputReader> output) {
    ProcessInfo info = probe.state() == State.RUNNING ? probe.info() : null;
    // No lambdas: a command that lives for some milliseconds pays for each.
    return new DaemonStatus(
        probe.state(),
        pidFile,
        probe.pid() == 0 ? OptionalLong.empty() : OptionalLong.of(probe.pid()),
        info == null ? Optional.empty() : Optional.of(info.startTime()),
        info == null ? Optional.empty() : Optional.of(info.uptime()),
        commandLine,
        Optional.ofNullable(user),
        probe.holders(),
        output,
        probe.reason());
  }

  private List<OutputReader> output(ProbeResult probe) throws IOException {
    LockedFile file = probe.file();
    if (file == null) {
      return Readers.listOfStopped(daemon.guardFile(), daemon.pidFile());
    }
    boolean known = probe.state() == State.DEAD || probe.state() == State.RUNNING;
    return known ? Readers.list(daemon.guardFile(), file, probe.pid()) : List.of();
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
   * @param spec how to start it
   * @return {@link Outcome#OK}; {@link Outcome#STALE} if it was started, and a previous daemon had
   *     ended and left its pidfile; {@link Outcome#ALREADY_DONE} if it runs already
   * @throws ControlException if it cannot be told whether a daemon runs, the guard is held for too
   *     long, or the daemon was not started
   * @throws IOException if a file cannot be opened, or the daemon cannot be started
   * @throws InterruptedException if the thread is interrupted
   */
  public Outcome start(StartSpec spec) throws IOException, InterruptedException {
    Objects.requireNonNull(spec, "spec");
    return daemon.guarded(guard -> Start.carryOut(daemon, spec, guard));
  }

  /**
   * Checks that a daemon may be started over a pidfile that names a process, for a caller that
   * starts the daemon itself. The caller holds the file's lock, or does not use one. {@link #start}
   * makes this check itself.
   *
   * @param named the process id in the pidfile, or 0 for none
   * @param owner the user id of the file's owner
   * @throws ControlException {@link ControlException.Reason#UNKNOWN} if that process is alive and
   *     may be the daemon. It is not the daemon if it is this process itself, if it is not the file
   *     owner's, or if it was started at another time than the daemon that had this id
   * @throws IOException if the process cannot be examined
   */
  public void requireReplaceable(long named, long owner) throws IOException {
    if (named != 0) {
      try (LockedFile file = LockedFile.open(daemon.pidFile).orElse(null)) {
        PreviousDaemon.check(daemon.pidFile, daemon.guardFile(), named, owner, file);
      }
    }
  }

  /**
   * Tells whether {@link #removeForeignLocked} would remove the pidfile.
   *
   * @return whether it would
   * @throws IOException if the pidfile or {@code /proc} cannot be read
   */
  public boolean canRemoveForeignLocked() throws IOException {
    try (ProbeResult probe = daemon.probe()) {
      return ForeignLock.isRemovable(probe);
    }
  }

  /**
   * Removes a pidfile whose lock another user has taken, if it names no process that runs, and lies
   * in a directory that only root can change. This is for a caller that starts the daemon itself,
   * could not lock the pidfile, and {@linkplain #takeGuard has the guard}. {@link #start} does this
   * itself.
   *
   * @return whether the file was removed, so that a new one can be made
   * @throws IOException if the pidfile or {@code /proc} cannot be read, or the file not be removed
   */
  public boolean removeForeignLocked() throws IOException {
    try (ProbeResult probe = daemon.probe()) {
      return ForeignLock.remove(probe);
    }
  }

  /**
   * Stops the daemon, waits until it has ended and no process holds its lock, and removes the
   * pidfile. If children of its session still hold the lock after its end, they get a second to end
   * by themselves, and then the signals that are left.
   *
   * <p>Programs that read the daemon's output ({@link OutputReader}) get what is left of the
   * policy's time after the last signal to read the rest and to end; with the whole session, they
   * get the signals that are left after that, or its last one if none is left.
   *
   * @param policy the signals, and how long to wait after each
   * @return {@link Outcome#OK} if the daemon was stopped; {@link Outcome#ALREADY_DONE} if it did
   *     not run; {@link Outcome#STALE} if it had ended before, and its pidfile was removed
   * @throws ControlException if it cannot be told which process is the daemon, the guard is held
   *     for too long, or the daemon has not ended by the end of the policy; signals that were sent
   *     by then are not taken back
   * @throws PosixException {@code EPERM} if this process may not signal the daemon
   * @throws IOException if a file cannot be opened or removed
   * @throws InterruptedException if the thread is interrupted
   */
  public StopResult stop(StopPolicy policy) throws IOException, InterruptedException {
    return stop(policy, (pid, waited, next, left) -> {});
  }

  /**
   * Stops the daemon as {@link #stop(StopPolicy)} does, and tells a listener of the progress.
   *
   * @param policy the signals, and how long to wait after each
   * @param listener is told of each signal, and each second
   * @return as {@link #stop(StopPolicy)}
   * @throws IOException as {@link #stop(StopPolicy)}
   * @throws InterruptedException if the thread is interrupted
   */
  public StopResult stop(StopPolicy policy, StopListener listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(listener, "listener");
    if (hasNoFiles()) {
      StopResult nothing = new StopResult(Outcome.ALREADY_DONE, OptionalLong.empty(), List.of());
      listener.stopped(nothing);
      return nothing;
    }
    return daemon.guarded(
        guard -> new Stop(daemon, policy, listener, guard, /* restart= */ false).carryOut());
  }

  /** Whether there is neither a pidfile nor a guard file, and so nothing to be guarded. */
  private boolean hasNoFiles() {
    return isMissing(daemon.pidFile) && isMissing(daemon.guardFile());
  }

  private static boolean isMissing(Path file) {
    return Files.notExists(NativePath.absolute(file), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Sends the daemon a signal. This does not wait for another action that is under way.
   *
   * @param signal the signal
   * @return {@link Outcome#OK}; or, if no process was signalled, {@link Outcome#NOT_RUNNING} or
   *     {@link Outcome#STALE}
   * @throws ControlException if it cannot be told which process is the daemon
   * @throws PosixException {@code EPERM} if this process may not signal the daemon
   * @throws IOException if a file cannot be opened
   */
  public Outcome signal(Signal signal) throws IOException {
    Objects.requireNonNull(signal, "signal");
    try (ProbeResult probe = daemon.probe()) {
      PidFd process = probe.daemon();
      if (process == null) {
        return probe.state() == State.DEAD ? Outcome.STALE : Outcome.NOT_RUNNING;
      }
      process.send(signal);
      return Outcome.OK;
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ESRCH)) {
        // The daemon has ended since it was probed.
        return Outcome.STALE;
      }
      throw failure;
    }
  }

  /**
   * Asks the daemon to read its configuration again: sends it SIGHUP, as is the custom.
   *
   * @return as {@link #signal}
   * @throws IOException as {@link #signal}
   */
  public Outcome reload() throws IOException {
    return signal(Signal.HUP);
  }

  /**
   * Stops the daemon if it runs, and starts it. The guard is held all the time.
   *
   * @param spec how to start the daemon
   * @param policy how to stop it
   * @return {@link Outcome#OK} if it was stopped; {@link Outcome#STALE} if it had ended before, and
   *     left its pidfile; {@link Outcome#NOT_RUNNING} if it did not run. It was started in each
   *     case
   * @throws ControlException as {@link #stop} and {@link #start}
   * @throws IOException as {@link #stop} and {@link #start}. If the start fails, the daemon that
   *     was stopped is not started again
   * @throws InterruptedException if the thread is interrupted
   */
  public Outcome restart(StartSpec spec, StopPolicy policy)
      throws IOException, InterruptedException {
    return restart(spec, policy, (pid, waited, next, left) -> {});
  }

  /**
   * Restarts the daemon as {@link #restart(StartSpec, StopPolicy)} does, and tells a listener of
   * the progress of the stop.
   *
   * @param spec how to start the daemon
   * @param policy how to stop it
   * @param listener is told of each signal, and each second
   * @return as {@link #restart(StartSpec, StopPolicy)}
   * @throws IOException as {@link #restart(StartSpec, StopPolicy)}
   * @throws InterruptedException if the thread is interrupted
   */
  public Outcome restart(StartSpec spec, StopPolicy policy, StopListener listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(listener, "listener");
    return daemon.guarded(guard -> stopAndStart(spec, policy, listener, guard));
  }

  private Outcome stopAndStart(
      StartSpec spec, StopPolicy policy, StopListener listener, @Nullable Guard guard)
      throws IOException, InterruptedException {
    Outcome stopped =
        new Stop(daemon, policy, listener, guard, /* restart= */ true).carryOut().outcome();
    if (Start.carryOut(daemon, spec, guard) == Outcome.ALREADY_DONE) {
      throw new ControlException(
          Reason.NOT_STARTED, "somebody else has started another daemon meanwhile");
    }
    return stopped == Outcome.ALREADY_DONE ? Outcome.NOT_RUNNING : stopped;
  }

  /**
   * Restarts the daemon so that the new one is ready before the old one gets a signal. The two
   * share the lock and the listening sockets, so no other daemon can come in between, and nobody
   * who connects is refused. The guard is held all the time.
   *
   * <p>If the new daemon cannot be started, the old one goes on running, and nothing was changed.
   *
   * @param spec how to start the daemon if none runs
   * @param beside how to start it beside the one that runs
   * @param policy how to stop the old one
   * @param listener is told of each signal, and each second
   * @return {@link Outcome#OK} if the old daemon has ended; as {@link #restart} if none ran
   * @throws ControlException as {@link #stop} and {@link #start}; {@link Reason#NOT_STOPPED} if the
   *     old daemon has not ended, though the new one runs; {@link Reason#NOT_STARTED} if the new
   *     one has ended by then, or before the old one was to be stopped, which goes on then
   * @throws dev.daimon.pidfd.NotPermittedException if this process may not take descriptors of the
   *     daemon
   * @throws IOException as {@link #stop} and {@link #start}
   * @throws InterruptedException if the thread is interrupted
   */
  public Outcome restartOverlapping(
      StartSpec spec, OverlapSpec beside, StopPolicy policy, StopListener listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(beside, "beside");
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(listener, "listener");
    return daemon.guarded(guard ->
        new Overlap(daemon, policy, listener, guard).carryOut(beside)
            ? Outcome.OK
            : stopAndStart(spec, policy, listener, guard));
  }

  /**
   * Waits until the daemon has ended and no process holds its lock. This sends nothing, so the
   * daemon may belong to any user.
   *
   * @param time how long to wait at most
   * @return whether it has ended; true also if it did not run
   * @throws ControlException if no process holds the lock, and it cannot be told whether the daemon
   *     runs
   * @throws IOException if the pidfile or {@code /proc} cannot be read
   * @throws InterruptedException if the thread is interrupted
   */
  public boolean awaitStop(Duration time) throws IOException, InterruptedException {
    return awaitStop(time, waited -> {});
  }

  /**
   * Waits as {@link #awaitStop(Duration)} does, and tells a listener how long it has waited.
   *
   * @param time how long to wait at most
   * @param listener is told each second how long the wait has lasted
   * @return as {@link #awaitStop(Duration)}
   * @throws IOException as {@link #awaitStop(Duration)}
   * @throws InterruptedException if the thread is interrupted
   */
  public boolean awaitStop(Duration time, Consumer<Duration> listener)
      throws IOException, InterruptedException {
    Objects.requireNonNull(time, "time");
    Objects.requireNonNull(listener, "listener");
    return new EndWait(daemon, time, listener).await();
  }

  /**
   * Takes the guard, for a caller that starts the daemon itself: so no other start or stop comes in
   * between. {@link #start}, {@link #stop} and {@link #restart} take it themselves. This waits up
   * to a minute while another action holds the guard.
   *
   * <p>A guard file must be a regular file that belongs to root, to the caller or to the owner of
   * the pidfile. If there is no pidfile yet, the owner of its directory counts.
   *
   * @return the guard, to be closed by the caller; empty if this process may not make or open the
   *     default guard file, or if that is no guard file
   * @throws ControlException {@link ControlException.Reason#BUSY} if another action holds the guard
   *     all that time
   * @throws IOException if a guard file that was {@linkplain #guard(Path) set} is no guard file, or
   *     cannot be opened or made
   * @throws InterruptedException if the thread is interrupted
   */
  public Optional<Guard> takeGuard() throws IOException, InterruptedException {
    return daemon.takeGuard();
  }
}
