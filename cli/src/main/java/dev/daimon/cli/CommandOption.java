package dev.daimon.cli;

import static dev.daimon.cli.Command.CHECK;
import static dev.daimon.cli.Command.LIST;
import static dev.daimon.cli.Command.LOGS;
import static dev.daimon.cli.Command.RELOAD;
import static dev.daimon.cli.Command.RESTART;
import static dev.daimon.cli.Command.RUN;
import static dev.daimon.cli.Command.SHOW;
import static dev.daimon.cli.Command.SIGNAL;
import static dev.daimon.cli.Command.START;
import static dev.daimon.cli.Command.STATUS;
import static dev.daimon.cli.Command.STOP;
import static dev.daimon.cli.Command.WAIT;

import dev.daimon.control.Guard;
import dev.daimon.control.StopPolicy;
import dev.daimon.control.StopPolicy.Step;
import dev.daimon.posix.Signal;
import dev.daimon.startup.OutputPaths;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The options of all commands, as one table: letter, name, argument, whether it may be given
 * several times, help, and the commands that take it. The parser, the help and the reference in
 * {@code docs/command.md} are made from it, in its order.
 *
 * <p>An option that means something else to another command has a row for each meaning. In the help
 * texts, what a user types is in backquotes.
 */
enum CommandOption {
  PIDFILE(
      "p",
      "pidfile",
      "PATH",
      "write the daemon's pid to this file, which is locked as long as the daemon lives",
      START,
      RUN,
      RESTART),
  DAEMONS_PIDFILE(
      "p", "pidfile", "PATH", "the daemon's pidfile", STOP, STATUS, RELOAD, SIGNAL, WAIT),
  LOCK(
      "l",
      "lock",
      "PATH",
      "hold a second lock, on a file of its own, which is never written",
      START,
      RUN,
      RESTART),
  NO_LOCK(
      null,
      "no-lock",
      null,
      "do not lock the pidfile, for a daemon that is controlled with `--pid-only`; not with `-l`",
      START,
      RUN,
      RESTART),
  CHDIR("c", "chdir", "PATH", "working directory", START, RUN, RESTART),
  UMASK("m", "umask", "MODE", "file mode creation mask, octal", START, RUN, RESTART),
  STDOUT(
      "o",
      "stdout",
      "OUTPUT",
      "where output goes: a file; `|COMMAND`, a program that reads it from a pipe;"
          + " `syslog[:FACILITY[.LEVEL]]` or `journal`",
      START,
      RESTART),
  STDOUT_OF_RUN(
      "o",
      "stdout",
      "OUTPUT",
      "where output goes: a file; `|COMMAND`, a program that reads it from a pipe;"
          + " `syslog[:FACILITY[.LEVEL]]` or `journal`",
      RUN),
  STDERR("e", "stderr", "OUTPUT", "where errors go: as `-o`", START, RUN, RESTART),
  SIGPIPE(
      null,
      "sigpipe",
      null,
      "with `|COMMAND`: leave `SIGPIPE` its default, so that PROGRAM ends when it writes after"
          + " COMMAND has ended; without it, PROGRAM lives on and its output is lost",
      START,
      RUN,
      RESTART),
  TRUNCATE(
      null,
      "truncate",
      null,
      "empty the output files first; without it they are appended to, so that a restart after a"
          + " crash keeps the log that says why it crashed",
      START,
      RUN,
      RESTART),
  APPEND(
      "a",
      "append",
      null,
      "append to the output files: the default; not with `--truncate`",
      START,
      RUN,
      RESTART),
  USER(
      "u",
      "user",
      "USER[:GROUP]",
      "become this user (and group): name, number or `#number`; sets `HOME`, `USER` and `LOGNAME`"
          + " to match, unless `-E` does",
      START,
      RUN,
      RESTART),
  GROUP("g", "group", "GROUP", "become this group: name, number or `#number`", START, RUN, RESTART),
  GROUPS(
      null,
      "groups",
      "LIST|none",
      "with `-u` or `-g`: supplementary groups, separated by commas, in place of the user's own",
      START,
      RUN,
      RESTART),
  PIDFILE_OWNER(
      null,
      "pidfile-owner",
      "root|user",
      "with `-u` or `-g`: who owns the pidfile and the lock file; `root` needs a directory that"
          + " root alone can change",
      START,
      RUN,
      RESTART),
  MKDIR(
      null,
      "mkdir",
      null,
      "make the missing directories of pidfile, lock and output files, for the owner of the file",
      START,
      RUN,
      RESTART),
  CHROOT(
      null,
      "chroot",
      "PATH",
      "root directory; `-c` and PROGRAM are paths inside it, all other paths outside",
      START,
      RUN,
      RESTART),
  RLIMIT(
      null,
      "rlimit",
      "NAME=SOFT[:HARD]",
      /* repeatable= */ true,
      "limit a resource, such as `nofile=1024:4096`, by the name and in the unit of `setrlimit`;"
          + " if a resource is named twice, the last limit applies",
      START,
      RUN,
      RESTART),
  NICE(null, "nice", "N", "niceness, from -20 to 19", START, RUN, RESTART),
  OOM_SCORE_ADJ(
      null,
      "oom-score-adj",
      "N",
      "priority for the out-of-memory killer, from -1000 (never killed) to 1000 (killed first)",
      START,
      RUN,
      RESTART),
  NO_NEW_PRIVS(
      null,
      "no-new-privs",
      null,
      "set `no_new_privs`: set-user-id programs give PROGRAM no privileges",
      START,
      RUN,
      RESTART),
  KEEP_CAP(
      null,
      "keep-cap",
      "NAME|none",
      /* repeatable= */ true,
      "keep this capability, such as `NET_BIND_SERVICE`, and give up all that are not named",
      START,
      RUN,
      RESTART),
  NO_CLOSE_FDS(
      null,
      "no-close-fds",
      null,
      "let the program inherit every descriptor of the caller",
      START,
      RUN,
      RESTART),
  KEEP_FD(
      null,
      "keep-fd",
      "N",
      /* repeatable= */ true,
      "let the program inherit this descriptor",
      START,
      RUN,
      RESTART),
  LISTEN(
      null,
      "listen",
      "ADDRESS",
      /* repeatable= */ true,
      "listen at `tcp:[HOST:]PORT[=NAME]` or `unix:PATH[=NAME]`, and give PROGRAM the socket as"
          + " systemd does: as descriptor 3, 4 and so on, with `LISTEN_FDS`, `LISTEN_FDNAMES` and"
          + " `LISTEN_PID`",
      START,
      RUN,
      RESTART),
  ENV(
      "E",
      "env",
      "NAME=VALUE",
      /* repeatable= */ true,
      "set a variable; `NAME` alone sets it to the empty string",
      START,
      RUN,
      RESTART),
  NAME(
      "n",
      "name",
      "ARGV0",
      "the program's name for itself, `argv[0]`; may begin with a dash",
      START,
      RUN,
      RESTART),
  VERBOSE("v", "verbose", null, "report each step on standard error", START, RUN, RESTART),
  FOREGROUND("f", "foreground", null, "run in the foreground, as `daimon run` does", START, RUN),
  DRY_RUN(null, "dry-run", null, "check everything, print the plan, change nothing", START, RUN),
  OKNODO(
      null,
      "oknodo",
      null,
      "exit with 0, not with 69, if the daemon runs already, as init scripts expect",
      START),
  ALL(null, "all", null, "start every daemon that has a definition, side by side", START),
  ALL_THAT_RUN(null, "all", null, "stop every daemon that has a name and runs, side by side", STOP),
  JSON(null, "json", null, "print all that is known, as JSON", STATUS, LIST),
  OF_USER(
      "u",
      "user",
      "NAME",
      "list this user's daemons, as far as they are in the usual directories; for root",
      LIST),
  LINES("n", "lines", "N|all", "how many lines to begin with", LOGS),
  FOLLOW("f", "follow", null, "go on with what is written from now on, through rotations", LOGS),
  UNTIL_EXIT(
      null,
      "until-exit",
      null,
      "with `-f`: end when the daemon has ended and all is printed",
      LOGS),
  FIRST_SIGNAL(null, "signal", "SIGNAL", "the first signal", RESTART, STOP),
  TIMEOUT(null, "timeout", "T", "how long to wait after the first signal", RESTART, STOP),
  WAIT_TIMEOUT(null, "timeout", "T", "give up after this time, with exit status 75", WAIT),
  THEN(
      null,
      "then",
      "SIGNAL:T",
      /* repeatable= */ true,
      "the next signal, and how long to wait after it; `none` to give up instead",
      RESTART,
      STOP),
  SESSION(null, "session", null, "stop every process of the daemon's session", RESTART, STOP),
  SELF(
      null,
      "self",
      null,
      "PROGRAM daemonizes itself and locks the pidfile: run it, and wait until it has done so",
      START,
      RESTART),
  START_TIMEOUT(null, "start-timeout", "T", "the same as `--ready-timeout`", START, RESTART),
  READY(
      null,
      "ready",
      "WHEN",
      "wait until PROGRAM is ready: `alive:T`, `notify`, `notify:all`, `fd:N`, `tcp:[HOST:]PORT`,"
          + " `unix:PATH`, `file:PATH` or `log:TEXT`; if it fails, it is stopped. `exec` only waits"
          + " until PROGRAM is executed; `exit` is `--self`",
      START,
      RESTART),
  READY_TIMEOUT(
      null,
      "ready-timeout",
      "T",
      "with `--ready` (but `alive:T`) or `--self`: how long that may take; then the start fails",
      START,
      RESTART),
  ALIVE(
      null, "wait", "T", "the same as `--ready alive:T`: PROGRAM still runs then", START, RESTART),
  GUARD(
      null,
      "guard",
      "PATH",
      "lock this file during the action, so that one command at a time starts or stops the daemon",
      START,
      RUN,
      RESTART,
      STOP),
  /** Without a lock: what it has recorded tells the daemon from another process with its id. */
  RECORDING_GUARD(
      null,
      "guard",
      "PATH",
      "the guard file of the start, which has recorded the daemon's process",
      STATUS,
      RELOAD,
      SIGNAL,
      WAIT),
  OVERLAP(
      null,
      "overlap",
      null,
      "with `--ready` and `--listen`: stop the old daemon only when the new one is ready; both share"
          + " the sockets meanwhile, and nobody is refused",
      RESTART),
  PID_ONLY(
      null,
      "pid-only",
      null,
      "trust a pidfile that nobody has locked, for daemons that lock nothing; risk: if the daemon"
          + " has died, its pid may be another program's by now",
      START,
      RESTART,
      STOP,
      STATUS,
      RELOAD,
      SIGNAL,
      WAIT),
  SAVE(
      null,
      "save",
      null,
      "with a name: when PROGRAM was started, write the definition of that name from these options",
      START,
      RUN,
      RESTART),
  HELP(
      "h",
      "help",
      null,
      "print the command's help",
      START,
      RUN,
      RESTART,
      STOP,
      STATUS,
      RELOAD,
      SIGNAL,
      WAIT,
      SHOW,
      CHECK,
      LIST,
      LOGS);

