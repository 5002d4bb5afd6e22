package dev.daimon.cli;

import org.jspecify.annotations.Nullable;

/**
 * The commands, as one table, from which the help is made. The options of each command are in
 * {@link CommandOption}.
 */
enum Command {
  START(
      "start",
      "[NAME] [options] [-- PROGRAM...]",
      "daemonize; return when it runs",
      "Starts a program as a daemon, and returns when it runs. With a name alone it starts what"
          + " that name's definition says.",
      "web --save -u www -- /usr/bin/web --port 8080"),
  RUN(
      "run",
      "[NAME] [options] [-- PROGRAM...]",
      "the same in the foreground",
      "Runs a program in the foreground: this process becomes the program, with the same process"
          + " id.",
      "-p /run/web.pid -u web -- /usr/bin/web --port 8080"),
  RESTART(
      "restart",
      "NAME [options] [-- PROGRAM...]",
      "stop it if it runs, and start it",
      "Stops a daemon if it runs, and starts it. No other action comes in between. Without a program"
          + " it starts what the name's definition says, or else what the daemon was started with.",
      "web"),
  STOP(
      "stop",
      "NAME [options]",
      "end it, wait until it has ended",
      "Ends a daemon, waits until its process has ended and its lock is free, and removes the"
          + " pidfile. A daemon that does not run counts as stopped: exit status 0.",
      "web --timeout 10s --then INT:5s --then KILL:5s"),
  STATUS(
      "status",
      "NAME [options]",
      "does it run?",
      "Tells whether a daemon runs. Exit status 0: it runs. 1: it is dead, and its pidfile is left."
          + " 3: it does not run. 4: unknown, it cannot be shown whether it runs.",
      "web"),
  RELOAD(
      "reload",
      "NAME [options]",
      "send it SIGHUP",
      "Sends SIGHUP to a daemon: most daemons read their configuration again then. Exit status 3 if"
          + " it does not run.",
      "web"),
  SIGNAL(
      "signal",
      "NAME [options] SIGNAL",
      "send it any signal",
      "Sends a signal to a daemon. Exit status 3 if it does not run.",
      "web USR1"),
  WAIT(
      "wait",
      "NAME [options]",
      "wait until it has ended",
      "Waits until a daemon has ended.",
      "-p /run/web.pid --timeout 1m"),
  SHOW(
      "show",
      "NAME",
      "its definition",
      "Prints a daemon's definition, or else what it was started with; and in comments whether it"
          + " runs, and where each value comes from.",
      "web"),
  CHECK(
      "check",
      "[NAME]",
      "could it be started?",
      "Judges a definition, or all of them, as a start does, and changes nothing. Exit status: the"
          + " highest one.",
      "web"),
  LIST(
      "list",
      "[options]",
      "the daemons that have a name",
      "Lists every daemon that has a definition, or a pidfile in the directory of named daemons and"
          + " is not stopped. Exit status 0, whatever their states are; 73 if a directory cannot be"
          + " read.",
      ""),
  LOGS(
      "logs",
      "NAME [options]",
      "what it has printed",
      "Prints the last lines of a daemon's output. Two files for standard output and standard error"
          + " are printed one after the other. Exit status 66 if there is no log.",
      "web -f -n 100");

  private final String word;
  private final String synopsis;
  private final String summary;
  private final String description;
  private final String example;

  Command(String word, String synopsis, String summary, String description, String example) {
    this.word = word;
    this.synopsis = synopsis;
    this.summary = summary;
    this.description = description;
    this.example = example;
  }

  /** The command of this name; null if there is none. */
  static @Nullable Command of(String word) {
    for (Command command : values()) {
      if (command.word.equals(word)) {
        return command;
      }
    }
    return null;
  }

  /** The command with its words, such as {@code "daimon stop -p PATH [options]"}. */
  String synopsis() {
    return "daimon " + word + " " + synopsis;
  }

  /** A few words for the list of commands. */
  String summary() {
    return summary;
  }

  /** Sentences for the command's own help. */
  String description() {
    return description;
  }

  /** A command line that works. */
  String example() {
    return ("daimon " + word + " " + example).stripTrailing();
  }

  /** Whether a program, with options of its own, follows the command's options. */
  boolean takesProgram() {
    return this == START || this == RUN || this == RESTART;
  }

  /** Whether the first word after the options is a daemon's name, unless there is a pidfile. */
  boolean takesName() {
    return !takesProgram() && this != LIST;
  }

  /** The command's name. */
  @Override
  public String toString() {
    return word;
  }
}
