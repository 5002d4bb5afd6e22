package dev.daimon.command;

import static java.util.Objects.requireNonNull;

import dev.daimon.control.ActionListener;
import dev.daimon.control.ControlFailure;
import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.Outcome;
import dev.daimon.control.StopPolicy;
import dev.daimon.control.StopResult;
import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import dev.daimon.daemon.Launch;
import dev.daimon.daemon.LaunchedDaemon;
import dev.daimon.daemon.Stage;
import dev.daimon.daemon.runtime.FailureText;
import dev.daimon.forking.StandardStream;
import dev.daimon.forking.ThisProcess;
import dev.daimon.locking.Holder;
import dev.daimon.posix.NativeAccessException;
import dev.daimon.posix.VisibleText;
import dev.daimon.startup.ExitCode;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The {@code main} of a program that is a daemon: its first word says what to do.
 *
 * <p>The exit codes are those of the command {@code daimon}, which can control the daemon as well.
 */
public final class DaemonCommand {
  private static final String VERBS = "start|stop|status|restart|reload|run";

  private static final String HELP =
      """
        start    start the daemon, and wait until it is ready
        stop     stop the daemon, and wait until it has ended
        status   tell whether it runs: exit status 0 if so, 1 or 3 if not, 4 if unknown
        restart  stop the daemon if it runs, and start it
        reload   send SIGHUP, on which a daemon reads its configuration again
        run      run in the foreground
      """;

  private final DaemonConfig config;
  private final String name;

  /** Held while a restart starts a daemon, until it is told how that went. */
  private final ReentrantLock starting = new ReentrantLock();

  private DaemonCommand(DaemonConfig config) {
    this.config = config;
    name = config.displayName();
  }

  /**
   * Does what the first argument says. Call it as the last step of the program's {@code main}: it
   * returns when the daemon's own program does, and ends any other JVM by {@link System#exit}.
   *
   * @param arguments the arguments of {@code main}: a verb, and the words for the program
   * @param config the configuration, which must be the same for every verb. It needs a {@linkplain
   *     DaemonConfig.Builder#name name} or a pidfile, except to {@code start} and {@code run}
   * @param program what the daemon does
   * @throws StartException in the daemon, as {@link Daemonizer#daemonize}; every other failure of a
   *     start, a stop and the like is printed, and is the exit code
   * @throws Exception what the program throws
   */
  public static void main(String[] arguments, DaemonConfig config, DaemonProgram program)
      throws Exception {
    requireNonNull(arguments, "arguments");
    requireNonNull(config, "config");
    requireNonNull(program, "program");
    String verb = arguments.length == 0 ? "" : arguments[0];
    DaemonCommand command = new DaemonCommand(config);
    if (verb.equals("start")
        || verb.equals("run")
        || (verb.equals("restart") && command.isDaemonOrExit())) {
      // A daemon that a restart has started is given the same words.
      DaemonConfig chosen =
          verb.equals("start") ? config : config.toBuilder().foreground(verb.equals("run")).build();
      List<String> words = List.of(arguments).subList(1, arguments.length);
      try (Daemon daemon = Daemonizer.daemonize(chosen)) {
        program.run(daemon, words);
      }
      return;
    }
    System.exit(command.carryOut(verb, arguments.length - 1));
  }

  /** Whether this is the daemon. */
  private boolean isDaemonOrExit() {
    try {
      return Daemonizer.stage() == Stage.DAEMON;
    } catch (StartException failure) {
      System.exit(failed(failure));
      throw new AssertionError("System.exit returned", failure);
    }
  }

  /** Carries out a verb that this process is not the daemon for, and returns the exit code. */
  private int carryOut(String verb, int words) throws InterruptedException {
    try {
      return switch (verb) {
        case "stop" -> words > 0 ? tooMany(verb) : stop();
        case "status" -> words > 0 ? tooMany(verb) : status();
        case "reload" -> words > 0 ? tooMany(verb) : reload();
        case "restart" -> restart();
        case "help", "--help", "-h" -> {
          print("Usage: " + name + " " + VERBS + "\n\n" + HELP);
          yield 0;
        }
        case "" -> usage("no word says what to do");
        default -> usage("unknown word: \"" + verb + "\"");
      };
    } catch (StartException failure) {
      return failed(failure);
    } catch (IOException failure) {
      return failed(ControlFailure.of(failure));
    } catch (NativeAccessException denied) {
      return failed(new StartException(Reason.SYSTEM, denied));
    } catch (OutOfMemoryError lack) {
      return failed(FailureText.scarce(lack));
    } finally {
      if (starting.isHeldByCurrentThread()) {
        starting.unlock();
      }
    }
  }

  private int failed(StartException failure) {
    say(FailureText.of(failure));
    for (Throwable left : failure.getSuppressed()) {
      say("not taken back: " + FailureText.of(left));
    }
    return failure.exitCode();
  }

