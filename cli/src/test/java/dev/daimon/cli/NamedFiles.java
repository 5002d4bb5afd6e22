package dev.daimon.cli;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The files of the named daemons of one test, in its sandbox. An ordinary user has them there by
 * the variables of the XDG specification. For root, directories of the sandbox are mounted over the
 * machine's own, in a mount namespace of each command; so the command knows them by other paths.
 */
final class NamedFiles {
  private static final String MOUNTED =
      """
      mount --bind "$dir/run" /run && mount --bind "$dir/log" /var/log &&
      mount --bind "$dir/etc" /etc && exec "$@"
      """;

  private final Sandbox sandbox;
  private final boolean root = isRoot();

  NamedFiles(Sandbox sandbox) {
    this.sandbox = sandbox;
  }

  private static boolean isRoot() {
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    } catch (IOException failure) {
      throw new AssertionError(failure);
    }
  }

  /** Makes the directories. */
  void make() throws Exception {
    for (String name : List.of("run", "log")) {
      Sandbox.openToAll(
          Files.createDirectory(sandbox.file(name)), root ? "rwxr-xr-x" : "rwx------");
    }
    if (root) {
      // What another test removes meanwhile is left out.
      TestUser.output(
          "sh", "-c", "cp -a /etc $1; test -s $1/passwd", "sh", sandbox.file("etc").toString());
    } else {
      Files.createDirectory(sandbox.file("etc"));
    }
  }

  Path pidFile(String name) {
    return sandbox.file("run/daimon/" + name + ".pid");
  }

  Path log(String name) {
    return sandbox.file("log/daimon/" + name + ".log");
  }

  Path definition(String name) {
    return sandbox.file("etc/daimon/" + name + ".conf");
  }

  /** A file as the command knows it. */
  String known(Path file) {
    String path = file.toString();
    if (!root) {
      return path;
    }
    String below = path.substring(sandbox.directory().toString().length());
    return below.startsWith("/log/") ? "/var" + below : below;
  }

  /** A command that has its files in the sandbox. */
  List<String> command(String... words) {
    List<String> command = new ArrayList<>();
    if (root) {
      command.addAll(
          List.of("unshare", "-m", "--propagation", "private", "sh", "-c", MOUNTED, "mounted"));
    }
    command.addAll(List.of(words));
    return command;
  }

  /** The variables for such a command. */
  Map<String, String> variables() {
    return Map.of(
        "dir", sandbox.directory().toString(),
        "daimon", Sandbox.DAIMON.toString(),
        "HOME", sandbox.directory().toString(),
        "XDG_RUNTIME_DIR", sandbox.file("run").toString(),
        "XDG_STATE_HOME", sandbox.file("log").toString(),
        "XDG_CONFIG_HOME", sandbox.file("etc").toString());
  }

  private String[] daimonWords(String... words) {
    List<String> all = new ArrayList<>(List.of(Sandbox.DAIMON.toString()));
    all.addAll(List.of(words));
    return all.toArray(String[]::new);
  }

  /** Runs {@code daimon} with these words, and waits for its end. */
  Result daimon(String... words) throws Exception {
    return sandbox.run(command(daimonWords(words)), variables());
  }

  /** Runs a shell script; {@code $daimon} is the command. */
  Result shell(String script) throws Exception {
    return sandbox.run(command("bash", "-c", script), variables());
  }

  /** The command, not yet started. */
  ProcessBuilder prepare(String... words) {
    return sandbox.prepare(command(daimonWords(words)), variables());
  }
}
