package dev.daimon.cli;

import dev.daimon.control.DaemonRegistry;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.ListedDaemon;
import dev.daimon.forking.Child;
import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.Pipe;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.VisibleText;
import dev.daimon.signals.Dispositions;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code daimon start --all} and {@code stop --all}: this command once for each daemon, some at a
 * time. A signal that the launcher script gets is passed on to those that are under way, and no
 * other begins; this process ends after them.
 */
final class AllDaemons {
  /**
   * How much one of them may print, in bytes: the plan of a start with a long command line. What
   * does not fit is a failure of that command.
   */
  private static final int OUTPUT = 4 << 20;

  private static final String PREFIX = "daimon: ";

  /** How the message begins with which a start ends that finds the daemon running. */
  private static final String RUNNING = PREFIX + "already running";

  /** The highest exit code of this command; what is above tells how a process was ended. */
  private static final int HIGHEST = 78;

  private final Terminal terminal = new Terminal(false);
  private final Command command;
  private final CommandLine line;
  private final Path launcher = launcher();
  private final Caller caller;

  /** Guards the fields below, and the output. */
  private final Object lock = new Object();

  private final Deque<String> waiting = new ArrayDeque<>();
  private final Set<Child> underWay = new HashSet<>();
  private boolean cancelled;
  private int worst;

  private AllDaemons(Command command, CommandLine line) {
    this.command = command;
    this.line = line;
    if (line.daemon() != null || !line.words().isEmpty()) {
      throw line.usage("--all goes with neither a name nor a program");
    }
    for (CommandOption option : CommandOption.of(command)) {
      if (line.has(option) && !option.goesWithAll()) {
        throw line.usage(option + " does not go with --all");
      }
    }
    if (command == Command.STOP) {
      ControlOptions.check(line);
    }
    caller = Caller.find(/* withDescriptors= */ false);
  }

