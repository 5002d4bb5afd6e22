package dev.daimon.daemon.javacommand;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Derives the command line of the daemon's JVM from that of the launcher, so that it works in
 * another directory.
 *
 * <p>It parses the command line as {@code java} does. All text has one character for each byte.
 */
final class JavaCommand {
  private static final String JVM_ARGUMENTS = "jvmArguments";
  private static final String JAVA_VARIABLE = "JDK_JAVA_OPTIONS";
  private static final String JMX_PORT = "-Dcom.sun.management.jmxremote.port=";
  private static final String RMI_PORT = "-Dcom.sun.management.jmxremote.rmi.port=";
  private static final String OPTIONS_FILE = "-XX:VMOptionsFile=";
  private static final String FLAGS_FILE = "-XX:Flags=";

  /** How {@code java} was told what to run. */
  private enum Program {
    CLASS,
    SOURCE,
    JAR,
    MODULE
  }

  private final Map<String, String> variables;
  private final List<String> jvmArguments;
  private final List<String> problems = new ArrayList<>();
  private final JvmPaths paths;

  /** The result so far; while an environment variable is parsed, the words that override it. */
  private List<String> words = new ArrayList<>();

  /** The source of the current word; empty for the command line. */
  private String place = "";

  /** The file that the JVM itself takes the current word from; empty for none. */
  private String file = "";

  private Program program = Program.CLASS;
  private boolean complete;

  /** Whether {@code @file} stands for the words of a file. */
  private boolean expanding = true;

  /** The option whose value is the next word. */
  private @Nullable String option;

  private @Nullable String classPath;
  private boolean classPathOnCommandLine;
  private final Map<String, String> launcherPorts = new HashMap<>();
  private final Map<String, String> daemonPorts = new HashMap<>();

  private JavaCommand(String directory, Map<String, String> variables, List<String> jvmArguments) {
    this.variables = variables;
    this.jvmArguments = jvmArguments;
    this.paths = new JvmPaths(directory, problems);
  }

  /**
   * Derives the daemon's command line from the launcher's.
   *
   * @param command the launcher's words, {@code argv[0]} first
   * @param directory the launcher's directory
   * @param variables its environment; {@code CLASSPATH}, {@code JDK_JAVA_OPTIONS}, {@code
   *     JAVA_TOOL_OPTIONS} and {@code _JAVA_OPTIONS} count
   * @param jvmArguments options for the daemon alone; they come last, so they win
   * @return the words, or the problems that prevent them
   */
  static JavaCommand of(
      List<String> command,
      String directory,
      Map<String, String> variables,
      List<String> jvmArguments) {
    JavaCommand result = new JavaCommand(directory, variables, jvmArguments);
    result.derive(command);
    return result;
  }

  /** {@return the daemon's words, {@code argv[0]} first; valid only if there is no problem} */
  List<String> words() {
    return words;
  }

