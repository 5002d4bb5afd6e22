package dev.daimon.daemon.javacommand;

import java.util.List;
import java.util.Set;

/**
 * Makes the paths in options of {@code java} absolute. All text has one character for each byte.
 */
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
          // Properties that the JDK itself reads, so that the program cannot make them absolute.
          "-Dcom.sun.management.config.file",
          "-Dcom.sun.management.jmxremote.access.file",
          "-Dcom.sun.management.jmxremote.password.file",
          "-Dcom.sun.management.jmxremote.ssl.config.file",
          "-Dcontent.types.user.table",
          "-Djava.io.tmpdir",
          "-Djava.security.krb5.conf",
          "-Djava.util.currency.data",
          "-Djava.util.logging.config.file",
          "-Djava.util.prefs.systemRoot",
          "-Djava.util.prefs.userRoot",
          "-Djava.xml.config.file",
          "-Djavax.net.ssl.keyStore",
          "-Djavax.net.ssl.trustStore",
          "-Djdk.net.hosts.file");

  private final String directory;
  private final List<String> problems;

  /**
   * Makes relative paths those of a directory.
   *
   * @param directory the absolute path of the directory
   * @param problems receives what cannot be expressed
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
      // The JVM allows ":=" too, which sets an option anew that would add to a list.
      boolean anew = name.startsWith("-XX:") && name.endsWith(":");
      String absolute = named(anew ? name.substring(0, equals - 1) : name, value);
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
      // The dynamic linker searches a library without a slash, not in the directory.
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
      case "-Djava.security.properties", "-Djava.security.auth.login.config" -> security(value);
      default ->
          !PATHS.contains(name) || value.isEmpty() || value.equals("NONE")
              ? value
              : path(value, '\0');
    };
  }

  /** Converts a path or URL. A second {@code =} before it means: in place of the JDK's own file. */
  private String security(String value) {
    int start = value.startsWith("=") ? 1 : 0;
    start += value.regionMatches(true, start, "file:", 0, "file:".length()) ? "file:".length() : 0;
    String path = value.substring(start);
    int colon = path.indexOf(':');
    boolean isUrl = colon > 0 && path.lastIndexOf('/', colon) < 0;
    // The JDK replaces "${name}" by a property, which is most often an absolute path.
    return path.isEmpty() || isUrl || path.startsWith("${")
        ? value
        : value.substring(0, start) + path(path);
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
   * Converts a list that is separated by colons. An empty entry means the directory in a class
   * path, and in a module path unless only empty ones follow; elsewhere it means nothing.
   */
  private String list(String value, boolean emptyIsDirectory, boolean lastToo) {
    if (value.isEmpty()) {
      return value;
    }
    String[] entries = value.split(":", -1);
    int end = entries.length;
    while (!lastToo && end > 0 && entries[end - 1].isEmpty()) {
      end--;
    }
    StringBuilder result = new StringBuilder();
    for (int i = 0; i < entries.length; i++) {
      boolean isPath = !entries[i].isEmpty() || (emptyIsDirectory && i < end);
      result.append(i == 0 ? "" : ":").append(isPath ? path(entries[i], ':') : "");
    }
    return result.toString();
  }

  private String agent(String value) {
    String jar = untilEquals(value);
    return path(jar, '=') + value.substring(jar.length());
  }

  private static String untilEquals(String value) {
    int equals = value.indexOf('=');
    return equals < 0 ? value : value.substring(0, equals);
  }

  /** Converts the output in {@code what:output:decorators:options}. */
  private String log(String value) {
    int output = value.indexOf(':') + 1;
    return output == 0 || value.startsWith("async:")
        ? value
        : value.substring(0, output) + logFile(value.substring(output));
  }

  /** Converts an output that other parts may follow. */
  private String logFile(String value) {
    int colon = value.indexOf(':');
    String output = colon < 0 ? value : value.substring(0, colon);
    int start = output.startsWith("file=") ? "file=".length() : 0;
    if (output.length() == start || output.equals("stdout") || output.equals("stderr")) {
      return value;
    }
    boolean quoted = output.charAt(start) == '"';
    start += quoted ? 1 : 0;
    return value.substring(0, start) + path(value.substring(start), quoted ? '"' : ':');
  }

  private String flightRecorder(String word) {
    for (String option : List.of("-XX:StartFlightRecording", "-XX:FlightRecorderOptions")) {
      if (word.startsWith(option) && word.length() > option.length()) {
        // "=" or ":" follows.
        int start = option.length() + 1;
        StringBuilder result = new StringBuilder(word.substring(0, start));
        String[] items = word.substring(start).split(",", -1);
        for (int i = 0; i < items.length; i++) {
          result.append(i == 0 ? "" : ",").append(recorderItem(items[i]));
        }
        return result.toString();
      }
    }
    return word;
  }

  private String recorderItem(String item) {
    int start = item.indexOf('=') + 1;
    char separator = ',';
    if (item.startsWith("\"", start) || item.startsWith("'", start)) {
      separator = item.charAt(start);
      start++;
    }
    String value = item.substring(start);
    // The JVM looks for settings in the directory first, then among those of the JDK.
    boolean isPath =
        item.startsWith("filename=")
            || item.startsWith("repository=")
            || (item.startsWith("settings=") && NamedFile.exists(path(value)));
    return isPath && !value.isEmpty() ? item.substring(0, start) + path(value, separator) : item;
  }
}
