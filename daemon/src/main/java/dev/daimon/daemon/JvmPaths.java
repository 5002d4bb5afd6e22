package dev.daimon.daemon;

import java.util.List;
import java.util.Set;

/** The paths in the options of {@code java}, made absolute. All text is one character a byte. */
final class JvmPaths {
  /** Options whose whole value is one path, without their {@code =}. */
  private static final Set<String> PATHS =
      Set.of(
          "-XX:AOTCache",
          "-XX:AOTCacheOutput",
          "-XX:AOTConfiguration",
          "-XX:AllocateHeapAt",
          "-XX:ArchiveClassesAtExit",
          "-XX:CompileCommandFile",
          "-XX:CompilerDirectivesFile",
          "-XX:DumpLoadedClassList",
          "-XX:ErrorFile",
          "-XX:ExtraSharedClassListFile",
          "-XX:Flags",
          "-XX:HeapDumpPath",
          "-XX:LogFile",
          "-XX:PerfDataSaveFile",
          "-XX:ReplayDataFile",
          "-XX:SharedArchiveConfigFile",
          "-XX:SharedClassListFile",
          "-XX:VMOptionsFile",
          // Properties that the JDK reads by itself, so that no program can care for them.
          "-Dcom.sun.management.config.file",
          "-Djava.io.tmpdir",
          "-Djava.util.logging.config.file",
          "-Djavax.net.ssl.keyStore",
          "-Djavax.net.ssl.trustStore");

  private final String directory;
  private final List<String> problems;

  /**
   * Prepares them for a directory.
   *
   * @param directory what paths are relative to, absolute
   * @param problems where to add what cannot be said
   */
  JvmPaths(String directory, List<String> problems) {
    this.directory = directory;
    this.problems = problems;
  }

  /** {@return the option, which is one word, with absolute paths} */
  String option(String word) {
    int equals = word.indexOf('=');
    if (equals > 0) {
      String name = word.substring(0, equals);
      String value = word.substring(equals + 1);
      String absolute = named(name, value);
      if (!absolute.equals(value)) {
        return name + "=" + absolute;
      }
    }
    int colon = word.indexOf(':');
    if (colon < 0) {
      return word;
    }
    String head = word.substring(0, colon + 1);
    String rest = word.substring(colon + 1);
    return switch (head) {
      case "-splash:" -> head + (rest.isEmpty() ? rest : path(rest));
      case "-Xloggc:" -> head + logFile(rest);
      case "-javaagent:" -> head + agent(rest);
      // The system searches a library without a slash, and not in the directory.
      case "-agentpath:" -> untilEquals(rest).indexOf('/') < 0 ? word : head + agent(rest);
      case "-Xbootclasspath/a:" -> head + list(rest, false, false);
      case "-Xlog:" -> head + log(rest);
      case "-XX:" -> flightRecorder(word);
      default -> word;
    };
  }

  /** {@return the value of a two-word option with absolute paths} */
  String value(String option, String value) {
    return switch (option) {
      case "-cp", "-classpath" -> classPath(value);
      case "-p" -> named("--module-path", value);
      default -> named(option, value);
    };
  }

  private String named(String name, String value) {
    return switch (name) {
      case "--class-path", "-Djava.class.path", "-Djava.library.path" -> classPath(value);
      case "--module-path", "--upgrade-module-path" -> list(value, true, false);
      case "--patch-module" -> {
        int equals = value.indexOf('=');
        yield value.substring(0, equals + 1) + list(value.substring(equals + 1), false, false);
      }
      case "-XX:SharedArchiveFile" -> list(value, false, false);
      default ->
          !PATHS.contains(name) || value.isEmpty() || value.equals("NONE")
              ? value
              : path(value, '\0');
    };
  }

  /** {@return a class path with absolute entries; an empty one is left as it is} */
  String classPath(String value) {
    return list(value, true, true);
  }

  /** {@return a path made absolute} */
  String path(String path) {
    return path(path, '\0');
  }

