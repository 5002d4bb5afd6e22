package dev.daimon.cli;

import dev.daimon.control.OutputReader;
import dev.daimon.forking.Descendants;
import dev.daimon.forking.Detached;
import dev.daimon.forking.Environment;
import dev.daimon.forking.ExecException;
import dev.daimon.forking.Executable;
import dev.daimon.forking.NotExecutableException;
import dev.daimon.forking.Pipe;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessStart;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.FileAccess;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The programs that read the output of the program of a request, each through a pipe of its own.
 *
 * <p>In this order: {@link #find}; {@link #openPipes}; {@link #start} in the session of the daemon,
 * and then the daemon; at last {@link #release}, or {@link #end} if the start has failed.
 *
 * <p>Each is an orphan in a process group of its own: what is sent to the group of the daemon does
 * not reach it, and a program that becomes this process does not have it as a child. This process
 * keeps the write ends until the start is over: so a reader that ends before has not ended because
 * of the daemon.
 */
final class OutputReaders {
  /** How long a reader may take for the rest of the output of a start that has failed. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Request request;
  private final Environment environment;
  private final @Nullable Identity identity;
  private final @Nullable PrivilegeDrop drop;
  private final List<Reader> readers = new ArrayList<>();

  private OutputReaders(
      Request request,
      Environment environment,
      @Nullable Identity identity,
      @Nullable PrivilegeDrop drop) {
    this.request = request;
    this.environment = environment;
    this.identity = identity;
    this.drop = drop;
  }

  /** One program, and what there is of it so far. */
  private static final class Reader {
    final OutputCommand command;
    final Path executable;
    @Nullable Pipe pipe;
    @Nullable Detached program;
    @Nullable PidFd process;
    long startTicks;

    Reader(OutputCommand command, Path executable) {
      this.command = command;
      this.executable = executable;
    }

    boolean isAlive() throws PosixException {
      return process != null && process.isAlive();
    }
  }

  /**
   * Finds the programs, with the rights that they will have.
   *
   * @param environment their environment
   * @param here the directory that a relative path counts from
   */
  static OutputReaders find(
      Request request,
      Environment environment,
      Path here,
      @Nullable Identity identity,
      @Nullable PrivilegeDrop drop) {
    OutputReaders found = new OutputReaders(request, environment, identity, drop);
    if (request.outputCommand != null) {
      found.add(request.outputCommand, here);
    }
    OutputCommand error = request.errorCommand;
    if (error != null
        && (request.outputCommand == null
            || !error.stream().equals(request.outputCommand.stream()))) {
      found.add(error, here);
    }
    return found;
  }

  private void add(OutputCommand command, Path here) {
    try {
      Path executable =
          drop == null
              ? executable(command, here)
              : drop.accessFiles(() -> executable(command, here));
      readers.add(new Reader(command, executable));
    } catch (NotExecutableException missing) {
      throw failure(Reason.PROGRAM, command, missing);
    } catch (IOException failure) {
      throw failure(Reason.SYSTEM, command, failure);
    }
  }

  private Path executable(OutputCommand command, Path here) throws NotExecutableException {
    Path found = Executable.find(Text.bytes(command.words().get(0)), environment.get("PATH"), here);
    Path socket = command.socket();
    if (socket != null && !FileAccess.mayWrite(socket)) {
      throw new StartException(
          Reason.FILE,
          command.option()
              + ": "
              + socket
              + " is not there, or may not be written to: no such log is kept here");
    }
    return found;
  }

  private static StartException failure(Reason reason, OutputCommand command, Exception cause) {
    return new StartException(reason, command.option() + ": " + cause.getMessage());
  }

  /** Makes the pipes, as the user that the program will run as. */
  void openPipes() {
    for (Reader reader : readers) {
      try {
        reader.pipe = identity == null ? Pipe.open() : identity.accessFiles(Pipe::open);
      } catch (IOException failure) {
        throw failure(Reason.SYSTEM, reader.command, failure);
      }
    }
  }

  /** The pipe's end for a stream of the program. */
  Redirect to(OutputCommand command) {
    for (Reader reader : readers) {
      if (reader.command.stream().equals(command.stream()) && reader.pipe != null) {
        return Redirect.to(reader.pipe.writeEnd());
      }
    }
    throw new IllegalStateException("no pipe: " + command);
  }

  /**
   * Starts the programs. Their own errors go to the file of the other stream, if there is one, and
   * else to the null device, as all else that they print.
   */
  void start(DaemonFiles files, Redirect nullDevice) throws IOException {
    Descriptor file = files.standardError();
    file = file == null ? files.standardOutput() : file;
    for (Reader reader : readers) {
      try {
        start(reader, nullDevice, file == null ? nullDevice : Redirect.to(file));
      } catch (IOException failure) {
        throw failure(reason(failure), reader.command, failure);
      }
    }
  }

  /** Whether a program or the system is the reason why it was not executed. */
  static Reason reason(IOException failure) {
    boolean program =
        failure instanceof ExecException
            || (failure instanceof PosixException posix && posix.errno().equals(Errno.ENOEXEC));
    return program ? Reason.PROGRAM : Reason.SYSTEM;
  }

  private void start(Reader reader, Redirect nullDevice, Redirect errors) throws IOException {
    List<byte[]> arguments = new ArrayList<>();
    List<String> words = reader.command.words();
    for (String argument : words.subList(1, words.size())) {
      arguments.add(Text.bytes(argument));
    }
    Pipe pipe = Objects.requireNonNull(reader.pipe);
    Program program =
        Program.at(reader.executable)
            .name(Text.bytes(words.get(0)))
            .arguments(arguments)
            .environment(environment)
            .directory(request.directory)
            .standardInput(Redirect.to(pipe.readEnd()))
            .standardOutput(nullDevice)
            .standardError(errors);
    for (int i = 0; i < request.limits.size(); i++) {
      program.limit(request.limits.get(i));
    }
    Detached started =
        drop == null
            ? program.detachInSession(request.umask)
            : drop.start(change -> program.become(change).detachInSession(request.umask));
    reader.program = started;
    Descendants.exclude(started.group());
    open(reader, started);
    pipe.readEnd().close();
  }

  /**
   * Opens the process, unless it has ended. With {@code start} this process is its parent, and so
   * its id is held. With {@code run} init may have reaped it, and another process may have its id
   * by now: but not one in the same group.
   */
  private void open(Reader reader, Detached started) throws PosixException {
    PidFd process = null;
    try {
      process = PidFd.open(started.pid());
      // Before it is seen to be in the group: so these are the process' own.
      reader.startTicks = ticks(started.pid());
      if (!request.foreground || started.isAlive()) {
        reader.process = process;
        process = null;
      }
    } catch (PosixException failure) {
      if (started.isAlive()) {
        throw failure;
      }
    } finally {
      if (process != null) {
        process.close();
      }
    }
  }

  private static long ticks(long pid) throws PosixException {
    Optional<ProcessStart> start = ProcessStart.of(pid);
    return start.isPresent() ? start.get().ticks() : 0;
  }

  /** The paths at which the programs were found, by their names. */
  Map<String, String> paths() {
    Map<String, String> paths = new HashMap<>();
    for (Reader reader : readers) {
      paths.put(reader.command.words().get(0), Text.ofBytes(NativePath.bytes(reader.executable)));
    }
    return paths;
  }

  /** The handles of the programs that were started. */
  List<PidFd> processes() {
    List<PidFd> processes = new ArrayList<>();
    for (Reader reader : readers) {
      if (reader.process != null) {
        processes.add(reader.process);
      }
    }
    return processes;
  }

  /** The programs, for the record of the start. */
  List<OutputReader> described() {
    List<OutputReader> described = new ArrayList<>();
    for (Reader reader : readers) {
      if (reader.program != null) {
        OutputCommand command = reader.command;
        described.add(
            new OutputReader(
                command.stream(),
                command.text(),
                reader.program.pid(),
                reader.startTicks,
                /* running= */ true));
      }
    }
    return described;
  }

  /** Which program has ended, and how; null if none has. */
  @Nullable String problem() throws PosixException {
    for (Reader reader : readers) {
      Detached program = reader.program;
      if (program != null && !reader.isAlive()) {
        boolean _ = program.reap();
        String how =
            program.exitStatus().isEmpty() ? "" : " with " + program.exitStatus().orElseThrow();
        return reader.command.option()
            + ": "
            + reader.command.text()
            + ", process "
            + program.pid()
            + ", has ended"
            + how
            + " before the start was over";
      }
    }
    return null;
  }

  /** Makes the start fail if one has ended. */
  void requireAll() {
    try {
      String problem = problem();
      if (problem != null) {
        throw new StartException(Reason.DAEMON_FAILED, problem);
      }
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** Reaps what would be children of the program that this process becomes. */
  void leave() {
    for (Reader reader : readers) {
      if (reader.program != null) {
        reader.program.close();
      }
    }
  }

  /** Closes the pipes and the handles here; the programs go on. */
  void release() {
    leave();
    for (Reader reader : readers) {
      release(reader);
    }
  }

  private static void release(Reader reader) {
    Pipe pipe = reader.pipe;
    PidFd process = reader.process;
    reader.pipe = null;
    reader.process = null;
    try (pipe;
        process) {
      return;
    } catch (PosixException nothingLost) {
      return;
    }
  }

  /** Ends the programs of a start that has failed, when they have read what there is. */
  void end(Throwable reason) {
    try {
      for (Reader reader : readers) {
        if (reader.pipe != null) {
          reader.pipe.close();
        }
      }
      for (Reader reader : readers) {
        end(reader);
      }
    } catch (PosixException second) {
      reason.addSuppressed(second);
    } catch (InterruptedException impossible) {
      throw new IllegalStateException("nobody interrupts this thread", impossible);
    }
    release();
  }

  private static void end(Reader reader) throws PosixException, InterruptedException {
    PidFd process = reader.process;
    if (process == null || process.awaitExit(PATIENCE)) {
      return;
    }
    process.send(Signal.TERM);
    if (!process.awaitExit(PATIENCE)) {
      process.send(Signal.KILL);
      boolean _ = process.awaitExit(PATIENCE);
    }
  }
}
