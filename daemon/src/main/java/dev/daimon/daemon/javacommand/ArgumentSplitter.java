package dev.daimon.daemon.javacommand;

import java.util.ArrayList;
import java.util.List;

/** Splits files and environment variables into words, as {@code java} and the JVM do. */
final class ArgumentSplitter {
  private ArgumentSplitter() {}

  /**
   * {@return the words of a variable or of a {@code VMOptionsFile}: white space separates them,
   * quotes of both kinds group}
   */
  static List<String> inVariable(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean started = false;
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote != 0) {
        if (c == quote) {
          quote = 0;
        } else {
          word.append(c);
        }
      } else if (isSpace(c)) {
        if (started) {
          words.add(word.toString());
          word.setLength(0);
          started = false;
        }
      } else {
        started = true;
        if (c == '"' || c == '\'') {
          quote = c;
        } else {
          word.append(c);
        }
      }
    }
    if (started) {
      words.add(word.toString());
    }
    return words;
  }

  /** {@return the words of a text in which nothing is special but white space} */
  static List<String> bySpace(String text) {
    List<String> words = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      if (i == text.length() || isSpace(text.charAt(i))) {
        if (i > start) {
          words.add(text.substring(start, i));
        }
        start = i + 1;
      }
    }
    return words;
  }

  /**
   * {@return the words of a file of flags, {@code -XX:Flags}: white space separates them, and a
   * {@code #} at the begin of a word is one of a comment; quotes group within a line, but not at a
   * word's begin}
   */
  static List<String> inFlagsFile(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (word.isEmpty()) {
        if (c == '#') {
          int end = text.indexOf('\n', i);
          i = end < 0 ? text.length() : end;
        } else if (!isSpace(c)) {
          word.append(c);
        }
      } else if (c == '\n' || (quote == 0 && isSpace(c))) {
        words.add(word.toString());
        word.setLength(0);
        quote = 0;
      } else if (quote == 0 ? (c == '"' || c == '\'') : c == quote) {
        quote = quote == 0 ? c : 0;
      } else {
        word.append(c);
      }
    }
    if (!word.isEmpty()) {
      words.add(word.toString());
    }
    return words;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
  }

  /** {@return the words of an argument file} */
  static List<String> inFile(String text) {
    return new FileWords(text).split();
  }

  /**
   * The rules of {@code java} for argument files, with their oddities: an unquoted {@code #} begins
   * a comment even inside a word, whose unquoted part before it is lost and whose quoted parts
   * begin the next word; a line's end closes a quote; a last word that is empty, or ends in a
   * backslash, does not count unless a line's end follows.
   */
  private static final class FileWords {
    private final String text;
    private final List<String> words = new ArrayList<>();
    // The finished parts of the word, and the start of its current run of plain characters.
    private final StringBuilder parts = new StringBuilder();
    private boolean hasParts;
    private int run;

    FileWords(String text) {
      this.text = text;
    }

    List<String> split() {
      int i = 0;
      char quote = 0;
      boolean inWord = false;
      while (i < text.length()) {
        if (!inWord) {
          i = afterSpace(i);
          if (i == text.length()) {
            return words;
          }
          inWord = true;
          run = i;
        }
        char c = text.charAt(i);
        if (isLineEnd(c) || (quote == 0 && isBlank(c))) {
          endRun(i);
          endWord();
          quote = 0;
          inWord = false;
        } else if (quote == 0 && c == '#') {
          while (i < text.length() && !isLineEnd(text.charAt(i))) {
            i++;
          }
          if (i == text.length()) {
            return words;
          }
          inWord = false;
        } else if (quote != 0 && c == '\\') {
          endRun(i);
          hasParts = true;
          i++;
          if (i == text.length()) {
            return words;
          }
          char escaped = text.charAt(i);
          if (isLineEnd(escaped)) {
            run = afterSpace(i);
            if (run == text.length()) {
              return words;
            }
            i = run;
            continue;
          }
          parts.append(meaning(escaped));
          run = i + 1;
        } else if (quote == 0 ? (c == '"' || c == '\'') : c == quote) {
          endRun(i);
          run = i + 1;
          quote = quote == 0 ? c : 0;
        }
        i++;
      }
      endRun(text.length());
      if (inWord && hasParts) {
        endWord();
      }
      return words;
    }

    private void endRun(int end) {
      if (run < end) {
        parts.append(text, run, end);
        hasParts = true;
      }
    }

    private void endWord() {
      words.add(parts.toString());
      parts.setLength(0);
      hasParts = false;
    }

    private int afterSpace(int index) {
      int i = index;
      while (i < text.length() && (isBlank(text.charAt(i)) || isLineEnd(text.charAt(i)))) {
        i++;
      }
      return i;
    }

    private static char meaning(char escaped) {
      return switch (escaped) {
        case 'n' -> '\n';
        case 'r' -> '\r';
        case 't' -> '\t';
        case 'f' -> '\f';
        default -> escaped;
      };
    }

    private static boolean isBlank(char c) {
      return c == ' ' || c == '\t' || c == '\f';
    }

    private static boolean isLineEnd(char c) {
      return c == '\n' || c == '\r';
    }
  }
}