  /** {@return a line for each problem, which says what to do} */
  List<String> problems() {
    List<String> texts = new ArrayList<>();
    for (String problem : problems) {
      texts.add(new String(problem.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
    }
    return texts;
  }

  private void derive(List<String> command) {
    classPath = variables.get("CLASSPATH");
    // In the order in which the JVM reads them: the last one wins.
    jvmVariable("JAVA_TOOL_OPTIONS");
    javaVariable();
    List<String> overrides = words;
    words = new ArrayList<>();
    place = "";
    for (int i = 1; i < command.size(); i++) {
      word(command.get(i));
    }
    if (!complete) {
      // Java cannot have started without a program, but another executable can.
      endOfOptions();
      insertOptions(words.size(), List.of());
    }
    words.addAll(0, overrides);
    if (!command.isEmpty()) {
      words.addFirst(command.getFirst());
    }
    jvmVariable("_JAVA_OPTIONS");
    checkPort("JMX port", JMX_PORT);
    if (launcherPorts.containsKey(JMX_PORT)) {
      checkPort("RMI port", RMI_PORT);
    }
  }

  private void jvmVariable(String name) {
    place = name;
    for (String word : ArgumentSplitter.inVariable(variables.getOrDefault(name, ""))) {
      fixed(word);
      optionsFile(word);
    }
  }

  /** Checks an option that cannot be changed, since the daemon's JVM reads it as this one has. */
  private void fixed(String word) {
    checkPorts(word);
    if (!paths.option(word).equals(word)) {
      relative(word);
    }
  }

  /** Checks the options in a file that the JVM reads. If it cannot, it says so itself. */
  private void optionsFile(String option) {
    boolean flags = option.startsWith(FLAGS_FILE);
    if (!flags && !option.startsWith(OPTIONS_FILE)) {
      return;
    }
    String path = paths.path(option.substring(option.indexOf('=') + 1));
    String text;
    try {
      text = NamedFile.read(path);
    } catch (IOException unreadable) {
      return;
    }
    file = path;
    if (flags) {
      for (String flag : ArgumentSplitter.inFlagsFile(text)) {
        fixed("-XX:" + flag);
      }
    } else {
      for (String word : ArgumentSplitter.inVariable(text)) {
        fixed(word);
      }
    }
    file = "";
  }

  private void javaVariable() {
    place = JAVA_VARIABLE;
    for (String word : ArgumentSplitter.inVariable(variables.getOrDefault(place, ""))) {
      if (isFile(word) && word.charAt(1) != '/' && word.charAt(1) != '@') {
        relative(word);
      } else {
        word(word);
      }
    }
    endOfOptions();
  }

  private void relative(String word) {
    problems.add(
        source()
            + " has a relative path in "
            + word
            + ", but the daemon starts in another directory: make it absolute");
  }

  private String source() {
    return file.isEmpty() ? place : file;
  }

  private boolean isFile(String word) {
    return expanding && word.length() > 1 && word.charAt(0) == '@';
  }

  /** Adds a word, or the words that it stands for. */
  private void word(String word) {
    if (complete) {
      words.add(word);
    } else if (expanding && word.startsWith("--source") && word.indexOf(' ') >= 0) {
      // The first line of a script gives its options as one word.
      for (String part : ArgumentSplitter.bySpace(word)) {
        word(part);
      }
    } else if (!isFile(word)) {
      literal(word);
    } else if (word.charAt(1) == '@') {
      literal(word.substring(1));
    } else {
      try {
        for (String part : ArgumentSplitter.inFile(NamedFile.read(paths.path(word.substring(1))))) {
          literal(part);
        }
      } catch (IOException e) {
        problems.add(
            "the daemon needs the words of "
                + word
                + " too, but it is no file that can be read again: give them on the command line");
      }
    }
  }

  private void literal(String word) {
    if (complete) {
      words.add(word);
      return;
    }
    boolean isOption = word.startsWith("-");
    if (isOption) {
      endOfOptions();
      if (takesValue(word)) {
        option = word;
      } else {
        option(word, null);
      }
    } else if (option != null) {
      String name = option;
      option = null;
      option(name, word);
    } else if (place.equals(JVM_ARGUMENTS)) {
      problems.add(
          "jvmArguments has \""
              + word
              + "\", which would become the main class: options begin with \"-\"");
    } else {
      mainWord(word);
    }
  }

  /** Ends an option that has not got its value. */
  private void endOfOptions() {
    if (option != null) {
      if (place.isEmpty()) {
        words.add(option);
      } else {
        problems.add(place + " has " + option + " without its value: add it");
      }
      option = null;
    }
  }

  /** The options whose value is the next word. */
  private static boolean takesValue(String option) {
    return switch (option) {
      case "-cp",
          "-classpath",
          "--class-path",
          "-p",
          "--module-path",
          "--upgrade-module-path",
          "--patch-module",
          "--add-modules",
          "--limit-modules",
          "--add-exports",
          "--add-opens",
          "--add-reads",
          "--enable-native-access",
          "--source",
          "-d",
          "--describe-module",
          "-m",
          "--module" ->
          true;
      default -> false;
    };
  }

  private void option(String name, @Nullable String value) {
    String bare =
        name.startsWith("--") && name.indexOf('=') > 0
            ? name.substring(0, name.indexOf('='))
            : name;
    switch (bare) {
      case "-jar", "-m", "--module", "--source" -> {
        if (place.equals(JVM_ARGUMENTS)) {
          problems.add(
              "jvmArguments has " + bare + ", but the daemon runs the same program: remove it");
          return;
        }
        if (bare.equals("-jar")) {
          program = Program.JAR;
        } else if (bare.equals("--source")) {
          program = Program.SOURCE;
        } else {
          program = Program.MODULE;
          insertOptions(words.size(), defaultClassPath());
        }
      }
      case "--disable-@files" -> expanding = false;
      default -> {
        checkPorts(name);
        optionsFile(name);
      }
    }
    String absolute = value == null ? paths.option(name) : paths.value(name, value);
    boolean isClassPath = isClassPath(bare);
    if (isClassPath) {
      classPath = value == null ? name.substring(name.indexOf('=') + 1) : value;
      // An empty one is none.
      classPathOnCommandLine = !place.equals(JAVA_VARIABLE) && !classPath.isEmpty();
    }
    boolean changed = !absolute.equals(value == null ? name : value);
    if (!place.equals(JAVA_VARIABLE)) {
      add(name, value, absolute);
    } else if (changed && !isClassPath) {
      if (isOverridden(bare)) {
        add(name, value, absolute);
      } else {
        relative(value == null ? name : name + " " + value);
      }
    }
  }

  private void add(String name, @Nullable String value, String absolute) {
    if (value != null) {
      words.add(name);
    }
    words.add(escaped(absolute));
  }

  private static boolean isClassPath(String option) {
    return option.equals("-cp")
        || option.equals("-classpath")
        || option.equals("--class-path")
        || option.startsWith("-Djava.class.path=");
  }

  /** Whether an option replaces an earlier one, rather than adds to it. */
  private static boolean isOverridden(String option) {
    return switch (option) {
      case "-p", "--module-path", "--upgrade-module-path" -> true;
      default ->
          option.startsWith("-D")
              || option.startsWith("-splash:")
              || (option.startsWith("-XX:")
                  && !option.startsWith("-XX:VMOptionsFile")
                  && !option.startsWith("-XX:StartFlightRecording")
                  && !option.startsWith("-XX:FlightRecorderOptions"));
    };
  }

  private void mainWord(String word) {
    if (program == Program.CLASS && word.endsWith(".java") && NamedFile.exists(paths.path(word))) {
      program = Program.SOURCE;
    }
    boolean afterJar = !words.isEmpty() && words.getLast().equals("-jar");
    insertOptions(words.size() - (afterJar ? 1 : 0), defaultClassPath());
    words.add(escaped(program == Program.CLASS ? word : paths.path(word)));
  }

  /** Inserts the options before the word that names the program; no option follows that. */
  private void insertOptions(int index, List<String> first) {
    List<String> before = words;
    words = new ArrayList<>(first);
    place = JVM_ARGUMENTS;
    for (String argument : jvmArguments) {
      word(argument);
    }
    endOfOptions();
    place = "";
    complete = true;
    before.addAll(index, words);
    words = before;
  }

  /** Overrides a relative class path of the environment, which itself stays as it is. */
  private List<String> defaultClassPath() {
    String value = classPath == null ? "" : classPath;
    if (program == Program.JAR
        || classPathOnCommandLine
        || (value.isEmpty() && program == Program.MODULE)) {
      return List.of();
    }
    String absolute = paths.classPath(value.isEmpty() ? "." : value);
    return absolute.equals(value) ? List.of() : List.of("-cp", absolute);
  }

  /** Escapes a word that begins with {@code @} but is no file of words. */
  private String escaped(String word) {
    return isFile(word) ? "@" + word : word;
  }

  private void checkPorts(String option) {
    for (String name : List.of(JMX_PORT, RMI_PORT)) {
      if (option.startsWith(name)) {
        String port = option.substring(name.length());
        daemonPorts.put(name, port);
        if (!place.equals(JVM_ARGUMENTS)) {
          launcherPorts.put(name, port);
        }
      }
    }
    if (place.equals(JVM_ARGUMENTS)) {
      return;
    }
    for (String agent : List.of("-agentlib:jdwp=", "-Xrunjdwp:")) {
      if (option.startsWith(agent)) {
        String port = debugPort(option.substring(agent.length()));
        if (!port.isEmpty() && !port.equals("0")) {
          ownPort("debug port", port, agent);
        }
      }
    }
  }

  private static String debugPort(String options) {
    int start = options.startsWith("address=") ? 0 : options.indexOf(",address=") + 1;
    if (!options.startsWith("address=", start)) {
      return "";
    }
    int comma = options.indexOf(',', start);
    String address =
        options.substring(start + "address=".length(), comma < 0 ? options.length() : comma);
    return address.substring(address.lastIndexOf(':') + 1);
  }

  private void checkPort(String kind, String name) {
    String port = launcherPorts.getOrDefault(name, "0");
    if (!port.equals("0") && port.equals(daemonPorts.get(name))) {
      place = "";
      ownPort(kind, port, name);
    }
  }

  private void ownPort(String kind, String port, String option) {
    problems.add(
        "the "
            + kind
            + " "
            + port
            + " is this JVM's own"
            + (source().isEmpty() ? "" : ", by " + source())
            + ": give "
            + option
            + "... to the daemon alone, with jvmArguments(...)");
  }
}
