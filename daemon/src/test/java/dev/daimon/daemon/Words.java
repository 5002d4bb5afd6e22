package dev.daimon.daemon;

import dev.daimon.posix.ResourceLimit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * What the programs of the tests need, without a test library on their class path. First of all a
 * configuration in words, so that one program stands for many: the first word is the test's
 * directory, against which files count. Every one has a pidfile, which is {@code pid}.
 */
final class Words {
  private Words() {}

  static DaemonConfig.Builder config(String... words) {
    Path directory = Path.of(words[0]);
    DaemonConfig.Builder builder = DaemonConfig.builder().pidFile(directory.resolve("pid"));
    for (String word : List.of(words).subList(1, words.length)) {
      int equals = word.indexOf('=');
      String value = word.substring(equals + 1);
      Path path = directory.resolve(value);
      switch (equals < 0 ? word : word.substring(0, equals)) {
        case "pidFile" -> builder.pidFile(path);
        case "lockFile" -> builder.lockFile(path);
        case "out" -> builder.standardOutput(path);
        case "err" -> builder.standardError(path);
        case "append" -> builder.append(true);
        case "truncate" -> builder.truncate(true);
        case "workingDirectory" -> builder.workingDirectory(path);
        case "preserveWorkingDirectory" -> builder.preserveWorkingDirectory();
        case "umask" -> builder.umask(Integer.parseInt(value, 8));
        case "user" -> builder.user(value);
        case "group" -> builder.group(value);
        case "groups" -> builder.groups(value.isEmpty() ? new String[0] : value.split(",", -1));
        case "limit" -> builder.resourceLimit(ResourceLimit.parse(value));
        case "niceness" -> builder.niceness(Integer.parseInt(value));
        case "oomScoreAdjust" -> builder.oomScoreAdjust(Integer.parseInt(value));
        case "noNewPrivileges" -> builder.noNewPrivileges(true);
        case "variable" -> builder.environment("DAIMON_VARIABLE", value);
        case "programName" -> builder.programName(value);
        case "leak" -> builder.closeDescriptors(false);
        case "keepPidFile" -> builder.removePidFileOnClose(false);
        case "captureOutput" -> builder.captureOutput(true);
        case "inherit" -> builder.inheritStandardErrorUntilReady();
        case "jvm" -> builder.jvmArguments(value);
        case "timeout" -> builder.readyTimeout(Duration.ofMillis(Long.parseLong(value)));
        case "readinessDescriptor" -> builder.readinessDescriptor(Integer.parseInt(value));
        case "foreground" -> builder.foreground(true);
        case "simulate" -> builder.simulate(true);
        default -> throw new IllegalArgumentException(word);
      }
    }
    return builder;
  }

  /** Writes a file that {@code awaitText} reads. */
  static void tell(Path directory, String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text + ".");
  }

  /** Never returns: the program ends by a signal, or is killed. */
  static void stay() throws InterruptedException {
    new CountDownLatch(1).await();
  }

  /** A daemon that runs until a signal ends it. */
  static final class Stays {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(config(args).build())) {
        daemon.ready();
        stay();
      }
    }
  }
}
