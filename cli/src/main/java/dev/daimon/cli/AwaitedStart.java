package dev.daimon.cli;

import dev.daimon.control.OutputTail;
import dev.daimon.control.ReadyCondition;
import dev.daimon.control.ReadyListener;
import dev.daimon.control.ReadyResult;
import dev.daimon.control.ReadyResult.Cancelled;
import dev.daimon.control.ReadyResult.Failed;
import dev.daimon.control.ReadyResult.Ready;
import dev.daimon.control.ReadyResult.TimedOut;
import dev.daimon.control.ReadyWait;
import dev.daimon.forking.Child;
import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.pidfd.NotPermittedException;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The wait of {@code --ready}, from the start of the program until it is ready; or until it is
 * stopped with everything that it has started, since it has failed, was not ready in time, or
 * nobody waits any more.
 */
final class AwaitedStart implements ReadyListener {
  private final Request request;
  private final Terminal terminal;
  private final ReadyWait wait;

  /** The programs that read the output, and must not end before; null if there is none. */
  private final @Nullable OutputReaders readers;

  /** The output files, read from where they end now. */
  private final List<OutputTail> output = new ArrayList<>();

  private String program = "";

  private AwaitedStart(
      Request request, Terminal terminal, ReadyWait wait, @Nullable OutputReaders readers) {
    this.request = request;
    this.terminal = terminal;
    this.wait = wait;
    this.readers = readers;
  }

  /** Prepares the wait; the files are open, and empty if they are to be. */
  static AwaitedStart open(
      ReadyCondition condition,
      Request request,
      Terminal terminal,
      Caller caller,
      DaemonFiles files,
      @Nullable OutputReaders readers)
      throws IOException {
    List<Descriptor> output = output(files);
    AwaitedStart start = new AwaitedStart(request, terminal, open(condition, output), readers);
    if (readers != null) {
      for (PidFd reader : readers.processes()) {
        start.wait.cancelOn(reader);
      }
    }
    start.cancelWith(caller);
    for (Descriptor file : output) {
      start.follow(file);
    }
    return start;
  }

  private static ReadyWait open(ReadyCondition condition, List<Descriptor> output)
      throws IOException {
    try {
      return ReadyWait.open(condition, output);
    } catch (PosixException failure) {
      throw failure;
    } catch (IOException unreadable) {
      throw new StartException(Reason.FILE, unreadable);
    }
  }

  /** The output files, each once; the one with the errors first. */
  private static List<Descriptor> output(DaemonFiles files) {
    List<Descriptor> output = new ArrayList<>();
    Descriptor error = files.standardError();
    if (error != null) {
      output.add(error);
    }
    Descriptor standard = files.standardOutput();
    if (standard != null && standard != error) {
      output.add(standard);
    }
    return output;
  }

  private void follow(Descriptor file) {
    try {
      output.add(OutputTail.of(file));
    } catch (IOException unreadable) {
      // A device or a FIFO: its last lines cannot be shown.
      return;
    }
  }

  /** Has the wait end when the launcher script says so, or ends. */
  private void cancelWith(Caller caller) throws IOException {
    Integer pipe = Caller.cancelPipe();
    if (pipe != null && wait.cancelOn(Descriptor.adopt(pipe))) {
      return;
    }
    if (caller.isWaiting()) {
      PidFd parent = PidFd.open(caller.parent());
      if (caller.isGone()) {
        throw new StartException(Reason.SYSTEM, "the launcher has ended; nothing was started");
      }
      wait.cancelOn(parent);
    }
  }

  /** Gives the program what it needs to tell that it is ready. */
  void addTo(Program daemon, Environment environment) throws IOException {
    wait.addTo(daemon, environment);
  }

  /** Waits until the program is ready; returns the daemon's process id. */
  long await(Child child) {
    program = child.toString();
    try {
      ReadyResult result = wait.await(child, request.startTimeout, this);
      terminal.clear();
      String problem = readers == null ? null : readers.problem();
      if (problem == null && result instanceof Ready ready) {
        terminal.step("process " + ready.pid() + " is ready");
        wait.close();
        return ready.pid();
      }
      String left = StartedProcesses.end();
      left = left.isEmpty() ? "" : "; " + left;
      if (problem != null) {
        throw new StartException(
            Reason.DAEMON_FAILED, problem + "; " + program + ", was stopped again" + left);
      }
      throw failure(result, left);
    } catch (IOException failure) {
      terminal.clear();
      boolean forbidden = failure instanceof NotPermittedException;
      throw new StartException(forbidden ? Reason.PERMISSION : Reason.SYSTEM, failure);
    } catch (InterruptedException impossible) {
      throw new IllegalStateException("nobody interrupts this thread", impossible);
    }
  }

  private StartException failure(ReadyResult result, String left) {
    return switch (result) {
      case Failed failed ->
          new StartException(
              Reason.DAEMON_FAILED, program + ", " + failed.why() + discarded() + left);
      case TimedOut timedOut ->
          new StartException(
              Reason.TIMEOUT,
              program
                  + ", was not ready within "
                  + ReadyOption.words(request.startTimeout)
                  + ", and was stopped: "
                  + timedOut.missing()
                  + discarded()
                  + left);
      case Cancelled _ ->
          new StartException(
              Reason.SYSTEM,
              ScriptProtocol.CANCELLED,
              "interrupted; " + program + ", was stopped again" + left);
      case Ready _ -> throw new IllegalArgumentException("no failure: " + result);
    };
  }

  private String discarded() {
    return request.standardOutput == null && request.standardError == null && !request.hasReaders()
        ? "; what it printed was discarded: -o FILE keeps it"
        : "";
  }

  @Override
  public void waiting(Duration waited, Duration left, String status) {
    terminal.longProgress(
        "waiting for "
            + program
            + ": "
            + waited.toSeconds()
            + " s"
            + (request.ready instanceof ReadyCondition.Alive
                ? ""
                : ", giving up in " + left.plusMillis(500).toSeconds() + " s")
            + (status.isEmpty() ? "" : ": " + status));
  }

  /** Prints the last lines that the program has written since the start. */
  void printLastLines() {
    for (OutputTail file : output) {
      List<String> lines = lastLines(file);
      if (!lines.isEmpty()) {
        terminal.quote(lines);
        return;
      }
    }
  }

  private static List<String> lastLines(OutputTail file) {
    try {
      return file.lastLines();
    } catch (IOException unreadable) {
      return List.of();
    }
  }
}