  private final @Nullable String letter;
  private final String word;
  private final @Nullable String argument;
  private final boolean repeatable;
  private final String help;

  // "ImmutableEnumChecker": the array is never changed, and nobody else has it.
  @SuppressWarnings("ImmutableEnumChecker")
  private final Command[] commands;

  CommandOption(
      @Nullable String letter,
      String word,
      @Nullable String argument,
      String help,
      Command... commands) {
    this(letter, word, argument, /* repeatable= */ false, help, commands);
  }

  CommandOption(
      @Nullable String letter,
      String word,
      @Nullable String argument,
      boolean repeatable,
      String help,
      Command... commands) {
    this.letter = letter;
    this.word = word;
    this.argument = argument;
    this.repeatable = repeatable;
    this.help = help;
    this.commands = commands;
  }

  /** The options of a command, in the order of the table. */
  static List<CommandOption> of(Command command) {
    List<CommandOption> options = new ArrayList<>();
    for (CommandOption option : values()) {
      if (option.isTakenBy(command)) {
        options.add(option);
      }
    }
    return options;
  }

  /**
   * Whether a definition may have the option: all that say how to start or stop a daemon, and not
   * those that say how the command is to behave this time.
   */
  boolean isDefinable() {
    return switch (this) {
      case PIDFILE, VERBOSE, FOREGROUND, DRY_RUN, OKNODO, ALL, ALL_THAT_RUN, SAVE, HELP -> false;
      case RECORDING_GUARD -> true;
      default -> isTakenBy(START) || isTakenBy(RUN) || isTakenBy(RESTART);
    };
  }

