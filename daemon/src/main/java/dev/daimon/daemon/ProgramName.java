package dev.daimon.daemon;

/** What the launcher calls the program when it talks about it. */
final class ProgramName {
  /** What {@code java Program.java} runs. */
  private static final String SOURCE_LAUNCHER =
      "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher ";

  private ProgramName() {}

  /** The name that was chosen; else that of the jar, of the main class or of the source file. */
  static String of(DaemonConfig config) {
    return config.programName != null
        ? config.programName
        : of(System.getProperty("sun.java.command", "java"));
  }

  /** That of a program which the JVM describes in this way. */
  static String of(String command) {
    String words =
        command.startsWith(SOURCE_LAUNCHER) ? command.substring(SOURCE_LAUNCHER.length()) : command;
    int space = words.indexOf(' ');
    String main = space < 0 ? words : words.substring(0, space);
    String last = main.substring(main.lastIndexOf('/') + 1);
    if (last.endsWith(".jar") || last.endsWith(".java")) {
      return last.substring(0, last.lastIndexOf('.'));
    }
    return last.substring(last.lastIndexOf('.') + 1);
  }
}
