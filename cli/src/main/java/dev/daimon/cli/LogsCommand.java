package dev.daimon.cli;

import dev.daimon.control.ControlFailure;
import dev.daimon.control.DaemonControl;
import dev.daimon.startup.OutputPaths;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code daimon logs}: the last lines of a daemon's output, and what it writes from now on. */
final class LogsCommand {
  /** How many lines are printed at first, unless others are asked for. */
  static final int LINES = 50;

  private final Terminal terminal = new Terminal(false);
  private final CommandLine line;
  private final RequestedDaemon daemon;

  /** What the daemon was started with if it runs, else its definition; null if there is neither. */
  private @Nullable Definition options;

  private final Thread reader = Thread.currentThread();

  /** Whether it was started by {@code run} last. */
  private final boolean ofRun;

  /** Whether the daemon has ended, which is waited for with {@code --until-exit}. */
  private volatile boolean ended;

  /** Why its end cannot be waited for. */
  private volatile @Nullable IOException failure;

  /** What was last told not to work: it is told once. */
  private String told = "";

  private LogsCommand(CommandLine line) {
    this.line = line;
    RequestedDaemon named = line.daemon();
    if (named == null) {
      throw line.usage("no name was given");
    }
    if (!line.words().isEmpty()) {
      throw line.usage("unexpected word: \"" + Text.readable(line.words().get(0)) + "\"");
    }
    daemon = named;
    StartedFile started = daemon.believed();
    // What a running daemon was started with counts, even if nothing is right in its definition;
    // and what it was started with by run, since nobody else has started it after that.
    ofRun = daemon.isOfRun();
    Definition definition =
        ofRun || (started != null && RequestedDaemon.isRunning(started))
            ? null
            : daemon.definition();
    if (definition == null && started == null) {
      // Tells why it cannot be used, if there is one.
      started = daemon.started();
    }
    options = definition == null && started != null ? started.definition() : definition;
  }

  /** Runs the command, and returns its exit code. */
  static int run(CommandLine line) {
    try {
      return new LogsCommand(line).run();
    } catch (LogPrinter.NobodyReads quiet) {
      return 0;
    } catch (LogPrinter.PrintException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    } catch (IOException failure) {
      throw noInput(String.valueOf(failure.getMessage()));
    }
  }

  /** A log that cannot be read has the exit code of a program that is missing: it is an input. */
  private static StartException noInput(String message) {
    return new StartException(Reason.PROGRAM, message);
  }

  private int run() throws IOException {
    boolean follow = line.has(CommandOption.FOLLOW);
    boolean untilExit = line.has(CommandOption.UNTIL_EXIT);
    if (untilExit && !follow) {
      throw line.usage("--until-exit needs --follow");
    }
    long lines = lines();
    List<Path> files = files();
    LogPrinter printer = new LogPrinter(files.size() > 1);
    List<FollowedLog> logs = new ArrayList<>();
    for (Path file : files) {
      logs.add(new FollowedLog(file, printer));
    }
    try {
      StringBuilder missing = new StringBuilder();
      for (FollowedLog log : logs) {
        if (log.open(lines)) {
          log.print();
        } else if (follow && (options != null || Files.exists(daemon.pidFile()))) {
          terminal.error("there is no " + log.path() + " yet");
        } else {
          missing.append(missing.isEmpty() ? "there is no " : ", and no ").append(log.path());
        }
      }
      if (!missing.isEmpty()) {
        throw noInput(missing.toString());
      }
      if (!follow) {
        return 0;
      }
      if (untilExit) {
        awaitEnd();
      }
      follow(logs);
    } finally {
      for (FollowedLog log : logs) {
        log.close();
      }
    }
    // Whoever takes the pidfile away makes it look so, too.
    String lost = ended ? daemon.lost() : null;
    if (lost != null) {
      throw new StartException(Reason.CANNOT_TELL, lost);
    }
    IOException unknown = failure;
    if (unknown != null) {
      throw ControlFailure.of(unknown);
    }
    return 0;
  }

