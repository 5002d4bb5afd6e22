package dev.daimon.cli;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A JDK whose {@code java} is that of another one, and records the classes that its JVMs load, and
 * where each class comes from. The command uses it by {@code JAVA_HOME}.
 */
final class RecordingJdk {
  /** Where a class comes from that the AOT cache has. */
  private static final String CACHE = "source: shared objects file";

  /** Where a class comes from that only the jar has. */
  private static final String JAR = "source: file:";

  private final Path home;
  private final Path records;

  /** Makes it in these directories of the sandbox. */
  RecordingJdk(Sandbox sandbox, String name, Path jdk) throws IOException {
    home = sandbox.file(name);
    records = Files.createDirectory(sandbox.file(name + "-records"));
    Files.createDirectories(home.resolve("bin"));
    // Which JDK it is.
    Files.copy(
        jdk.resolve("release"), home.resolve("release"), StandardCopyOption.REPLACE_EXISTING);
    sandbox.script(
        name + "/bin/java",
        "#!/bin/sh",
        // Behind the launcher script's own options for the log, which would switch it off.
        "for word; do",
        "    set -- \"$@\" \"$word\"",
        "    shift",
        "    case $word in",
        "    -Xlog:all=*) set -- \"$@\" -Xlog:class+load:file=" + records + "/%p ;;",
        "    esac",
        "done",
        "exec " + jdk + "/bin/java \"$@\"");
  }

  Path home() {
    return home;
  }

  /** The classes that the command's JVM has loaded, all of them; forgets them. */
  List<String> classes() throws IOException {
    List<String> classes = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(records)) {
      for (Path file : files) {
        classes.addAll(Files.readAllLines(file));
        Files.delete(file);
      }
    }
    return classes;
  }

  static boolean isMainFromCache(String loaded) {
    return loaded.contains(" dev.daimon.cli.Main " + CACHE);
  }

  static boolean isFromJar(String loaded) {
    return loaded.contains(JAR);
  }
}
