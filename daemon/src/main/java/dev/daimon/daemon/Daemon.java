package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

import dev.daimon.forking.ThisProcess;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.signals.SignalEvents;
import dev.daimon.signals.SignalHandler;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.PendingChown;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.BufferedReader;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * This process as a daemon: what it tells its launcher, the files it owns, and the privileges it
 * gives up.
 *
 * <p>Its pidfile goes with {@link #close()}, and otherwise when the JVM ends, by the end of {@code
 * main}, {@link System#exit}, or a signal that ends it: after all shutdown hooks, so that no other
 * daemon starts while this one is still stopping. It does not go with {@code SIGKILL}, after which
 * the next start takes over at once, since the lock is gone. Safe for use by several threads.
 *
 * <p>What this process has inherited from its launcher, the locks among it, is marked close-on-exec
 * by {@link #ready()} at the latest. A child of {@link ProcessBuilder} never gets any of it, nor
 * does one whose descriptors are swept; before native code of one's own starts something in another
 * way, {@link #lockDescriptor()} has it marked.
 */
public final class Daemon implements AutoCloseable {
  private final @Nullable Identity identity;

  /** What is given up; null for nothing. */
  private final @Nullable PrivilegeDrop drop;

  /** Whether that is more than who this process is already, maybe. */
  private final boolean hasAttributes;

  private final boolean noNewPrivileges;

  private final Resources resources;

  /** Null in this very process: there is nobody to tell. */
  private final @Nullable ReadinessReport report;

  private final boolean simulated;

  /** Null if this is not in the foreground. */
  private final InProcessStart.@Nullable Foreground foreground;

  private final LockCleanUp cleanUp;
  private final SignalEvents signals = new SignalEvents();

  private boolean dropped;
  private boolean settled;

  Daemon(
      DaemonConfig config,
      @Nullable Identity identity,
      Resources resources,
      @Nullable ReadinessReport report,
      InProcessStart.@Nullable Simulation simulation,
      InProcessStart.@Nullable Foreground foreground) {
    this.identity = identity;
    drop = Identities.drop(config, identity);
    hasAttributes = config.hasAttributes();
    noNewPrivileges = config.noNewPrivileges;
    this.resources = resources;
    this.report = report;
    simulated = simulation != null;
    this.foreground = foreground;
    cleanUp = new LockCleanUp(resources, config.removePidFileOnClose, simulation);
  }

  /** {@return this process's id, which is what the pidfile holds} */
  public long pid() {
    return ProcessHandle.current().pid();
  }

  /**
   * Tells the launcher what this daemon is doing, for its terminal. Never waits for the launcher,
   * which misses it if it does not read; once the daemon is ready, and in the foreground, it does
   * nothing.
   *
   * @param text a few words
   */
  public void status(String text) {
    requireNonNull(text, "text");
    if (report != null) {
      report.status(text);
    }
  }

  /**
   * Tells the launcher that this daemon does its work, and returns when the launcher has taken note
   * of it and says 0 to whoever started it. A second call does nothing.
   *
   * <p>Standard output and error lead to their files, or the null device, from now on at the
   * latest.
   *
   * @throws IllegalStateException if the configuration names a user or group, and this process is
   *     not that yet, or something else that is to be given up and was not
   * @throws StartException if the launcher has given up, or is gone: this process ends; or if what
   *     was inherited from it cannot be taken over
   */
  public void ready() {
    requireDropped("ready");
    if (resources.isOwn()) {
      settle();
    }
    if (report != null) {
      report.ready();
      // While the launcher ends.
      settle();
      report.awaitLauncher();
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

  /** Closes what only a start needs: the output files are known by their streams from now on. */
  private synchronized void settle() {
    releaseStandardError();
    settled = true;
    OpenResources own = resources.own();
    try {
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
    OpenResources own = resources.own();
    return (own.pidFile() != null && own.pidFile().descriptor() == descriptor)
        || (own.lockFile() != null && own.lockFile().descriptor() == descriptor);
  }

  /**
   * Tells the launcher that this daemon gives up, and why; the launcher prints that with its
   * causes, stops what is left of the daemon and exits with 70, or with the exit code of a {@link
   * StartException}. An exception that leaves {@code main} does the same by itself.
   *
   * @param cause why
   * @return an exception to throw, so that this process does not go on: {@code throw
   *     daemon.fail(cause)}
   */
  public StartException fail(Throwable cause) {
    requireNonNull(cause, "cause");
    if (report != null) {
      report.failed(cause);
    }
    StartException failure =
        new StartException(
            Reason.DAEMON_FAILED, ReadinessReport.exitCode(cause), FailureText.of(cause));
    failure.initCause(cause);
    return failure;
  }

  /**
   * Tells the launcher that this daemon gives up, and with which exit code.
   *
   * @param exitCode what the launcher exits with, from 1 to 255
   * @param message why
   * @return an exception to throw, so that this process does not go on
   * @throws IllegalArgumentException if the exit code is outside that range
   */
  public StartException fail(int exitCode, String message) {
    requireNonNull(message, "message");
    StartException failure = new StartException(Reason.DAEMON_FAILED, exitCode, message);
    if (report != null) {
      report.failed(exitCode, message);
    }
    return failure;
  }

  /**
   * Gives the pidfile, the lock file and the output files to the configured user and group, as far
   * as they were opened as root in the user's stead: where that user may create files, they belong
   * to it from the start. Without a user or group, and once the daemon is ready, there is nothing
   * to do.
   *
   * @throws StartException if one cannot be given away; see {@link Ownership#give}
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
   * Becomes the configured user and group, and gives up what else the configuration says, with
   * every thread and for good, and proves it: see {@link PrivilegeDrop#applyToProcess}. A user and
   * group that this process is already are done; a simulation only finds out whether it could
   * become them. On a terminal that this process shares with others, as in the foreground, it and
   * all that it starts can type into it no more: see {@link ThisProcess#refuseTyping}.
   *
   * @throws StartException if that is not possible, or was not complete: this process should end
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

  /** In the foreground there may be a terminal, which is the other user's. */
  private void keepFromTyping() {
    if (DaemonFiles.user(identity) == Identity.effectiveUser()) {
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
   * Finds a descriptor that the launcher has kept open for this daemon, with the locks on it.
   *
   * @param name as it was given to {@link DaemonConfig.Builder#keepOpen(String, Descriptor)}
   * @return the open descriptor, the same one at each call; the caller may close it
   * @throws IllegalArgumentException if there is none of that name
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
   * Returns the open file that carries the lock: the lock file, or the pidfile if there is none.
   * What inherits it shares the lock.
   *
   * @return the descriptor, which stays this daemon's
   * @throws IllegalStateException if there is neither
   */
  public Descriptor lockDescriptor() {
    OpenResources own = resources.own();
    SingletonLock lock = own.lockFile() != null ? own.lockFile() : own.pidFile();
    if (lock != null) {
      return lock.descriptor();
    }
    throw new IllegalStateException("there is no pidfile and no lock file");
  }

  /**
   * Reads what this process prints on standard output, line by line, be it from Java or from native
   * code. Of what nobody reads, the last million characters are kept, each line counting 64 more,
   * and a line tells how many lines were lost before them; nobody who prints ever waits.
   *
   * @return the one reader there is; it waits for the next line
   * @throws IllegalStateException if {@link DaemonConfig.Builder#captureOutput} was not set
   */
  public BufferedReader capturedOutput() {
    return captured(resources.own().streams().output());
  }

  /**
   * Reads what this process prints on standard error, as {@link #capturedOutput()}.
   *
   * @return the one reader there is; it waits for the next line
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
   * Lets standard error lead to its file, or the null device, before the daemon is ready. A second
   * call does nothing.
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
   * Lets a handler run whenever a signal comes, until this daemon is closed: on an ordinary thread,
   * one handler after the other, with the rules of {@link SignalEvents}. What it throws is reported
   * as an uncaught exception, which standard error shows, and changes nothing.
   *
   * <pre>{@code
   * daemon.on(Signal.HUP, signal -> reload());
   * daemon.on(Signal.USR1, signal -> daemon.reopenLogs());
   * daemon.onStop(Duration.ofSeconds(20), signal -> server.stop(20));
   * }</pre>
   *
   * @param signal such as {@link Signal#HUP}, which otherwise ends a JVM
   * @param handler what is done
   * @throws IllegalArgumentException if the JVM does not let go of that signal, with the reason
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
   * Lets this process end gracefully when {@code SIGTERM} comes: the drain runs, beside everything
   * else, and then the process exits with 0. If the drain has thrown, that is reported and the exit
   * code is 70. If it is not over by the deadline, the process exits all the same, with 143, as if
   * the signal had ended it.
   *
   * <p>The exit is one as always: shutdown hooks run, and then the pidfile goes. They have five
   * seconds for that; after these the JVM is halted, and the pidfile goes nevertheless. A second
   * {@code SIGTERM} changes nothing.
   *
   * @param deadline how long the drain may take, from the signal on
   * @param drain what is to be finished, such as the requests in flight
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
    on(Signal.TERM, new GracefulStop(deadline, drain, cleanUp));
  }

  /**
   * Opens the configured output files again, for a log rotation that has renamed them: nothing that
   * this process writes is lost or torn, see {@link dev.daimon.forking.LogFile}. Streams that lead
   * elsewhere stay as they are.
   *
   * <p>The files are opened as the user that this process has become. In a directory that is not
   * that user's, they must have been created for it, as {@code create} of logrotate does.
   *
   * @throws IllegalStateException if the configuration names a user or group, and this process is
   *     not that yet
   * @throws StartException {@link Reason#FILE} if one cannot be opened: its stream still leads to
   *     the old file
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
   * Sets whether the pidfile goes when this daemon is closed or ends.
   *
   * @param remove whether it is removed
   */
  public void removePidFileOnClose(boolean remove) {
    cleanUp.removePidFileOnClose(remove);
  }

  /**
   * Removes the pidfile and gives the locks up, whatever was said about closing; nobody else's file
   * is touched. Where this process may not remove the pidfile any more, it is emptied. A second
   * call does nothing.
   *
   * @throws StartException if it can neither be removed nor emptied
   */
  public void cleanup() {
    cleanUp.now();
  }

  /**
   * Removes the pidfile, unless it is to stay, and gives the locks up, as {@link #cleanup()}, and
   * the signals that are handled. The process goes on; the launcher of one that is not ready still
   * waits, to hear why. While the JVM is ending it does nothing: the locks go with the process
   * then.
   *
   * <p>In the foreground the process has its umask back, and can be a daemon once more. Its streams
   * stay where they lead: what it dies of belongs into the log.
   *
   * @throws StartException as {@link #cleanup()}
   */
  @Override
  public void close() {
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
