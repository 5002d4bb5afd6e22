package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

import dev.daimon.posix.NativeAccessException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Lets a Java program become a daemon, in one call.
 *
 * <p>The program runs twice. The first run, the <em>launcher</em>, is the one that a user, a script
 * or an init system started: it takes the locks, opens the files, starts the second one, and waits
 * until that is ready. The second run, the <em>daemon</em>, is the same program afresh: same
 * executable, same command line with relative paths made absolute, same environment. It has a
 * session of its own that it does not lead, no terminal, clean signals, and starts in its final
 * working directory. No process is in between.
 *
 * <p>So the code before the call runs once in each of them: {@link #stage()} tells which one it is
 * in, and {@link #launchDirectory()} where the caller's relative files are.
 */
public final class Daemonizer {
  private static final AtomicBoolean CALLED = new AtomicBoolean();
  private static final StackWalker STACK =
      StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

  private Daemonizer() {}

  /**
   * Makes this program a daemon. Returns in the daemon only; the launcher ends here, by {@link
   * System#exit}, with the verdict: 0 if the daemon is ready, otherwise an exit code that tells why
   * not, and the reason on standard error: an exception of the daemon with its causes, and where
   * its stack trace is. A daemon that exits before it is ready, without a word and not with 0, has
   * its exit code taken over.
   *
   * <p>The launcher shows on a terminal what the daemon says it is doing, and prints nothing else.
   * If it is interrupted, or killed, before the daemon is ready, the daemon ends too; so it does if
   * another thread of the launcher exits, whose exit code then is the launcher's. What a launcher
   * that was killed has created, such as a log file, stays; and a daemon that has not come to this
   * call yet goes on until it does.
   *
   * <p>It is the command line of this JVM that is run once more. Where that is not the program's
   * own, in a build tool, a test runner or an application server, the call is refused by an
   * exception, and nothing is ended; in the foreground, and as a simulation, it works there as
   * well. Such a JVM is told by the main class, and by the classes on the stack, of a known tool;
   * or by the calling class: another class loader than java's own has loaded it from a file to
   * which neither the class path nor the module path leads.
   *
   * @param config how; the daemon must come to the same one as its launcher
   * @return the daemon itself, to be closed by the caller
   * @throws StartException in the daemon, if it was started with another configuration; in a JVM
   *     that was not started for this program, {@link StartException.Reason#CONFIGURATION}
   * @throws IllegalStateException if this process was daemonized before, other than in a
   *     simulation, or in the foreground and closed since
   */
  public static Daemon daemonize(DaemonConfig config) {
    requireNonNull(config, "config");
    if (stage() == Stage.DAEMON) {
      return becomeDaemon(config);
    }
    if (!config.isInProcess()) {
      HostJvm.requireOwn(STACK.getCallerClass());
    }
    String name = ProgramName.of(config);
    try {
      if (config.isInProcess()) {
        return becomeDaemon(config);
      }
      LaunchedDaemon daemon = new Launcher(config, true).launch();
      if (!daemon.isReady() && !daemon.message().isEmpty()) {
        StatusLine.error(name, daemon.message());
      }
      System.exit(daemon.exitCode());
    } catch (StartException failure) {
      StatusLine.error(name, FailureText.of(failure));
      for (Throwable left : failure.getSuppressed()) {
        StatusLine.error(name, "not taken back: " + FailureText.of(left));
      }
      System.exit(failure.exitCode());
    } catch (NativeAccessException denied) {
      StatusLine.error(name, String.valueOf(denied.getMessage()));
      System.exit(Reason.SYSTEM.exitCode());
    }
    throw new AssertionError("System.exit returned");
  }

  /**
   * Starts this program as a daemon, and returns in both: for programs that live on after that.
   *
   * <p>While files are created the launcher has the daemon's umask, for all of its threads. The
   * calling thread cannot be interrupted while it waits; {@link DaemonConfig.Builder#readyTimeout}
   * says how long that may be.
   *
   * @param config how; the daemon must come to the same one as its launcher
   * @return which of the two this is. In the launcher, what became of the daemon: ready, or ended
   *     and gone with its process group. The exit code of one that exits without a word is 70: the
   *     launcher is not its parent
   * @throws StartException if no daemon was started, with everything as it was, and what could not
   *     be taken back as suppressed exceptions; in the daemon, as {@link #daemonize}
   * @throws IllegalStateException as {@link #daemonize}
   */
  public static Launch launch(DaemonConfig config) {
    requireNonNull(config, "config");
    if (stage() == Stage.DAEMON || config.isInProcess()) {
      return new Launch.InDaemon(becomeDaemon(config));
    }
    HostJvm.requireOwn(STACK.getCallerClass());
    try {
      return new Launch.InLauncher(new Launcher(config, false).launch());
    } catch (NativeAccessException denied) {
      throw new StartException(Reason.SYSTEM, denied);
    }
  }

  private static Daemon becomeDaemon(DaemonConfig config) {
    LaunchContext.FromLauncher fromLauncher = LaunchContext.find().fromLauncher();
    if (fromLauncher == null && config.simulate) {
      return InProcessStart.start(config);
    }
    if (!CALLED.compareAndSet(false, true)) {
      throw new IllegalStateException("this process is a daemon already");
    }
    try {
      return fromLauncher == null
          ? InProcessStart.start(config)
          : DaemonStart.by(fromLauncher, config);
    } catch (RuntimeException failure) {
      CALLED.set(fromLauncher != null);
      throw failure;
    }
  }

  /** A daemon in this very process is closed: there can be another one. */
  static void closed() {
    CALLED.set(false);
  }

  /**
   * Tells which of the two runs of the program this is; also before the call, in any code. In the
   * foreground there is one run, which is {@link Stage#LAUNCHER}.
   *
   * @return {@link Stage#DAEMON} in a process that was started by its launcher
   * @throws StartException if the connection to the launcher cannot be read
   */
  public static Stage stage() {
    return LaunchContext.find().stage();
  }

  /**
   * Tells where the caller stood: the launcher's working directory, also in the daemon, which
   * stands elsewhere.
   *
   * @return an absolute path; it leads nowhere if that directory is gone
   * @throws StartException if the connection to the launcher cannot be read
   */
  public static Path launchDirectory() {
    return LaunchContext.find().launchDirectory();
  }
}
