package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.handover.LaunchContext;
import dev.daimon.daemon.runtime.FailureText;
import dev.daimon.daemon.runtime.Foreground;
import dev.daimon.daemon.runtime.GracefulStop;
import dev.daimon.daemon.runtime.LockCleanUp;
import dev.daimon.daemon.runtime.ReadinessReport;
import dev.daimon.daemon.runtime.Resources;
import dev.daimon.daemon.runtime.Simulation;
import dev.daimon.daemon.streams.CapturedStream;
import dev.daimon.forking.ThisProcess;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.readiness.NewlineNotifier;
import dev.daimon.signals.SignalEvents;
import dev.daimon.signals.SignalHandler;
import dev.daimon.startup.PendingChown;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.BufferedReader;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * This process as a daemon: its reports to the launcher, its files, signals and privileges.
 *
 * <p>The pidfile is removed by {@link #close()}, or otherwise when the JVM ends: by the end of
 * {@code main}, by {@link System#exit}, or by a signal. That happens after all shutdown hooks, so
 * that no other daemon starts while this one is still stopping. After {@code SIGKILL} the pidfile
 * stays; the lock is gone, so the next start takes the file over.
 *
 * <p>{@link #ready()} marks the descriptors that this process has inherited from its launcher as
 * close-on-exec, the locks among them. Children never inherit them if {@link ProcessBuilder} starts
 * them, or anything else that closes all other descriptors in the child. If native code starts
 * children in another way before {@code ready()}, call {@link #lockDescriptor()} first, which marks
 * them too.
 *
 * <p>Safe for use by several threads.
 */
public final class Daemon implements AutoCloseable {
  private final @Nullable Identity identity;

  /** All that this process gives up; null for nothing. */
  private final @Nullable PrivilegeDrop drop;

  /** Whether that is more than the user and groups. */
  private final boolean hasAttributes;

  private final boolean noNewPrivileges;

  private final Resources resources;

  /** Null in the foreground and in a simulation: there is no launcher. */
  private final @Nullable ReadinessReport report;

  private final boolean simulated;

  /** Null if this is not in the foreground. */
  private final @Nullable Foreground foreground;

  final LockCleanUp cleanUp;
  private final SignalEvents signals = new SignalEvents();
  private final Settings settings;

  /** Null without a service manager; until a daemon with a launcher is ready, that one tells it. */
  private volatile @Nullable ServiceReport service;

  /** Held while a status is passed on, and while it is decided who tells the next one. */
  private final Object statusLock = new Object();

  /** What the program has last said of itself; guarded by the lock. */
  private String lastStatus = "";

  /** The health check for the watchdog; guarded by this. */
  private @Nullable BooleanSupplier healthCheck;

  private boolean dropped;
  private boolean settled;
  private boolean newlineWritten;

  Daemon(
      Settings settings,
      @Nullable Identity identity,
      Resources resources,
      @Nullable ReadinessReport report,
      @Nullable Simulation simulation,
      @Nullable Foreground foreground) {
    this.identity = identity;
    drop = settings.privilegeDrop(identity);
    hasAttributes = settings.hasAttributes();
    noNewPrivileges = settings.noNewPrivileges;
    this.resources = resources;
    this.report = report;
    simulated = simulation != null;
    this.foreground = foreground;
    this.settings = settings;
    cleanUp = new LockCleanUp(resources, settings.removePidFileOnClose, simulation);
    if (foreground != null && LaunchContext.hasServiceManager()) {
      ServiceReport manager = serviceReport();
      manager.begin();
      service = manager;
    }
  }

  private ServiceReport serviceReport() {
    return new ServiceReport(new StatusLine(settings.displayName(), true));
  }

  /** {@return the process id of this process, which the pidfile holds} */
  public long pid() {
    return ProcessHandle.current().pid();
  }

  /**
   * Reports what this daemon is doing. Until it is ready, the report goes to the launcher, which
   * shows it on its terminal; in the foreground there is no launcher. Where {@code NOTIFY_SOCKET}
   * is set, it goes to the service manager too, at any time, which shows it until the next one: in
   * {@code systemctl status}, for instance. The call never waits: who does not read misses the
   * report.
   *
   * @param text a few words, such as {@code loading the index}
   */
  public void status(String text) {
    requireNonNull(text, "text");
    ServiceReport manager;
    synchronized (statusLock) {
      lastStatus = text;
      if (report != null) {
        report.status(text);
      }
      manager = service;
    }
    if (manager != null) {
      manager.status(text);
    }
  }

  private String lastStatus() {
    synchronized (statusLock) {
      return lastStatus;
    }
  }

  /**
   * Reports to the launcher that this daemon is ready, and returns when the launcher has confirmed
   * it. A launcher that has called {@link Daemonizer#daemonize} then exits with 0. A second call
   * does nothing.
   *
   * <p>From now on standard output and error lead to their files, or to the null device.
   *
   * <p>Where {@code NOTIFY_SOCKET} is set, the service manager is told: in the foreground by this
   * process ({@code READY=1}); otherwise by the launcher before it exits, which names this process
   * as the service's main one ({@code MAINPID=}). In the foreground a supervisor may also wait for
   * a newline: see {@link DaemonConfig.Builder#readinessDescriptor}. Neither is a reason to fail: a
   * warning on standard error says what could not be told.
   *
   * @throws IllegalStateException if {@link #dropPrivileges()} is still to be called: the
   *     configuration has a user or group that this process is not, or something else to give up
   * @throws StartException if the launcher has given up or is gone, in which case this process is
   *     about to end; if this process cannot take over what it has inherited; or if it cannot write
   *     the report to a launcher that waits for it
   */
  public void ready() {
    requireDropped("ready");
    if (resources.isOwn()) {
      settle();
    }
    if (report != null) {
      // What is said later the launcher may not read any more.
      String told = lastStatus();
      report.ready();
      // This needs time, in which the launcher can end.
      settle();
      report.awaitLauncher();
      beginService(told);
    }
    ServiceReport manager = service;
    if (manager != null) {
      manager.ready();
    }
    if (foreground != null && settings.readinessDescriptor != null) {
      writeNewline(settings.readinessDescriptor);
    }
  }

  /**
   * Takes over from the launcher what there is to tell the service manager.
   *
   * @param told the status that the launcher has told last
   */
  private synchronized void beginService(String told) {
    if (service == null && LaunchContext.hasServiceManager()) {
      ServiceReport manager = serviceReport();
      manager.beginReady(healthCheck, told);
      synchronized (statusLock) {
        if (!lastStatus.equals(told)) {
          manager.status(lastStatus);
        }
        service = manager;
      }
    }
  }

  private synchronized void writeNewline(int descriptor) {
    if (newlineWritten) {
      return;
    }
    newlineWritten = true;
    try {
      boolean _ = NewlineNotifier.to(descriptor).ready();
    } catch (IOException failure) {
      new StatusLine(settings.displayName(), true).warn(failure);
    }
  }

  private synchronized void requireDropped(String what) {
    if (drop == null || dropped) {
      return;
    }
    if (hasAttributes || (identity != null && !identity.isCurrent())) {
      throw new IllegalStateException(
          what
              + " before dropPrivileges(): the configuration says "
              + drop.toString().replace("\n", "; "));
    }
  }

  /** Gives up what only a start needs: the streams have descriptors of their own. */
  private synchronized void settle() {
    Resources.Open own = resources.own();
    try {
      own.streams().release();
      settled = true;
      own.streams().close();
      for (PendingChown pending : own.pendingChowns()) {
        if (!isLock(pending.descriptor())) {
          pending.descriptor().close();
        }
      }
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private boolean isLock(Descriptor descriptor) {
    Resources.Open own = resources.own();
    return (own.pidFile() != null && own.pidFile().descriptor() == descriptor)
        || (own.lockFile() != null && own.lockFile().descriptor() == descriptor);
  }

  /**
   * Reports to the launcher that this daemon gives up. The launcher prints the cause and its
   * causes, stops this process and its process group, and exits with 70, or with the exit code of a
   * {@link StartException}. An exception that leaves {@code main} has the same effect.
   *
   * @param cause why it gives up
   * @return an exception for the caller to throw, so that this process does not go on: {@code throw
   *     daemon.fail(cause)}
   */
  public StartException fail(Throwable cause) {
    requireNonNull(cause, "cause");
    if (report != null) {
      report.failed(cause);
    }
    if (service != null) {
      ServiceReport.failed(FailureText.of(cause), cause);
    }
    StartException failure =
        new StartException(
            Reason.DAEMON_FAILED, ReadinessReport.exitCode(cause), FailureText.of(cause));
    failure.initCause(cause);
    return failure;
  }

  /**
   * Reports to the launcher that this daemon gives up, with an exit code of its own.
   *
   * @param exitCode the launcher's exit code, from 1 to 255
   * @param message why it gives up
   * @return an exception for the caller to throw, so that this process does not go on
   * @throws IllegalArgumentException if the exit code is outside that range
   */
  public StartException fail(int exitCode, String message) {
    requireNonNull(message, "message");
    StartException failure = new StartException(Reason.DAEMON_FAILED, exitCode, message);
    if (report != null) {
      report.failed(exitCode, message);
    }
    if (service != null) {
      ServiceReport.failed(message, failure);
    }
    return failure;
  }

  /**
   * Changes the owner of the pidfile, the lock file and the output files to the configured user and
   * group, if root has opened them because that user could not. Files in directories where the user
   * may create files belong to it already. Without a user or group, and once the daemon is ready,
   * the call does nothing.
   *
   * @throws StartException if the owner of a file cannot be changed; see {@link Ownership#give}
   */
  public synchronized void chownFiles() {
    if (identity == null || settled) {
      return;
    }
    try {
      for (PendingChown pending : resources.own().pendingChowns()) {
        pending.apply(identity);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /**
   * Becomes the configured user and group, and applies the configured limits, priorities and {@code
   * no_new_privs}: for every thread, for good, and with a check that nothing is left; see {@link
   * PrivilegeDrop#applyToProcess}. If this process has the user and group already, only the rest is
   * applied. A simulation changes nothing.
   *
   * <p>If this process shares a terminal, as in the foreground, then it and its children lose the
   * right to insert input into it: see {@link ThisProcess#refuseTyping}.
   *
   * @throws StartException if that is not possible or was not complete; this process should end
   *     then
   */
  public synchronized void dropPrivileges() {
    if (drop == null || dropped || simulated) {
      dropped = true;
      return;
    }
    keepFromTyping();
    try {
      drop.applyToProcess();
      dropped = true;
    } catch (PosixException failure) {
      boolean denied = failure.errno().equals(Errno.EPERM) || failure.errno().equals(Errno.EACCES);
      throw new StartException(denied ? Reason.PERMISSION : Reason.SYSTEM, failure);
    } catch (IOException failure) {
      throw new StartException(Reason.PERMISSION, failure);
    }
  }

  /** Protects the terminal of the previous user, which this process may have in the foreground. */
  private void keepFromTyping() {
    if (TargetIdentity.user(identity) == Identity.effectiveUser()) {
      return;
    }
    try {
      ThisProcess.refuseTyping(noNewPrivileges);
    } catch (IOException failure) {
      throw new StartException(
          Reason.PERMISSION,
          identity
              + " could type into this terminal, and that cannot be prevented here: "
              + failure.getMessage()
              + "; set noNewPrivileges, or start it without a terminal");
    }
  }

  /**
   * Returns a descriptor that the launcher has kept open for this daemon, with the locks on it.
   *
   * @param name the name given to {@link DaemonConfig.Builder#keepOpen(String, Descriptor)}
   * @return the open descriptor, the same one at each call; the caller may close it
   * @throws IllegalArgumentException if there is no descriptor with that name
   */
  public Descriptor kept(String name) {
    requireNonNull(name, "name");
    Descriptor descriptor = resources.own().kept().get(name);
    if (descriptor == null) {
      throw new IllegalArgumentException("no descriptor was kept open as \"" + name + "\"");
    }
    return descriptor;
  }

  /**
   * Returns the descriptor of the lock file, or of the pidfile if there is no lock file. A process
   * that inherits it holds the lock too.
   *
   * @return the descriptor, which the caller must not close
   * @throws IllegalStateException if there is neither a lock file nor a pidfile
   */
  public Descriptor lockDescriptor() {
    Resources.Open own = resources.own();
    SingletonLock lock = own.lockFile() != null ? own.lockFile() : own.pidFile();
    if (lock != null) {
      return lock.descriptor();
    }
    throw new IllegalStateException("there is no pidfile and no lock file");
  }

  /**
   * Returns a reader for all that this process prints on standard output, from Java or from native
   * code. Printing never waits for the reader. The last million characters are kept for it, where
   * each line counts 64 more; if lines were lost, a line in their place says how many.
   *
   * @return the reader, the same one at each call; it waits for the next line
   * @throws IllegalStateException if {@link DaemonConfig.Builder#captureOutput} was not set
   */
  public BufferedReader capturedOutput() {
    return captured(resources.own().streams().output());
  }

  /**
   * Returns a reader for all that this process prints on standard error, as {@link
   * #capturedOutput()}.
   *
   * @return the reader, the same one at each call; it waits for the next line
   * @throws IllegalStateException if {@link DaemonConfig.Builder#captureOutput} was not set
   */
  public BufferedReader capturedError() {
    return captured(resources.own().streams().error());
  }

  private static BufferedReader captured(@Nullable CapturedStream captured) {
    if (captured == null) {
      throw new IllegalStateException("captureOutput is not set");
    }
    return captured.reader();
  }

  /**
   * Redirects standard error to its file, or to the null device, before the daemon is ready. A
   * second call does nothing.
   *
   * @throws StartException if it cannot be redirected
   */
  public void releaseStandardError() {
    try {
      resources.own().streams().releaseStandardError();
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /**
   * Runs a handler whenever a signal arrives, until this daemon is closed: on an ordinary thread,
   * one handler after the other, by the rules of {@link SignalEvents}. An exception of a handler is
   * reported as an uncaught one, which standard error shows; later signals are handled as before.
   *
   * {@snippet file="dev/daimon/daemon/Example.java" region="signals"}
   *
   * @param signal the signal, such as {@link Signal#HUP}, which would end a JVM otherwise
   * @param handler the action
   * @throws IllegalArgumentException if the JVM keeps that signal for itself; the message says why
   * @throws IllegalStateException if this daemon is closed
   * @throws StartException if the kernel refuses
   */
  public void on(Signal signal, SignalHandler handler) {
    requireNonNull(signal, "signal");
    requireNonNull(handler, "handler");
    try {
      SignalEvents _ = signals.on(signal, handler);
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /**
   * Runs a handler on {@code SIGHUP}, as {@link #on} does, and tells the service manager of the
   * reload where {@code NOTIFY_SOCKET} is set: {@code RELOADING=1} before the handler, {@code
   * READY=1} after it. That is what systemd's {@code Type=notify-reload} waits for.
   *
   * <p>If the handler throws, the exception is reported as by {@link #on}, and {@code READY=1}
   * comes all the same: this daemon goes on with what it had. The manager's status then says why
   * the reload has failed, until the next reload that succeeds or the next {@link #status}.
   *
   * <p>A reload before this daemon is ready, or while it stops, runs the handler and tells nothing.
   *
   * @param handler reads the configuration again
   * @throws IllegalStateException if this daemon is closed
   * @throws StartException if the kernel refuses
   */
  public void onReload(SignalHandler handler) {
    requireNonNull(handler, "handler");
    on(
        Signal.HUP,
        new SignalHandler() {
          @Override
          public void handle(Signal signal) throws Exception {
            ServiceReport manager = service;
            if (manager == null) {
              handler.handle(signal);
            } else {
              manager.reload(signal, handler);
            }
          }
        });
  }

  /**
   * Tells the service manager again and again that this daemon works, if the manager wants that:
   * systemd does with {@code WatchdogSec=}, in the variables {@code WATCHDOG_USEC} and {@code
   * WATCHDOG_PID}. From {@link #ready()} on a thread asks the health check at half that time, and
   * tells the manager so only if the answer is true. A manager that is told nothing in time ends
   * this daemon, and may start it again.
   *
   * <p>A check that throws, or does not return, counts as false. While it fails, the manager's
   * status says so. This ends with {@link #close()}, and when this daemon begins to stop. Where no
   * manager wants it, the call does nothing, and the check never runs. A second call replaces the
   * check, from the next time on at which it is asked. Where no thread can be started, a warning on
   * standard error says so, and a later call tries again.
   *
   * @param healthCheck whether this daemon works; called on a thread of its own
   */
  public void watchdog(BooleanSupplier healthCheck) {
    requireNonNull(healthCheck, "healthCheck");
    ServiceReport manager;
    synchronized (this) {
      this.healthCheck = healthCheck;
      manager = service;
    }
    if (manager != null) {
      manager.watchdog(healthCheck);
    }
  }

  /**
   * Ends this process gracefully on {@code SIGTERM}: the drain runs, and then the process exits
   * with 0. If the drain throws, the exception is reported and the exit code is 70. If the drain
   * has not ended at the deadline, the process exits with 143, as if the signal had ended it.
   *
   * <p>The exit is an ordinary one: shutdown hooks run, and then the pidfile is removed. The hooks
   * have five seconds, from the end of the drain or from the deadline, whichever comes first; then
   * the pidfile is removed and the JVM is halted. A second {@code SIGTERM} changes nothing, unless
   * the first one found no thread for the drain.
   *
   * <p>Where {@code NOTIFY_SOCKET} is set, the service manager is told when the drain begins
   * ({@code STOPPING=1}). It has a deadline of its own, such as systemd's {@code TimeoutStopSec=},
   * which should be longer.
   *
   * @param deadline the maximal duration of the drain, from the signal on
   * @param drain finishes what is in progress, such as open requests
   * @throws IllegalArgumentException if the deadline is negative
   * @throws IllegalStateException if this daemon is closed
   * @throws StartException if the kernel refuses
   */
  public void onStop(Duration deadline, SignalHandler drain) {
    requireNonNull(deadline, "deadline");
    requireNonNull(drain, "drain");
    if (deadline.isNegative()) {
      throw new IllegalArgumentException("not a deadline: " + deadline);
    }
    SignalHandler told =
        new SignalHandler() {
          @Override
          public void handle(Signal signal) throws Exception {
            ServiceReport manager = service;
            if (manager != null) {
              manager.beginStopping();
            }
            drain.handle(signal);
          }
        };
    on(Signal.TERM, new GracefulStop(deadline, told, cleanUp));
  }

  /**
   * Reopens the configured output files, after a log rotation has renamed them. No output is lost
   * or split meanwhile: see {@link dev.daimon.forking.LogFile}. Streams that do not lead to these
   * files stay as they are.
   *
   * <p>The files are opened as the current user of this process. In a directory in which that user
   * may not create files, the rotation must create them, as {@code create} of logrotate does.
   *
   * @throws IllegalStateException if {@link #dropPrivileges()} is still to be called: the
   *     configuration has a user or group that this process is not, or something else to give up
   * @throws StartException {@link Reason#FILE} if a file cannot be opened; its stream still leads
   *     to the old file then
   */
  public void reopenLogs() {
    requireDropped("reopenLogs");
    try {
      resources.own().streams().reopen();
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /**
   * Sets whether the pidfile is removed when this daemon is closed or ends.
   *
   * @param remove whether to remove it
   */
  public void removePidFileOnClose(boolean remove) {
    cleanUp.removePidFileOnClose(remove);
  }

  /**
   * Removes the pidfile and gives up the locks, also if {@link #removePidFileOnClose} is false. If
   * this process may not remove the pidfile any more, it empties the file. A file of another daemon
   * is left alone. A second call does nothing.
   *
   * @throws StartException if the pidfile can be neither removed nor emptied
   */
  public void cleanup() {
    cleanUp.now();
  }

  /**
   * Removes the pidfile, unless it is to stay, gives up the locks as {@link #cleanup()} does, and
   * stops handling signals. The process goes on. If the daemon was not ready yet, the launcher
   * still waits for its report. While the JVM is shutting down, the pidfile and the locks are left
   * to its end.
   *
   * <p>In the foreground, the process gets its previous umask back, and can become a daemon again.
   * Its streams still lead to the log, so that a final exception is found there.
   *
   * <p>Where {@code NOTIFY_SOCKET} is set, the service manager is told first that this daemon stops
   * ({@code STOPPING=1}), once, if the stop or the end of the JVM has not done so already. systemd
   * then expects the process to end.
   *
   * @throws StartException as {@link #cleanup()}
   */
  @Override
  public void close() {
    ServiceReport manager = service;
    if (manager != null) {
      manager.close();
    }
    try {
      signals.close();
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    } finally {
      cleanUp.close();
      if (foreground != null) {
        foreground.end();
      }
    }
  }
}
