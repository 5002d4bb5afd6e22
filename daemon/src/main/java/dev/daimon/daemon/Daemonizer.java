package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.handover.LaunchContext;
import dev.daimon.daemon.javacommand.HostJvm;
import dev.daimon.daemon.runtime.FailureText;
import dev.daimon.posix.NativeAccessException;
import dev.daimon.posix.NativePath;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Makes a Java program a daemon, in one call.
 *
 * <p>The program runs twice, in two processes. A user, a script or an init system starts the first
 * one, the <em>launcher</em>. The launcher takes the locks, opens the files, starts the second
 * process, the <em>daemon</em>, and waits until it is ready. The daemon runs the same program from
 * the beginning: same executable, same command line with relative paths made absolute, same
 * environment. It is in a new session that it does not lead, without a terminal, with default
 * signal dispositions, and starts in its final working directory. No process is between the two:
 * when the launcher has ended, the daemon is a child of init.
 *
 * <p>So the code before the call runs in both processes. {@link #stage()} returns which one this
 * is, and {@link #launchDirectory()} the directory to which the caller's relative paths refer.
 */
public final class Daemonizer {
  private static final AtomicBoolean DAEMONIZED = new AtomicBoolean();
  private static final StackWalker STACK =
      StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

  private Daemonizer() {}

  /**
   * Makes this program a daemon. The call returns in the daemon only. In the launcher it ends the
   * JVM by {@link System#exit}: with 0 as soon as the daemon is ready, otherwise with an exit code
   * and a message on standard error that say why not. The message has the daemon's exception with
   * its causes, and names the log that has the stack trace. If the daemon exits before it is ready
   * and reports nothing, the launcher exits with the daemon's exit code, or with 70 if that is 0 or
   * a signal has killed the daemon. Where {@code NOTIFY_SOCKET} is set, that is always 70: the
   * launcher is not the daemon's parent then. It tells the service manager what the daemon reports,
   * and that the daemon is the service's main process. A process that cannot find out which of the
   * two it is exits in the same way.
   *
   * <p>On a terminal, the launcher shows the daemon's {@linkplain Daemon#status status}; otherwise
   * it prints nothing. If the launcher is interrupted or killed before the daemon is ready, the
   * daemon ends too. The same happens if another thread of the launcher calls {@code System.exit};
   * then the exit code is that thread's. Once the daemon is ready, the launcher exits with 0 also
   * if one of these comes before its own exit, but for a kill. Files that a killed launcher has
   * created, such as a log, stay. A daemon that has not reached this call when the launcher ends
   * goes on until it does.
   *
   * <p>The launcher starts the daemon with the command line of this JVM. In a build tool, a test
   * runner or an application server that is not the program's own command line, so the call throws
   * an exception there. In the foreground, and as a simulation, it works there as well. The call
   * recognizes such a JVM by its main class and by the classes on the stack, if they belong to a
   * known tool; and by the calling class, if another class loader than Java's own has loaded it
   * from a file that is not on the class path or module path.
   *
   * @param config the configuration; it must be the same in launcher and daemon
   * @return the daemon, which the caller closes
   * @throws StartException in the daemon, if its configuration differs from the launcher's; with
   *     {@link StartException.Reason#CONFIGURATION} in a JVM that was not started for this program
   * @throws IllegalStateException if this process is a daemon already; a simulation, or a daemon in
   *     the foreground that was closed, does not count
   */
  public static Daemon daemonize(DaemonConfig config) {
    requireNonNull(config, "config");
    Settings settings = config.settings;
    if (isDaemonOrExit(settings, STACK.getCallerClass())) {
      return becomeDaemon(settings);
    }
    if (!settings.isInProcess()) {
      HostJvm.requireOwn(STACK.getCallerClass(), launchDirectory());
    }
    String name = settings.displayName();
    try {
      if (settings.isInProcess()) {
        return becomeDaemon(settings);
      }
      LaunchedDaemon daemon = new Launcher(settings, true).launch();
      if (!daemon.isReady() && !daemon.message().isEmpty()) {
        StatusLine.error(name, daemon.message());
        tellManager(daemon.message(), null);
      }
      System.exit(daemon.exitCode());
    } catch (StartException failure) {
      throw exit(name, failure);
    } catch (NativeAccessException denied) {
      StatusLine.error(name, String.valueOf(denied.getMessage()));
      System.exit(Reason.SYSTEM.exitCode());
    } catch (OutOfMemoryError lack) {
      throw exit(name, FailureText.scarce(lack));
    }
    throw new AssertionError("System.exit returned");
  }

  /** Whether this is the daemon. */
  private static boolean isDaemonOrExit(Settings settings, Class<?> caller) {
    try {
      return stage() == Stage.DAEMON;
    } catch (StartException failure) {
      if (!settings.isInProcess()) {
        // The JVM of another program must not end. A launcher's own directory is that of its JVM.
        HostJvm.requireOwn(caller, NativePath.absolute(Path.of("")));
      }
      throw exit(settings.displayName(), failure);
    }
  }

  /** Never returns; what it returns lets the caller say so by {@code throw}. */
  private static AssertionError exit(String name, StartException failure) {
    StatusLine.error(name, FailureText.of(failure));
    tellManager(FailureText.of(failure), failure);
    for (Throwable left : failure.getSuppressed()) {
      StatusLine.error(name, "not taken back: " + FailureText.of(left));
    }
    System.exit(failure.exitCode());
    return new AssertionError("System.exit returned");
  }

  /**
   * Starts this program as a daemon, and returns in both processes: for a launcher that has more to
   * do.
   *
   * <p>While files are created, all threads of the launcher have the daemon's umask. The calling
   * thread cannot be interrupted while it waits; {@link DaemonConfig.Builder#readyTimeout} limits
   * the time.
   *
   * <p>Where {@code NOTIFY_SOCKET} is set, the launcher tells the service manager nothing: it goes
   * on, and may be the service itself. {@code ServiceNotifier.readyAs} names the daemon if that is
   * meant.
   *
   * <p>If the launcher's JVM begins to end before the daemon is ready, or the launcher is killed,
   * the daemon ends too. In a JVM whose shutdown hooks still run, this method then returns the exit
   * code of {@link StartException.Reason#SYSTEM}, or throws a {@code StartException} with it.
   *
   * @param config the configuration; it must be the same in launcher and daemon
   * @return in the launcher, the result: the daemon is ready, or it has ended with its process
   *     group; in the daemon, the daemon. The launcher is not the daemon's parent, so the exit code
   *     of a daemon that exits and reports nothing is always 70
   * @throws StartException in the launcher, if no daemon was started; everything is taken back
   *     then, except for what the suppressed exceptions name. In the daemon, as {@link #daemonize}
   * @throws IllegalStateException as {@link #daemonize}
   */
  public static Launch launch(DaemonConfig config) {
    requireNonNull(config, "config");
    if (stage() == Stage.DAEMON || config.settings.isInProcess()) {
      return new Launch.InDaemon(becomeDaemon(config.settings));
    }
    HostJvm.requireOwn(STACK.getCallerClass(), launchDirectory());
    try {
      return new Launch.InLauncher(new Launcher(config.settings, false).launch());
    } catch (NativeAccessException denied) {
      throw new StartException(Reason.SYSTEM, denied);
    } catch (OutOfMemoryError lack) {
      throw FailureText.scarce(lack);
    }
  }

  private static void tellManager(String text, @Nullable Throwable failure) {
    if (LaunchContext.hasServiceManager()) {
      ServiceReport.failed(text, failure);
    }
  }

  private static Daemon becomeDaemon(Settings settings) {
    LaunchContext.FromLauncher fromLauncher = LaunchContext.find().fromLauncher();
    if (fromLauncher == null && settings.simulate) {
      return InProcessStart.start(settings, DAEMONIZED);
    }
    if (!DAEMONIZED.compareAndSet(false, true)) {
      throw new IllegalStateException("this process is a daemon already");
    }
    try {
      return fromLauncher == null
          ? InProcessStart.start(settings, DAEMONIZED)
          : DaemonStart.by(fromLauncher, settings);
    } catch (RuntimeException failure) {
      DAEMONIZED.set(fromLauncher != null);
      throw failure;
    }
  }

  /**
   * Returns which of the two runs of the program this is. Any code may ask, also before the program
   * is daemonized. In the foreground there is one run, which is {@link Stage#LAUNCHER}.
   *
   * @return {@link Stage#DAEMON} in a process that was started by its launcher
   * @throws StartException if the connection to the launcher cannot be read
   */
  public static Stage stage() {
    return LaunchContext.find().fromLauncher() == null ? Stage.LAUNCHER : Stage.DAEMON;
  }

  /**
   * Returns the working directory of the launcher, also in the daemon, which usually has another
   * one.
   *
   * @return an absolute path; the directory may have been removed
   * @throws StartException if the connection to the launcher cannot be read
   */
  public static Path launchDirectory() {
    return LaunchContext.find().launchDirectory();
  }
}
