package dev.daimon.daemon;

/** What the launcher calls the program when it talks about it. */
final class ProgramName {
  private ProgramName() {}

  /** The name that was chosen; else that of the jar, of the main class or of the source file. */
  static String of(DaemonConfig config) {
    if (config.programName != null) {
      return config.programName;
    }
    String command = System.getProperty("sun.java.command", "java");
    int space = command.indexOf(' ');
    String main = space < 0 ? command : command.substring(0, space);
    String last = main.substring(main.lastIndexOf('/') + 1);
    if (last.endsWith(".jar") || last.endsWith(".java")) {
      return last.substring(0, last.lastIndexOf('.'));
    }
    return last.substring(last.lastIndexOf('.') + 1);
  }
}