  private int tooMany(String verb) {
    return usage(verb + " takes no further words");
  }

  private int usage(String problem) {
    say(problem + "; usage: " + name + " " + VERBS);
    return Reason.CONFIGURATION.exitCode();
  }

  private void say(String message) {
    System.err.println(VisibleText.line(name) + ": " + VisibleText.lines(message));
  }

  /** Prints a result. That nobody reads it any more is no failure. */
  private static void print(String text) {
    System.out.print(text);
    if (System.out.checkError() && !StandardStream.OUTPUT.isDisconnected()) {
      throw new StartException(Reason.SYSTEM, "standard output cannot be written");
    }
  }

  private DaemonControl control() {
    Path pidFile = config.pidFile().orElse(null);
    if (pidFile == null) {
      List<String> problems = config.validate();
      throw new StartException(
          Reason.CONFIGURATION,
          "the daemon cannot be found: "
              + (problems.isEmpty()
                  ? "its configuration has no name or pidFile"
                  : String.join("; ", problems)));
    }
    return DaemonControl.of(pidFile)
        .listener(
            new ActionListener() {
              @Override
              public void waiting(List<Holder> holders) {
                say("waiting for another action on this daemon");
              }

              @Override
              public void failedAfterwards(IOException failure) {
                say("warning: " + failure.getMessage());
              }
            });
  }

  private int status() {
    DaemonStatus status;
    try {
      status = control().status();
    } catch (IOException failure) {
      say(String.valueOf(failure.getMessage()));
      return Reason.CANNOT_TELL.exitCode();
    }
    print(status.line() + "\n");
    return switch (status.state()) {
      case RUNNING -> 0;
      case DEAD -> ExitCode.DEAD;
      case NOT_RUNNING -> ExitCode.NOT_RUNNING;
      case UNKNOWN -> Reason.CANNOT_TELL.exitCode();
    };
  }

  private int stop() throws IOException, InterruptedException {
    StopResult _ = control().stop(StopPolicy.DEFAULT, new StopWords(this::say));
    return 0;
  }

  private int reload() throws IOException {
    DaemonControl control = control();
    Outcome outcome = control.reload();
    if (outcome == Outcome.OK) {
      return 0;
    }
    say(
        "not running, so nobody got SIGHUP"
            + (outcome == Outcome.STALE ? ": " + control.pidFile() + " was left behind" : ""));
    return ExitCode.NOT_RUNNING;
  }

  /** Stops and starts under one guard, so that no other action comes between. */
  private int restart() throws IOException, InterruptedException {
    DaemonControl control = control();
    if (config.isSimulation()) {
      throw new StartException(
          Reason.CONFIGURATION, "a restart cannot be simulated; nothing was stopped");
    }
    DaemonConfig background = config.toBuilder().foreground(false).build();
    List<String> problems = background.validate();
    if (!problems.isEmpty()) {
      throw new StartException(
          Reason.CONFIGURATION, String.join("; ", problems) + "; nothing was stopped");
    }
    StopWords words = new StopWords(this::say);
    tellBeforeTheEnd();
    try {
      Outcome _ = control.restart(_ -> start(background), StopPolicy.DEFAULT, words);
      // A signal that comes before the exit does not make it a failure.
      boolean _ = ThisProcess.fixExitCode(0);
      return 0;
    } catch (StartException failure) {
      throw words.ran() ? afterStop(failure) : failure;
    } catch (IOException failure) {
      if (!words.ran()) {
        throw failure;
      }
      throw afterStop(ControlFailure.of(failure));
    }
  }

  /**
   * Has the end of this JVM, by Ctrl-C or a signal, wait until it is told what became of a daemon
   * that is being started. The launch itself ends meanwhile; no other one begins.
   */
  private void tellBeforeTheEnd() {
    try {
      Runtime.getRuntime().addShutdownHook(new Thread(starting::lock, "daimon-restart"));
    } catch (IllegalStateException shuttingDown) {
      throw new StartException(Reason.SYSTEM, "interrupted; nothing was stopped");
    }
  }

  private static StartException afterStop(StartException failure) {
    StartException told =
        new StartException(
            failure.reason(),
            failure.exitCode(),
            FailureText.of(failure) + "; the old daemon is stopped");
    for (Throwable left : failure.getSuppressed()) {
      told.addSuppressed(left);
    }
    return told;
  }

  private void start(DaemonConfig config) {
    starting.lock();
    if (!(Daemonizer.launch(config) instanceof Launch.InLauncher(LaunchedDaemon daemon))) {
      throw new IllegalStateException("this process is the daemon");
    }
    if (!daemon.isReady()) {
      throw new StartException(Reason.DAEMON_FAILED, daemon.exitCode(), daemon.message());
    }
  }
}
