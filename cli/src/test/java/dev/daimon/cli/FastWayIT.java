package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What makes the command fast: classes from the AOT caches, and calls of the C library without the
 * JDK's linker. Without them everything works the same, in three times the time. So these tests ask
 * the JVM that the launcher script starts what it has loaded from where.
 */
class FastWayIT {
  private static final Path JDK = Path.of(System.getProperty("java.home"));

  /** The JDK and the processor that EntryPoint describes. */
  private static final boolean KNOWN =
      Runtime.version().feature() == 25 && System.getProperty("os.arch").equals("amd64");

  @RegisterExtension final Sandbox sandbox = new Sandbox();
  private final NamedFiles names = new NamedFiles(sandbox);
  private RecordingJdk jdk;

  @BeforeEach
  void begin() throws Exception {
    names.make();
    jdk = new RecordingJdk(sandbox, "jdk", JDK);
  }

  @Test
  void everyCommandUsesACacheAndNoLinker() throws Exception {
    Map<String, Integer> commands = new LinkedHashMap<>();
    commands.put("start -p $dir/pid true", 0);
    commands.put("start -f true", 0);
    commands.put("run true", 0);
    commands.put("restart -p $dir/pid true", 0);
    commands.put("stop -p $dir/pid", 0);
    commands.put("status -p $dir/pid", 3);
    commands.put("signal USR1 -p $dir/pid", 3);
    commands.put("reload -p $dir/pid", 3);
    commands.put("wait -p $dir/pid", 0);
    commands.put("list", 0);
    commands.put("logs none", 66);
    commands.put("show none", 64);
    commands.put("check", 0);
    commands.put("--version", 0);
    commands.put("help start", 0);
    for (Map.Entry<String, Integer> command : commands.entrySet()) {
      assertFast(command.getKey(), command.getValue());
    }
  }

  /** A cache that does not know what the command does most often would be of little use. */
  @Test
  void whatTheCachesAreTrainedForIsInThem() throws Exception {
    for (String command :
        List.of(
            "start -p $dir/pid sleep 1000",
            "start -p $dir/limited -o $dir/output --rlimit core=0 --no-new-privs sleep 1000",
            "start -v -u $(id -u) -p $dir/user true",
            "status -p $dir/pid")) {
      assertThat(assertFast(command, 0)).as(command).noneMatch(RecordingJdk::isFromJar);
    }
  }

  /** Returns the classes that the command has loaded. */
  private List<String> assertFast(String command, int status) throws Exception {
    ProcessSandbox.Result result = names.shell("JAVA_HOME=$dir/jdk $daimon " + command);

    assertThat(result.exitCode()).as(command + ": " + result).isEqualTo(status);
    List<String> classes = jdk.classes();
    assertThat(classes).as(command).anyMatch(RecordingJdk::isMainFromCache);
    if (KNOWN) {
      assertThat(classes)
          .as(command)
          .noneMatch(loaded -> loaded.contains(" jdk.internal.foreign.abi.DowncallLinker "));
    }
    return classes;
  }
}
