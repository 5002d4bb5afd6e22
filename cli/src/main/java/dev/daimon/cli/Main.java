package dev.daimon.cli;

import dev.daimon.posix.NativeAccessException;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.util.List;

/** The main class of the command {@code daimon}. */
public final class Main {
  /** The exit code of a defect in Daimon. */
  private static final int BUG = 70;

  /** That of {@link Reason#SYSTEM}, where not even that class can be read. */
  private static final int SYSTEM = 71;

  private Main() {}

  /**
   * Runs the command.
   *
   * @param args the command and its options
   */
  public static void main(String[] args) {
    // Halted, not shut down: running the shutdown hooks takes longer than a start, and there are
    // none.
    Runtime.getRuntime().halt(status(run(args.length)));
  }

  /** The exit code as the launcher script expects it. */
  private static int status(int exitCode) {
    return exitCode > 0 && exitCode <= ScriptProtocol.LAST_MOVED && Caller.hasScript()
        ? ScriptProtocol.MOVED + exitCode
        : exitCode;
  }

  private static int run(int count) {
    try {
      Caller.restoreError();
      // The JVM decodes its arguments by the locale. So they are only counted here, and read as
      // bytes: they are the last words of the process's command line.
      List<String> words = Caller.commandLine();
      if (count > words.size()) {
        throw new StartException(
            Reason.CONFIGURATION, "java must get the command itself, not in an @file");
      }
      return dispatch(words.subList(words.size() - count, words.size()));
    } catch (StartException failure) {
      new Terminal(false).error(String.valueOf(failure.getMessage()));
      return failure.exitCode();
    } catch (NativeAccessException unusable) {
      new Terminal(false).error(String.valueOf(unusable.getMessage()));
      return Reason.SYSTEM.exitCode();
    } catch (NoClassDefFoundError | ClassFormatError unreadable) {
      String from = String.valueOf(System.getProperty("java.class.path")).concat(": ");
      new Terminal(false)
          .error(
              "java cannot read a class from "
                  .concat(from)
                  .concat(String.valueOf(unreadable.getMessage())));
      return SYSTEM;
    } catch (OutOfMemoryError | InternalError scarce) {
      // No memory, no further thread, or a file in memory that can no longer be read.
      new Terminal(false).error("java has failed: ".concat(String.valueOf(scarce.getMessage())));
      return SYSTEM;
    } catch (RuntimeException | Error bug) {
      new Terminal(false).error("internal error, please report it: " + bug);
      return BUG;
    }
  }

  private static int dispatch(List<String> words) {
    String word = words.isEmpty() ? "" : words.get(0);
    List<String> rest = words.isEmpty() ? words : words.subList(1, words.size());
    Command command = Command.of(word);
    if (command != null) {
      Caller.endWithParent();
      return run(command, CommandLine.parse(command, rest));
    }
    return switch (word) {
      case "help" -> help(String.join(" ", rest));
      case "--help", "-h" -> help("");
      case "--version", "-V" ->
          print("daimon " + Main.class.getPackage().getImplementationVersion() + "\n");
      case "" ->
          throw new StartException(Reason.CONFIGURATION, "no command was given; see daimon --help");
      default ->
          throw new StartException(
              Reason.CONFIGURATION,
              "unknown command \"" + Text.readable(word) + "\"; see daimon --help");
    };
  }

  private static int run(Command command, CommandLine line) {
    if (line.has(CommandOption.HELP)) {
      return print(Help.of(command));
    }
    if (command == Command.SHOW || command == Command.CHECK) {
      return new DefinitionCommand().run(command, line);
    }
    if (line.has(CommandOption.ALL)) {
      return AllDaemons.run(command, line);
    }
    if (command == Command.LIST) {
      return ListCommand.run(line);
    }
    if (command == Command.LOGS) {
      return LogsCommand.run(line);
    }
    return command.takesProgram()
        ? new StartCommand(StartOptions.request(command, line)).run()
        : Control.run(command, line);
  }

  private static int help(String topic) {
    if (topic.isEmpty()) {
      return print(Help.overview());
    }
    Command command = Command.of(topic);
    if (command == null) {
      throw new StartException(
          Reason.CONFIGURATION, "no help on \"" + Text.readable(topic) + "\"; see daimon --help");
    }
    return print(Help.of(command));
  }

  private static int print(String text) {
    new Terminal(false).result(text);
    return 0;
  }
}