  private String path(String path, char forbidden) {
    if (path.startsWith("/")) {
      return path;
    }
    if (forbidden != '\0' && directory.indexOf(forbidden) >= 0) {
      problems.add(
          "\""
              + path
              + "\" is relative to "
              + directory
              + ", which cannot be named there because of its \""
              + forbidden
              + "\": start the program from another directory");
      return path;
    }
    if (path.isEmpty() || path.equals(".")) {
      return directory;
    }
    return directory.endsWith("/") ? directory + path : directory + "/" + path;
  }

  /**
   * A list separated by colons. An empty entry means the directory in a class path, and in a module
   * path unless only empty ones follow; elsewhere it means nothing.
   */
  private String list(String value, boolean emptyIsDirectory, boolean lastToo) {
    if (value.isEmpty()) {
      return value;
    }
    int end = value.length();
    while (!lastToo && end > 0 && value.charAt(end - 1) == ':') {
      end--;
    }
    StringBuilder result = new StringBuilder();
    int start = 0;
    while (start <= end) {
      int colon = value.indexOf(':', start);
      int stop = colon < 0 || colon > end ? end : colon;
      if (stop > start || (emptyIsDirectory && end > 0)) {
        result.append(path(value.substring(start, stop), ':'));
      }
      if (stop < end) {
        result.append(':');
      }
      start = stop + 1;
    }
    return result.append(value, end, value.length()).toString();
  }

  private String agent(String value) {
    String jar = untilEquals(value);
    return path(jar, '=') + value.substring(jar.length());
  }

  private static String untilEquals(String value) {
    int equals = value.indexOf('=');
    return equals < 0 ? value : value.substring(0, equals);
  }

  /** {@code what:output:decorators:options}. */
  private String log(String value) {
    int colon = value.indexOf(':');
    if (colon < 0 || value.startsWith("async:")) {
      return value;
    }
    int end = colon + 1;
    boolean quoted = false;
    while (end < value.length() && (quoted || value.charAt(end) != ':')) {
      quoted ^= value.charAt(end) == '"';
      end++;
    }
    return value.substring(0, colon + 1)
        + logFile(value.substring(colon + 1, end))
        + value.substring(end);
  }

  private String logFile(String output) {
    int start = output.startsWith("file=") ? 5 : 0;
    if (output.length() == start || output.equals("stdout") || output.equals("stderr")) {
      return output;
    }
    boolean quoted = output.charAt(start) == '"';
    start += quoted ? 1 : 0;
    return output.substring(0, start) + path(output.substring(start), quoted ? '"' : ':');
  }

  private String flightRecorder(String word) {
    int name = "-XX:".length();
    boolean recording = word.startsWith("StartFlightRecording", name);
    int start = name + (recording ? "StartFlightRecording" : "FlightRecorderOptions").length();
    if ((!recording && !word.startsWith("FlightRecorderOptions", name)) || start >= word.length()) {
      return word;
    }
    StringBuilder result = new StringBuilder(word.substring(0, start + 1));
    start++;
    while (start <= word.length()) {
      int comma = word.indexOf(',', start);
      int end = comma < 0 ? word.length() : comma;
      String item = word.substring(start, end);
      int value = item.indexOf('=') + 1;
      boolean quoted =
          value < item.length() && (item.charAt(value) == '"' || item.charAt(value) == '\'');
      value += quoted ? 1 : 0;
      result.append(item, 0, value);
      String path = item.substring(value);
      // A settings file is looked for in the directory, then among those of the JDK.
      boolean isPath =
          item.startsWith("filename=")
              || item.startsWith("repository=")
              || (item.startsWith("settings=") && NamedFile.exists(path(path)));
      result.append(
          isPath && !path.isEmpty() ? path(path, quoted ? item.charAt(value - 1) : ',') : path);
      if (comma >= 0) {
        result.append(',');
      }
      start = end + 1;
    }
    return result.toString();
  }
}
