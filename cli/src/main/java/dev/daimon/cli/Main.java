package dev.daimon.cli;

import java.util.List;

/** The entry of the command {@code daimon}. */
public final class Main {
  private Main() {}

  /**
   * Runs the command.
   *
   * @param args the command and its options
   */
  public static void main(String[] args) {
    Verdict verdict = Verdict.guard();
    verdict.exit(run(verdict, args.length));
  }

  private static int run(Verdict verdict, int count) {
    try {
      // The last words are ours; a JVM decodes its arguments by the locale, so they are only counted.
      List<String> words = Caller.commandLine();
      return dispatch(verdict, words.subList(words.size() - count, words.size()));
    } catch (Failure failure) {
      new Terminal(false).error(String.valueOf(failure.getMessage()));
      return failure.exitCode();
    }
  }

  private static int dispatch(Verdict verdict, List<String> words) throws Failure {
    Terminal terminal = new Terminal(false);
    String command = words.isEmpty() ? "" : words.get(0);
    switch (command) {
      case "start", "run" -> {
        CommandLine line = CommandLine.parse(command, words.subList(1, words.size()));
        if (line.asksForHelp()) {
          terminal.result(Help.of(command));
          return 0;
        }
        return new Launch(line.request(), verdict).launch();
      }
      case "help" -> {
        String text = words.size() > 1 ? Help.of(words.get(1)) : Help.overview();
        if (text == null || words.size() > 2) {
          throw new Failure(Failure.USAGE, "no help on that; see daimon --help");
        }
        terminal.result(text);
        return 0;
      }
      case "--help", "-h" -> {
        terminal.result(Help.overview());
        return 0;
      }
      case "--version", "-V" -> {
        terminal.result("daimon " + Main.class.getPackage().getImplementationVersion() + "\n");
        return 0;
      }
      case "" -> throw new Failure(Failure.USAGE, "no command was given; see daimon --help");
      default ->
          throw new Failure(
              Failure.USAGE,
              "unknown command \"" + Text.readable(command) + "\"; see daimon --help");
    }
  }
}