  /** Whether it may stand beside {@code --all}. */
  boolean goesWithAll() {
    return switch (this) {
      case ALL, ALL_THAT_RUN, OKNODO, VERBOSE, DRY_RUN, FIRST_SIGNAL, TIMEOUT, THEN, SESSION ->
          true;
      default -> false;
    };
  }

  /**
   * Whether the option, typed, replaces another one in a definition. What is to be waited for
   * replaces also how long, which may not go with it.
   */
  boolean replaces(CommandOption other) {
    return topic().equals(other.topic())
        || (topic().equals(READY.word) && other.topic().equals(READY_TIMEOUT.word));
  }

  /** The word of the options of which one replaces the others: mostly the option's own. */
  private String topic() {
    return switch (this) {
      case TRUNCATE, APPEND -> APPEND.word;
      case LOCK, NO_LOCK -> LOCK.word;
      case READY, ALIVE, SELF -> READY.word;
      case READY_TIMEOUT, START_TIMEOUT -> READY_TIMEOUT.word;
      default -> word;
    };
  }

  /** Whether a command takes the option of this name from a definition. */
  static boolean isDefinable(String word, Command command) {
    for (CommandOption option : values()) {
      if (option.word.equals(word) && option.isTakenBy(command) && option.isDefinable()) {
        return true;
      }
    }
    return false;
  }