  /** Runs the command, and returns the highest of the exit codes. */
  static int run(Command command, CommandLine line) {
    try {
      return new AllDaemons(command, line).run();
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private int run() throws IOException {
    DaemonRegistry registry = DaemonRegistry.ofCaller();
    try {
      registry.list(daemon -> {
        if (isMeant(daemon)) {
          waiting.add(daemon.daemon().name().text());
        }
      });
    } catch (IOException failure) {
      // As list and check tell it.
      throw new StartException(Reason.FILE, failure);
    }
    if (waiting.isEmpty()) {
      terminal.error(
          command == Command.START
              ? "no daemon is defined in " + registry.directories().definitions()
              : "no daemon runs that has a name");
      return 0;
    }
    Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
    Dispositions.reset(Signal.CHLD);
    watchCancelPipe();
    List<Thread> helpers = startHelpers();
    work();
    for (Thread helper : helpers) {
      try {
        helper.join();
      } catch (InterruptedException impossible) {
        throw new IllegalStateException("nobody interrupts this thread", impossible);
      }
    }
    synchronized (lock) {
      return cancelled ? ScriptProtocol.CANCELLED : worst;
    }
  }

  /** Starts the threads that work beside this one: as many as are of use, or can be started. */
  private List<Thread> startHelpers() {
    List<Thread> helpers = new ArrayList<>();
    int count = Math.min(waiting.size(), 2 * Runtime.getRuntime().availableProcessors());
    while (helpers.size() < count - 1) {
      Thread helper = new Thread(this::work, "daimon-all");
      try {
        helper.start();
      } catch (OutOfMemoryError noFurther) {
        break;
      }
      helpers.add(helper);
    }
    return helpers;
  }

  /** Whether it is to be started, or stopped: one that is unknown may run. */
  private boolean isMeant(ListedDaemon daemon) {
    State state = daemon.status().state();
    return command == Command.START
        ? daemon.defined()
        : state == State.RUNNING || state == State.UNKNOWN;
  }

  /** The launcher script that belongs to this JVM's jar. */
  private static Path launcher() {
    Path jar = Path.of(System.getProperty("java.class.path", ""));
    Path lib = NativePath.absolute(jar).getParent();
    Path launcher = lib == null ? null : lib.resolveSibling("bin/daimon");
    if (launcher == null || !Files.isExecutable(launcher)) {
      throw new StartException(Reason.SYSTEM, "--all needs the command's launcher, bin/daimon");
    }
    return launcher;
  }

  /** The launcher script closes the pipe if it gets a signal, or ends. */
  private void watchCancelPipe() {
    Integer pipe = Caller.cancelPipe();
    if (pipe == null) {
      return;
    }
    Thread watcher = new Thread(() -> awaitCancel(Descriptor.adopt(pipe)), "daimon-cancel");
    watcher.setDaemon(true);
    try {
      watcher.start();
    } catch (OutOfMemoryError scarce) {
      terminal.error(
          ActionWords.WARNING + "a signal will not end this command: " + scarce.getMessage());
    }
  }

  private void awaitCancel(Descriptor pipe) {
    try (pipe) {
      Pipe.awaitEnd(pipe);
    } catch (PosixException failure) {
      // As if it had ended: nobody could tell it any more.
      terminal.error(String.valueOf(failure.getMessage()));
    }
    synchronized (lock) {
      cancelled = true;
      for (Child child : underWay) {
        try {
          child.signal(Signal.TERM);
        } catch (PosixException failure) {
          terminal.error(String.valueOf(failure.getMessage()));
        }
      }
    }
  }

  /** Runs one after the other, until there are no more. */
  private void work() {
    String name;
    while ((name = next()) != null) {
      try (MemoryFile output = MemoryFile.create("daimon-output", OUTPUT);
          MemoryFile errors = MemoryFile.create("daimon-errors", OUTPUT)) {
        Child child = spawn(name, output, errors);
        if (child == null) {
          return;
        }
        int status = child.waitFor().shellStatus();
        synchronized (lock) {
          underWay.remove(child);
          report(name, status, text(output), text(errors));
        }
      } catch (IOException failure) {
        failed(name, String.valueOf(failure.getMessage()));
      } catch (RuntimeException | Error failure) {
        failed(name, "java has failed: " + failure);
      }
    }
  }

  private void failed(String name, String why) {
    synchronized (lock) {
      worst = Math.max(worst, Reason.SYSTEM.exitCode());
      terminal.error(name + ": " + why);
    }
  }

  private @Nullable String next() {
    synchronized (lock) {
      return cancelled ? null : waiting.poll();
    }
  }

  /** Starts the command for one daemon; null if no other may begin. */
  private @Nullable Child spawn(String name, MemoryFile output, MemoryFile errors)
      throws IOException {
    Program program =
        Program.at(launcher)
            .arguments(arguments(name))
            .environment(caller.environment())
            .standardInput(Redirect.nullDevice())
            .standardOutput(Redirect.to(output.descriptor()))
            .standardError(Redirect.to(errors.descriptor()));
    if (Files.isDirectory(caller.directory())) {
      program.directory(caller.directory());
    }
    synchronized (lock) {
      if (cancelled) {
        return null;
      }
      Child child = program.spawn();
      underWay.add(child);
      return child;
    }
  }

  /** The command's words: that this one was called with, and the name in place of {@code --all}. */
  private List<byte[]> arguments(String name) {
    List<byte[]> words = new ArrayList<>();
    words.add(Text.bytes(command.toString()));
    words.add(name.getBytes(StandardCharsets.UTF_8));
    for (CommandOption option : CommandOption.of(command)) {
      if (!line.has(option) || isOwn(option)) {
        continue;
      }
      if (option.argument() == null) {
        words.add(Text.bytes(option.toString()));
      } else {
        for (String value : line.values(option)) {
          words.add(Text.bytes(option + "=" + value));
        }
      }
    }
    if (command == Command.START) {
      // Without it the name would mean a program if the definition is removed now.
      words.add(Text.bytes("--"));
    }
    return words;
  }

  /** Whether this command alone has it. */
  private static boolean isOwn(CommandOption option) {
    return option == CommandOption.ALL || option == CommandOption.ALL_THAT_RUN;
  }

  /** Prints what it has said, each line with the name, and how it has ended. */
  private void report(String name, int status, List<String> output, List<String> errors) {
    StringBuilder said = new StringBuilder();
    for (String word : output) {
      said.append(name).append(": ").append(VisibleText.line(word)).append('\n');
    }
    print(said.toString());
    worst = Math.max(worst, status > HIGHEST ? Reason.SYSTEM.exitCode() : status);
    boolean ran = false;
    boolean toldHow = false;
    for (String word : errors) {
      ran |= word.startsWith(RUNNING);
      toldHow |=
          !word.startsWith(PREFIX + ActionWords.WARNING)
              && !word.startsWith(PREFIX + ActionWords.WAITING);
      terminal.error(
          name + ": " + (word.startsWith(PREFIX) ? word.substring(PREFIX.length()) : word));
    }
    if (status != 0) {
      if (errors.isEmpty()) {
        terminal.error(name + ": it has failed (status " + status + ")");
      }
    } else if (command == Command.STOP) {
      // What a stop says without a failure is mostly how it was done.
      print(toldHow ? "" : name + ": stopped\n");
    } else if (!ran && !line.has(CommandOption.DRY_RUN)) {
      print(name + ": started\n");
    }
  }

  /** Prints what was done, or with --dry-run would be: that alone is all that the command does. */
  private void print(String text) {
    try {
      terminal.result(text);
    } catch (StartException failure) {
      terminal.error(String.valueOf(failure.getMessage()));
      if (line.has(CommandOption.DRY_RUN)) {
        worst = Math.max(worst, failure.exitCode());
      }
    }
  }

  private static List<String> text(MemoryFile file) throws PosixException {
    return new String(file.content(), StandardCharsets.UTF_8).lines().toList();
  }
}