  /** How many lines are printed at first. */
  private long lines() {
    String value = line.value(CommandOption.LINES);
    if (value == null) {
      return LINES;
    }
    if (value.equals("all")) {
      return Long.MAX_VALUE;
    }
    try {
      long lines = Long.parseLong(value);
      if (lines >= 0) {
        return lines;
      }
    } catch (NumberFormatException none) {
      // Told below.
    }
    throw line.usage("--lines wants a number or all, not \"" + Text.readable(value) + "\"");
  }

  /** The files to which the daemon's output goes: one for both streams, or two. */
  private List<Path> files() {
    Definition from = options;
    String output = from == null ? null : last(from.values(CommandOption.STDOUT.word()));
    String error = from == null ? null : last(from.values(CommandOption.STDERR.word()));
    boolean self = from != null && from.isSelf();
    boolean callers = output == null && (self || ofRun);
    List<Path> files = new ArrayList<>();
    if (!callers && (output == null || output.startsWith("/"))) {
      Path file = output == null ? daemon.log() : Text.path(output);
      files.add(file);
      Path beside = error == null ? OutputPaths.errorBeside(file) : null;
      if (beside != null && !files.contains(beside)) {
        files.add(beside);
      }
    }
    if (error != null && error.startsWith("/") && !files.contains(Text.path(error))) {
      files.add(Text.path(error));
    }
    if (files.isEmpty() && callers) {
      throw noInput(
          daemon
              + (self
                  ? " daemonizes itself: its output goes where that says"
                  : " was started by run: its output goes where that was called"));
    }
    if (files.isEmpty()) {
      throw noInput(elsewhere(output == null ? "" : output));
    }
    return files;
  }

  private static @Nullable String last(List<String> values) {
    return values.isEmpty() ? null : values.getLast();
  }

  /** Where the output goes, if that is no file, and what to type then. */
  private String elsewhere(String output) {
    String where = "the output of " + daemon + " goes to ";
    if (output.startsWith("|")) {
      return where
          + "a program, \""
          + Text.readable(output.substring(1))
          + "\"; see where that writes";
    }
    return output.equals("journal")
        ? where + "the journal; type journalctl -t " + daemon
        : where
            + "syslog, with the tag "
            + daemon
            + "; where the journal has that, type journalctl -t "
            + daemon;
  }

  /** Waits for the daemon's end on another thread. */
  private void awaitEnd() {
    DaemonControl control = daemon.control(options);
    Thread waiter =
        new Thread("daimon-end") {
          @Override
          public void run() {
            try {
              boolean _ = control.awaitStop(Control.FOREVER);
            } catch (IOException unknown) {
              failure = unknown;
            } catch (InterruptedException impossible) {
              throw new IllegalStateException("nobody interrupts this thread", impossible);
            }
            ended = true;
            reader.interrupt();
          }
        };
    waiter.setDaemon(true);
    waiter.start();
  }

  /** Prints what is written to the logs, until the daemon has ended or nobody reads it. */
  private void follow(List<FollowedLog> logs) throws IOException {
    try (LogChanges changes = new LogChanges(logs)) {
      while (true) {
        // First this: what the daemon has written is there when it has ended.
        boolean last = ended;
        Caller.endWithParent();
        for (FollowedLog log : logs) {
          print(log);
        }
        if (last || LogPrinter.isUnread()) {
          return;
        }
        try {
          changes.await();
        } catch (InterruptedException end) {
          // The daemon has ended.
        }
      }
    }
  }

  /** A log that cannot be opened after a rotation may get its owner and mode in a moment. */
  private void print(FollowedLog log) throws IOException {
    try {
      log.print();
    } catch (LogPrinter.PrintException unprintable) {
      throw unprintable;
    } catch (IOException unreadable) {
      String message = String.valueOf(unreadable.getMessage());
      if (!message.equals(told)) {
        terminal.error(message);
        told = message;
      }
    }
  }
}
