package dev.daimon.control;

import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessStart;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Real daemons of one test, and the directory of their pidfiles. */
final class Daemons extends ProcessSandbox implements BeforeEachCallback, AfterEachCallback {
  /** The user id of nobody. */
  static final int NOBODY = 65534;

  /** A daemon that closes what it inherited, as sshd does; dash knows only one-digit numbers. */
  static final String CLOSES_ALL =
      "exec bash -c 'for fd in /proc/$$/fd/*; do n=${fd##*/};"
          + " [ $n -lt 3 ] || eval \"exec $n>&-\"; done; exec sleep 1000'";

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    begin();
    openToAll(directory(), "rwxr-xr-x");
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    // Whoever still waits is interrupted.
    threads.shutdownNow();
    end();
  }

  Path pidFile() {
    return file("d.pid");
  }

  DaemonControl control() {
    return DaemonControl.of(pidFile());
  }

  /** A shell that runs this script. */
  Program shell(String script) {
    Environment environment = Environment.current();
    for (Map.Entry<String, String> variable : mark().entrySet()) {
      environment = environment.with(variable.getKey(), variable.getValue());
    }
    return Program.at(Path.of("/bin/sh"))
        .arguments("-c", script)
        .environment(environment)
        .directory(directory())
        .standardInput(Redirect.nullDevice())
        .standardOutput(Redirect.nullDevice())
        .standardError(Redirect.nullDevice());
  }

  /** A daemon that runs this script. */
  StartSpec daemon(String script) {
    return StartSpec.program(() -> shell(script), 022);
  }

  /** Starts such a daemon, and waits until it has become this program. */
  long start(String script, String program) throws Exception {
    Outcome outcome = control().start(daemon(script));
    if (outcome == Outcome.ALREADY_DONE) {
      throw new AssertionError("one runs already");
    }
    long pid = pid(pidFile());
    await("the daemon", () -> status(pid, "Name").equals(program));
    return pid;
  }

  /** A process that has nothing to do with the daemon: in the end a sleep, or a tail. */
  Process bystander(String... command) throws Exception {
    Process process = prepare(List.of(command), Map.of()).start();
    String programs = "sleep tail";
    await(programs, () -> programs.contains(status(process.pid(), "Name")));
    return process;
  }

  /** A process that has locked this file itself. */
  Process locker(Path file, String... prefix) throws Exception {
    List<String> command = new ArrayList<>(List.of(prefix));
    command.addAll(List.of("flock", "--no-fork", file.toString(), "sleep", "1000"));
    return bystander(command.toArray(String[]::new));
  }

  /** Waits until a file would get another date than this one has: they come in clock ticks. */
  void awaitClockOf(Path file) throws Exception {
    FileTime time = Files.getLastModifiedTime(file);
    Path now = file.resolveSibling("now");
    await(
        "the next tick",
        () -> {
          Files.writeString(now, "");
          return Files.getLastModifiedTime(now).compareTo(time) > 0;
        });
  }

  /** The record of a process that reads the daemon's output. */
  static OutputReader reader(long pid, String command) throws IOException {
    long ticks = ProcessStart.of(pid).orElseThrow().ticks();
    return new OutputReader("stdout", command, pid, ticks, true);
  }

  /** Makes a pidfile that names this process. */
  Path name(long pid) throws IOException {
    return Files.writeString(pidFile(), pid + "\n");
  }

  /** Gives a file to a user. */
  static Path give(Path file, int user) throws IOException {
    return Files.setAttribute(file, "unix:uid", user);
  }

  /** What {@link Ask} is told as nobody; perhaps with a guard. */
  String asNobody(String question, Path... guard) throws Exception {
    List<Object> arguments = new ArrayList<>(List.of(question, pidFile()));
    arguments.addAll(List.of(guard));
    return ChildJvm.of(Ask.class)
        .startedBy(ChildJvm.AS_NOBODY)
        .copied(classes())
        .run(arguments.toArray())
        .output();
  }

  /** Where the class files of another user's JVM are. */
  Path classes() throws IOException {
    return Files.createDirectories(file("classes"));
  }

  /** Does something on a thread of its own. */
  <T> Future<T> meanwhile(Callable<T> action) {
    return threads.submit(action);
  }

  /** Kills a process, and waits for its end; init may leave it a zombie for a while. */
  static void kill(long pid) throws Exception {
    try (PidFd process = PidFd.open(pid)) {
      process.send(Signal.KILL);
      process.awaitExit();
    }
  }

  /** What went wrong on another thread. */
  static Throwable failure(Future<?> future) throws InterruptedException {
    try {
      throw new AssertionError("it has returned " + future.get());
    } catch (ExecutionException failed) {
      return failed.getCause();
    }
  }
}
