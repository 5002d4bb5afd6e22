package dev.daimon.daemon.javacommand;

/** The name by which messages call the program of this JVM. */
public final class ProgramName {
  /** The main class that {@code java Program.java} runs. */
  static final String SOURCE_LAUNCHER = "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher ";

  private ProgramName() {}

  /** Returns the name of the jar, of the main class or of the source file. */
  public static String ofThisJvm() {
    return of(
        System.getProperty("sun.java.command", "java"), System.getProperty("java.class.path", ""));
  }

  /**
   * Returns the name of a program that the JVM describes by two of its properties. The path of the
   * program may have spaces in it. With {@code -jar} that path is the first entry of the class
   * path; agents add others.
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
