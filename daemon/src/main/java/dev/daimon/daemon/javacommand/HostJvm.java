package dev.daimon.daemon.javacommand;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Checks whether this JVM was started for the program that asks for a daemon. The daemon is started
 * by this JVM's command line: in a build tool, a test runner or an application server that would
 * start the tool, not the program.
 */
public final class HostJvm {
  /** How the class names of tools begin that run other programs, also on their own class path. */
  private static final List<String> TOOLS =
      List.of(
          "org.codehaus.plexus.classworlds.",
          "org.apache.maven.",
          "org.gradle.",
          "worker.org.gradle.",
          "org.junit.",
          "org.testng.",
          "com.intellij.rt.junit.",
          "org.eclipse.jdt.internal.junit.",
          "org.openjdk.jmh.",
          "jdk.jshell.",
          "jdk.internal.jshell.");

  private HostJvm() {}

  /**
   * Refuses a JVM that was started for another program than the caller's.
   *
   * @param caller the class that asks for a daemon
   * @param launchDirectory the directory in which this JVM was started
   * @throws StartException {@link Reason#CONFIGURATION}
   */
  public static void requireOwn(Class<?> caller, Path launchDirectory) {
    String command = System.getProperty("sun.java.command", "");
    String main = command.substring(0, (command + " ").indexOf(' '));
    // The name of a module's main class is preceded by the module's name.
    requireNoTool(main.substring(main.indexOf('/') + 1));
    StackTraceElement[] stack = Thread.currentThread().getStackTrace();
    for (int i = stack.length - 1; i >= 0; i--) {
      requireNoTool(stack[i].getClassName());
    }
    Path file = command.startsWith(ProgramName.SOURCE_LAUNCHER) ? null : file(caller);
    if (file != null && !isOnCommandLine(file, launchDirectory)) {
      throw refused(
          caller.getName()
              + " is from "
              + file
              + ", where the command line of this JVM, java "
              + main
              + ", does not lead");
    }
  }

  private static void requireNoTool(String className) {
    for (String tool : TOOLS) {
      if (className.startsWith(tool)) {
        throw refused("this JVM was started for " + className);
      }
    }
  }

  private static StartException refused(String why) {
    return new StartException(
        Reason.CONFIGURATION,
        why
            + ", so the daemon would not be this program: start it with a java of its own, or set"
            + " foreground(true)");
  }

  /**
   * Returns the file of a class, if another class loader than Java's own has loaded it; null if
   * that is unknown.
   */
  private static @Nullable Path file(Class<?> caller) {
    ClassLoader loader = caller.getClassLoader();
    CodeSource source = caller.getProtectionDomain().getCodeSource();
    if (loader == null || loader.equals(ClassLoader.getSystemClassLoader()) || source == null) {
      return null;
    }
    URL location = source.getLocation();
    if (location == null || !location.getProtocol().equals("file")) {
      // It is inside of a jar of the command line, as with Spring Boot, or in memory.
      return null;
    }
    try {
      return Path.of(new URI(location.toString()));
    } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException unknown) {
      return null;
    }
  }

  private static boolean isOnCommandLine(Path file, Path launchDirectory) {
    for (String property : List.of("java.class.path", "jdk.module.path")) {
      String paths = System.getProperty(property, "");
      for (String path : paths.split(File.pathSeparator, -1)) {
        Path named = launchDirectory.resolve(path);
        if (!paths.isEmpty() && real(file).startsWith(real(named))) {
          return true;
        }
      }
    }
    return false;
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException missing) {
      return path.normalize();
    }
  }
}
