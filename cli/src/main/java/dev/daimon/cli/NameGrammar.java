package dev.daimon.cli;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;
import org.jspecify.annotations.Nullable;

/**
 * Finds the daemon's name among the words of a command that takes a program: the only word before
 * {@code --}, among options. Without {@code --} the first word is the program, unless a daemon of
 * that name is defined, or the command is {@code restart}.
 */
final class NameGrammar {
  private static final String DASHES = "--";

  private final Command command;
  private final OptionWords options;
  private final List<String> words;

  /** The index of the first word that is no option; -1 if there is none. */
  private int first = -1;

  /**
   * The index of the first word behind it that is no option of the command; -1 if there is none.
   */
  private int second = -1;

  /** The index of the dashes before the program; -1 if something else comes first. */
  private int dashes = -1;

  private boolean pidFile;

  private NameGrammar(Command command, OptionWords options, List<String> words) {
    this.command = command;
    this.options = options;
    this.words = words;
  }

  /**
   * What the words mean.
   *
   * @param daemon the daemon that is named; null for none
   * @param words the words without its name
   * @param isUndefined whether the program would be a name if a daemon of that name were defined
   */
  record Named(@Nullable RequestedDaemon daemon, List<String> words, boolean isUndefined) {}

  /** Finds the name. */
  static Named find(Command command, OptionWords options, List<String> words) {
    NameGrammar grammar = new NameGrammar(command, options, words);
    grammar.scan();
    RequestedDaemon daemon = grammar.daemon();
    return daemon == null
        ? new Named(null, words, grammar.isAlone() && !grammar.isNoName())
        : new Named(daemon, grammar.rest(), /* isUndefined= */ false);
  }

  private void scan() {
    for (int i = 0; i < words.size() && dashes < 0 && second < 0; i++) {
      String word = words.get(i);
      if (word.equals(DASHES)) {
        dashes = i;
      } else if (OptionWords.mayBeOption(word) && (first < 0 || options.isKnown(word))) {
        pidFile |= first < 0 && isPidFile(options.withValue(word));
        i += options.awaitingValue(word) == null ? 0 : 1;
      } else if (first < 0) {
        first = i;
      } else {
        second = i;
      }
    }
  }

  private static boolean isPidFile(@Nullable Option option) {
    return option != null && CommandOption.PIDFILE.word().equals(option.getLongOpt());
  }

  private @Nullable RequestedDaemon daemon() {
    if (first < 0) {
      return null;
    }
    String word = words.get(first);
    if (dashes >= 0) {
      return RequestedDaemon.of(word);
    }
    boolean later = second >= 0 && words.subList(second, words.size()).contains(DASHES);
    if (later) {
      String option = words.get(second);
      if (OptionWords.mayBeOption(option)) {
        throw wrong(
            "unknown option "
                + Text.readable(option)
                + "; if "
                + Text.readable(word)
                + " is the program, and no name, type -- before it");
      }
      return null;
    }
    if (isNoName()) {
      return null;
    }
    RequestedDaemon daemon =
        command == Command.RESTART
            ? RequestedDaemon.of(word)
            : RequestedDaemon.defined(word, isAlone());
    if (daemon != null && second >= 0) {
      throw wrong(
          command == Command.RESTART
              ? "unexpected word: \""
                  + Text.readable(words.get(second))
                  + "\" behind the name "
                  + daemon
                  + "; type -- before a program"
              : daemon
                  + " is defined in "
                  + DefinitionFile.name(daemon.definitionFile())
                  + "; to start the program of that name, type -- before it");
    }
    return daemon;
  }

  /** Whether only options stand beside the first word. */
  private boolean isAlone() {
    return first >= 0 && second < 0 && dashes < 0;
  }

  /** Whether the first word is a program, since there is a pidfile, or the word is a path. */
  private boolean isNoName() {
    return pidFile || words.get(first).indexOf('/') >= 0;
  }

  private static StartException wrong(String message) {
    return new StartException(Reason.CONFIGURATION, message);
  }

  private List<String> rest() {
    List<String> rest = new ArrayList<>(words);
    rest.remove(first);
    return rest;
  }
}
