package dev.daimon.daemon;

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
 * Whose program this JVM was started for. Its command line is what is run once more as the daemon:
 * in a build tool, a test runner or an application server that would be the tool, not the program.
 */
final class HostJvm {
  /** Tools that run others' programs, on their own class path too: how their classes begin. */
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
   * Refuses a JVM that is not the caller's program's own.
   *
   * @param caller the class that asks for a daemon
   * @throws StartException {@link Reason#CONFIGURATION}
   */
  static void requireOwn(Class<?> caller) {
    String command = System.getProperty("sun.java.command", "");
    String main = command.substring(0, (command + " ").indexOf(' '));
    // A module's main class has the module's name before it.
    requireNoTool(main.substring(main.indexOf('/') + 1));
    StackTraceElement[] stack = Thread.currentThread().getStackTrace();
    for (int i = stack.length - 1; i >= 0; i--) {
      requireNoTool(stack[i].getClassName());
    }
    Path file = command.startsWith(ProgramName.SOURCE_LAUNCHER) ? null : file(caller);
    if (file != null && !isOnCommandLine(file)) {
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
   * Where a class is from that another class loader than java's own has loaded; null if unknown.
   */
  private static @Nullable Path file(Class<?> caller) {
    ClassLoader loader = caller.getClassLoader();
    CodeSource source = caller.getProtectionDomain().getCodeSource();
    if (loader == null || loader.equals(ClassLoader.getSystemClassLoader()) || source == null) {
      return null;
    }
    URL location = source.getLocation();
    if (location == null || !location.getProtocol().equals("file")) {
      // In a jar of the command line, as with Spring Boot, or in memory.
      return null;
    }
    try {
      return Path.of(new URI(location.toString()));
    } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException unknown) {
      return null;
    }
  }

  private static boolean isOnCommandLine(Path file) {
    for (String property : List.of("java.class.path", "jdk.module.path")) {
      String paths = System.getProperty(property, "");
      for (String path : paths.split(File.pathSeparator, -1)) {
        Path named = Daemonizer.launchDirectory().resolve(path);
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
      return path.toAbsolutePath().normalize();
    }
  }
}