  /** The option that a definition has under this name; null if it may have none. */
  static @Nullable CommandOption definable(String word) {
    for (CommandOption option : values()) {
      if (option.word.equals(word) && option.isDefinable()) {
        return option;
      }
    }
    return null;
  }

  /** Whether a command takes the option. */
  boolean isTakenBy(Command command) {
    for (Command taking : commands) {
      if (taking == command) {
        return true;
      }
    }
    return false;
  }

  /** The letter after one dash; null if it has none. */
  @Nullable String letter() {
    return letter;
  }

  /** The name after two dashes. */
  String word() {
    return word;
  }

  /** What the help calls the argument; null if it takes none. */
  @Nullable String argument() {
    return argument;
  }

  /** Whether it may be given several times. */
  boolean isRepeatable() {
    return repeatable;
  }

  /** What the option does. */
  String help() {
    return help;
  }

  /** The value without the option, read where the command has it from; null if it has none. */
  @Nullable String defaultValue() {
    return switch (this) {
      case CHDIR -> "`" + StartDefaults.DIRECTORY + "`";
      case UMASK -> "`0" + Integer.toOctalString(StartDefaults.UMASK) + "`";
      case STDOUT -> "the null device; with a name, its log";
      case STDOUT_OF_RUN -> "inherited";
      case STDERR -> "where `-o` goes; " + errorBeside("x.stdout") + ", " + errorBeside("x.out");
      case PIDFILE_OWNER -> StartDefaults.ROOTS_PIDFILE ? "`root`" : "`user`";
      case LINES -> "`" + LogsCommand.LINES + "`";
      case FIRST_SIGNAL -> "`" + name(StopPolicy.DEFAULT.steps().getFirst().signal()) + "`";
      case TIMEOUT -> "`" + seconds(StopPolicy.DEFAULT.steps().getFirst().patience()) + "`";
      case THEN -> laterSteps();
      case READY -> "`exec`";
      case READY_TIMEOUT -> "`" + seconds(StartDefaults.TIMEOUT) + "`";
      case GUARD -> "`" + Guard.beside(Path.of("/x.pid")).getFileName() + "` beside `x.pid`";
      default -> null;
    };
  }

  private static String errorBeside(String output) {
    Path error = Objects.requireNonNull(OutputPaths.errorBeside(Path.of("/", output)));
    return "`" + error.getFileName() + "` beside `" + output + "`";
  }

  private static String laterSteps() {
    List<Step> steps = StopPolicy.DEFAULT.steps();
    StringBuilder text = new StringBuilder();
    for (Step step : steps.subList(1, steps.size())) {
      text.append(text.isEmpty() ? "" : ", ");
      text.append('`').append(name(step.signal())).append(':').append(seconds(step.patience()));
      text.append('`');
    }
    return text.toString();
  }

  /** The signal's name as it is mostly typed, such as {@code TERM}. */
  private static String name(Signal signal) {
    return signal.name().substring("SIG".length());
  }

  private static String seconds(Duration duration) {
    return duration.toSeconds() + "s";
  }

  /** The help, and behind it whether it is repeatable and what the default is. */
  String fullHelp() {
    String value = defaultValue();
    String more = repeatable ? "repeatable" : "";
    if (value != null) {
      more += (more.isEmpty() ? "" : "; ") + "default: " + value;
    }
    return more.isEmpty() ? help : help + " (" + more + ")";
  }

  /** The option as messages name it, such as {@code "--pidfile"}. */
  @Override
  public String toString() {
    return "--" + word;
  }
}
