package dev.daimon.control;

import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.forking.ThisProcess;
import dev.daimon.locking.LockHeldException;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * A JVM that starts, stops, restarts, signals and examines a daemon at random, and prints what it
 * was told: for {@link ControlStormTest}.
 */
final class Controller {
  static final List<Signal> SIGNALS =
      List.of(Signal.HUP, Signal.STOP, Signal.CONT, Signal.TERM, Signal.KILL);

  private static final StopPolicy STOP =
      StopPolicy.of(Signal.TERM, Duration.ofSeconds(50)).then(Signal.KILL, Duration.ofSeconds(5));

  private final Path directory;
  private final DaemonControl control;
  private final Random random;
  private int actions;

  /** When the action under way had started a daemon; 0 for not at all. */
  private long startedAt;

  private Controller(Path directory, String guard, long seed) {
    this.directory = directory;
    this.control = DaemonControl.of(directory.resolve("d.pid")).guard(directory.resolve(guard));
    this.random = new Random(seed);
  }

  /** The arguments: the directory, the name of the guard file, for how many seconds, a seed. */
  public static void main(String[] args) throws InterruptedException {
    Controller controller = new Controller(Path.of(args[0]), args[1], Long.parseLong(args[3]));
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(args[2]));
    while (System.nanoTime() - end < 0) {
      controller.act();
    }
  }

  private void act() throws InterruptedException {
    int choice = random.nextInt(100);
    Signal signal = SIGNALS.get(random.nextInt(SIGNALS.size()));
    String action =
        choice < 30
            ? "start"
            : choice < 45
                ? "stop"
                : choice < 55 ? "restart" : choice < 70 ? signal.name() : "status";
    startedAt = 0;
    actions++;
    long begin = System.nanoTime();
    String answer;
    try {
      answer =
          switch (action) {
            case "start" -> control.start(this::start) + " 0";
            case "stop" -> told(control.stop(STOP));
            case "restart" -> control.restart(this::start, STOP) + " 0";
            case "status" -> told(control.status());
            default -> control.signal(signal) + " 0";
          };
    } catch (ControlException failure) {
      answer = failure.reason() + " 0 " + failure.getMessage();
    } catch (LockHeldException failure) {
      answer = "HELD 0 " + failure.getMessage();
    } catch (IOException failure) {
      answer = "FAILED 0 " + failure;
    }
    long end = System.nanoTime();
    System.out.println(
        String.join(
            " ",
            List.of(
                Long.toString(begin),
                Long.toString(end),
                Long.toString(startedAt),
                word(),
                action,
                answer.replace('\n', ' '))));
  }

  private static String told(StopResult result) {
    return result.outcome() + " " + result.pid().orElse(0) + " " + result.signals();
  }

  private static String told(DaemonStatus status) {
    return status.state() + " " + status.pid().orElse(0) + " " + status.reason();
  }

  private void start(ControlledDaemon daemon) throws IOException, InterruptedException {
    StartSpec.program(this::program, 022).start(daemon);
    startedAt = System.nanoTime();
  }

  /** Names the daemon of the action under way. */
  private String word() {
    return ThisProcess.id() + "-" + actions;
  }

  /**
   * A daemon that says who it is, and if another one runs, which it knows by a lock of its own. Its
   * descriptor is the first, since a process that ends closes the first one first: before the
   * pidfile's lock, so that the next daemon finds it free.
   */
  private Program program() {
    return Program.at(Path.of("/bin/sh"))
        .arguments(
            "-c",
            "echo $0 $$ >>daemons; exec 0<>alone; flock -n 0 || echo $0 $$ >>two;"
                + " exec sleep 1000",
            word())
        // From the first moment: a trap of the shell would come too late for a quick SIGHUP.
        .ignore(Signal.HUP)
        .environment(Environment.current())
        .directory(directory)
        .standardInput(Redirect.nullDevice())
        .standardOutput(Redirect.nullDevice())
        .standardError(Redirect.nullDevice());
  }
}
