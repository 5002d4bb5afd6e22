package dev.daimon.daemon;

/** What the launcher calls the program when it talks about it. */
final class ProgramName {
  /** What {@code java Program.java} runs. */
  static final String SOURCE_LAUNCHER = "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher ";

  private ProgramName() {}

  /** The name that was chosen; else that of the jar, of the main class or of the source file. */
  static String of(DaemonConfig config) {
    return config.programName != null
        ? config.programName
        : of(
            System.getProperty("sun.java.command", "java"),
            System.getProperty("java.class.path", ""));
  }

  /**
   * That of a program which the JVM describes in this way. What it was named by may have spaces in
   * it: a jar is all of the class path, but for what agents add.
   */
  static String of(String command, String classPath) {
    String main = command.substring(0, (command + " ").indexOf(' '));
    int colon = classPath.indexOf(':');
    String jar = colon < 0 ? classPath : classPath.substring(0, colon);
    if ((command + " ").startsWith(jar + " ")) {
      main = jar;
    } else if (command.startsWith(SOURCE_LAUNCHER)) {
      String words = command.substring(SOURCE_LAUNCHER.length()) + " ";
      int suffix = words.indexOf(".java ");
      main = words.substring(0, words.indexOf(' ', Math.max(suffix, 0)));
    }
    String last = main.substring(main.lastIndexOf('/') + 1);
    if (last.endsWith(".jar") || last.endsWith(".java")) {
      return last.substring(0, last.lastIndexOf('.'));
    }
    return last.substring(last.lastIndexOf('.') + 1);
  }
}
