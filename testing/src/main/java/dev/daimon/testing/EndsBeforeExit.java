package dev.daimon.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Has a JVM begin to end in another way just before its main thread does so by {@link System#exit}:
 * as the logger that every exit asks first. Then the exit comes too late, and waits.
 */
public final class EndsBeforeExit extends System.LoggerFinder {
  private static final String HOW = "daimon.test.end";

  /** Whether this JVM has begun to end: it may be asked again before it is gone. */
  private static final AtomicBoolean BEGUN = new AtomicBoolean();

  /** Made by the JVM. */
  public EndsBeforeExit() {}

  /**
   * Returns a command that runs a {@code main} in this way.
   *
   * @param java the command of a JVM that has this class on its class path
   * @param how the exit code of another thread, or the name of a signal to the JVM
   * @param directory an empty one
   */
  public static List<String> of(List<String> java, String how, Path directory) throws IOException {
    Path services = Files.createDirectories(directory.resolve("META-INF/services"));
    Files.writeString(
        services.resolve("java.lang.System$LoggerFinder"), EndsBeforeExit.class.getName());
    List<String> command = new ArrayList<>(java);
    int classPath = command.indexOf("-cp") + 1;
    command.set(classPath, command.get(classPath) + ":" + directory);
    command.add(1, "-D" + HOW + "=" + how);
    return command;
  }

  @Override
  public System.Logger getLogger(String name, Module module) {
    return new Silent(name);
  }

  /** Logs nothing. */
  private record Silent(String name) implements System.Logger {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean isLoggable(Level level) {
      Thread thread = Thread.currentThread();
      if (thread.getName().equals("main")
          && Arrays.stream(thread.getStackTrace()).anyMatch(Silent::isExit)
          && BEGUN.compareAndSet(false, true)) {
        end(System.getProperty(HOW, ""));
      }
      return false;
    }

    private static boolean isExit(StackTraceElement frame) {
      return frame.getClassName().equals("java.lang.Runtime")
          && frame.getMethodName().equals("exit");
    }

    /** Returns when the end has begun. */
    private static void end(String how) {
      if (Character.isDigit(how.charAt(0))) {
        Thread.ofPlatform().start(() -> System.exit(Integer.parseInt(how)));
      } else {
        try {
          Command.kill(how, ProcessHandle.current().pid());
        } catch (IOException failure) {
          throw new IllegalStateException(failure);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
        }
      }
      while (!hasBegun()) {
        LockSupport.parkNanos(1_000_000);
      }
    }

    private static boolean hasBegun() {
      Thread hook = new Thread();
      try {
        Runtime.getRuntime().addShutdownHook(hook);
        boolean _ = Runtime.getRuntime().removeShutdownHook(hook);
        return false;
      } catch (IllegalStateException ending) {
        return true;
      }
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String text,
        @Nullable Throwable thrown) {}

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String format,
        @Nullable Object... parameters) {}
  }
}
