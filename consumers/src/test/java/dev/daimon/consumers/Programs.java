package dev.daimon.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Jdk;
import dev.daimon.testing.ProcessSandbox.Result;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The example of each module's documentation does what it says, with that module alone. */
abstract class Programs {
  private static final boolean ROOT = "root".equals(System.getProperty("user.name"));

  /** Where Java looks for classes. */
  enum Search {
    CLASS_PATH,
    MODULE_PATH
  }

  @RegisterExtension final Consumers consumers = new Consumers();

  /** Returns the JDK that runs the programs. */
  abstract Jdk jdk();

  /** Returns the command that runs a program, with options for a fast start. */
  private List<String> java(Search search, String program, String main, Object... arguments) {
    List<String> command = new ArrayList<>(List.of(jdk().tool("java")));
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(
        switch (search) {
          case CLASS_PATH ->
              List.of(
                  "--enable-native-access=ALL-UNNAMED",
                  "--illegal-native-access=deny",
                  "-cp",
                  Consumers.classPath(program),
                  "org.example." + main);
          case MODULE_PATH ->
              List.of(
                  "--enable-native-access=dev.daimon.posix",
                  "--illegal-native-access=deny",
                  "-p",
                  Consumers.modulePath(program),
                  "-m",
                  "org.example/org.example." + main);
        });
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  private String output(Search search, String program, Object... arguments) throws Exception {
    return consumers.output(java(search, program, "Main", arguments));
  }

  private void assertRuns(long pid) throws IOException {
    assertThat(consumers.processes()).extracting(ProcessHandle::pid).contains(pid);
  }

  @ParameterizedTest
  @EnumSource
  void posix(Search search) throws Exception {
    assertThat(output(search, "posix"))
        .isEqualTo("other code has closed descriptor " + Integer.MAX_VALUE + "\n");
  }

  @ParameterizedTest
  @EnumSource
  void pidfile(Search search) throws Exception {
    Path file = consumers.file("x.pid");

    assertThat(output(search, "pidfile", file)).isEqualTo(Files.readString(file));
  }

  @ParameterizedTest
  @EnumSource
  void locking(Search search) throws Exception {
    Path file = consumers.file("x.pid");

    Result result = consumers.run(java(search, "locking", "Main", file), Map.of());

    long pid = Consumers.pid(file);
    assertThat(result.exitCode()).isZero();
    // A holder's name is left out where the search takes too long.
    assertThat(result.out()).matches("locked by process " + pid + "( \\(java\\))?\n");
    assertThat(result.err()).isEqualTo(file + " is locked by process " + pid + "\n");
  }

  @ParameterizedTest
  @EnumSource
  void forking(Search search) throws Exception {
    List<String> lines = output(search, "forking", consumers.file("log")).lines().toList();

    assertThat(lines).hasSize(2).startsWith("3");
    assertRuns(Long.parseLong(lines.get(1)));
  }

  @ParameterizedTest
  @EnumSource
  void privileges(Search search) throws Exception {
    Path file = Files.writeString(consumers.file("file"), "text");
    Object own = Files.getAttribute(file, "unix:uid");

    assertThat(output(search, "privileges", own, file)).isEqualTo("text\n");
  }

  @ParameterizedTest
  @EnumSource
  @Tag("root")
  void privilegesOfRoot(Search search) throws Exception {
    assertThat(consumers.output(java(search, "privileges", "Example$Drop", "65534")))
        .isEqualTo("65534\n");
  }

  @ParameterizedTest
  @EnumSource
  void signals(Search search) throws Exception {
    Process process = consumers.prepare(java(search, "signals", "Main"), Map.of()).start();
    try (BufferedReader out = process.inputReader()) {
      assertThat(out.readLine()).isEqualTo("serving");
      process.toHandle().destroy(); // Process.destroy would close its output.
      assertThat(out.readLine()).isEqualTo("ended");
    }
    assertThat(process.waitFor()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void readiness(Search search) throws Exception {
    Object[] service = java(search, "readiness", "Main").toArray();

    assertThat(output(search, "readiness", service)).isEqualTo("opens the port\nready\n");
  }

  @ParameterizedTest
  @EnumSource
  void pidfd(Search search) throws Exception {
    assertThat(output(search, "pidfd").lines())
        .satisfiesExactly(
            process -> assertThat(process).matches("sleep of user \\d+, started at 2.*Z"),
            exit -> assertThat(exit).isEqualTo(Integer.toString(128 + 15)));
  }

  @ParameterizedTest
  @EnumSource
  void startup(Search search) throws Exception {
    Path file = consumers.file("x.pid");

    assertThat(output(search, "startup", file, consumers.file("log")))
        .isEqualTo(Files.readString(file));

    assertRuns(Consumers.pid(file));
    assertThat(Consumers.isLocked(file)).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void control(Search search) throws Exception {
    Path file = consumers.file("x.pid");

    assertThat(output(search, "control", file))
        .matches(
            "OK\nprocess \\d+ of .*\n\\[SIGTERM]\nnot running: there is no \\Q" + file + "\\E\n");
  }

  @ParameterizedTest
  @EnumSource
  void daemon(Search search) throws Exception {
    assertThat(output(search, "daemon", consumers.directory())).isEmpty();

    Consumers.await(
        "the server", () -> Files.readString(consumers.file("log")).contains("serving\n"));
    consumers.stop(Consumers.pid(consumers.file("pid")));
    assertThat(consumers.file("log")).hasContent("serving\nstopping\n");
    assertThat(consumers.file("pid")).doesNotExist();
  }

  /** Root has a /run and a /var/log of its own. */
  @ParameterizedTest
  @EnumSource
  void command(Search search) throws Exception {
    Path runtime = Files.createDirectory(consumers.file("runtime"));
    Consumers.openToAll(runtime, "rwx------");
    List<String> command = new ArrayList<>();
    if (ROOT) {
      command.addAll(List.of("unshare", "--mount", "--propagation", "private"));
    }
    String script =
        (ROOT ? "mount -t tmpfs x /run; mount -t tmpfs x /var/log;" : "")
            + "\"$@\" start; \"$@\" status; \"$@\" stop; \"$@\" status || echo $?";
    command.addAll(List.of("sh", "-ec", script, "sh"));
    command.addAll(java(search, "command", "Main"));

    Result result =
        consumers.run(
            command,
            Map.of(
                "XDG_STATE_HOME",
                consumers.file("state").toString(),
                "XDG_RUNTIME_DIR",
                runtime.toString()));

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).startsWith("running: ").endsWith("\n3\n");
  }

  /** Says so in the report. */
  @Test
  void theVersionIsTold() {
    System.out.println("the programs are run by JDK " + jdk().feature() + " in " + jdk().home());
    assertThat(jdk().feature()).isGreaterThanOrEqualTo(25);
  }
}
