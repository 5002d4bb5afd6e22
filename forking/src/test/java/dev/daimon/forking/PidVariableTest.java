package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.ResourceLimit;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The environment of a program that is told its own process id. */
class PidVariableTest {
  private static final ResourceLimit NO_CORE = ResourceLimit.parse("core=0:0");

  @TempDir Path directory;

  @Test
  void aSpawnedProgramHasItsOwnId() throws IOException {
    for (Program program :
        List.of(
            Running.sleeper(),
            Running.sleeper().newSession(),
            Running.sleeper().limit(NO_CORE),
            Running.sleeper().pidVariable("OTHER"))) {
      try (Running running = Running.start(program.pidVariable("LISTEN_PID"))) {
        assertIdIsLast(running);
      }
    }
  }

  @Test
  void aDetachedProgramHasItsOwnId() throws IOException {
    for (Program program : List.of(Running.sleeper(), Running.sleeper().limit(NO_CORE))) {
      try (Running running = Running.of(program.pidVariable("LISTEN_PID").detach(022))) {
        assertIdIsLast(running);
      }
    }
  }

  private static void assertIdIsLast(Running running) throws IOException {
    List<String> expected =
        new ArrayList<>(EnvironmentTest.text(Environment.current().without("LISTEN_PID")));
    expected.add("LISTEN_PID=" + running.pid());
    assertThat(EnvironmentTest.text(Environment.of(running.pid()))).isEqualTo(expected);
  }

  @Test
  void everyEarlierEntryOfThatNameIsReplaced() throws IOException {
    Environment environment =
        EnvironmentTest.environment("P=1", "LISTEN_PID=2", "x", "LISTEN_PID=3", "Q=4");
    try (Running running =
        Running.start(Running.sleeper().pidVariable("LISTEN_PID").environment(environment))) {
      assertThat(EnvironmentTest.text(Environment.of(running.pid())))
          .containsExactly("P=1", "x", "Q=4", "LISTEN_PID=" + running.pid());
    }
  }

  @Test
  void oneProgramHasANewIdEachTime() throws IOException {
    Program program = Running.sleeper().pidVariable("LISTEN_PID");
    for (int i = 0; i < 3; i++) {
      try (Running running = Running.start(program)) {
        assertIdIsLast(running);
      }
    }
  }

  @Test
  void theShellThatRunsAScriptHasItsOwnId() throws Exception {
    Path script = executable("echo $LISTEN_PID $$ >>\"$1\"");
    Path out = Files.createFile(directory.resolve("out"));
    Program program =
        Program.at(script).arguments(out.toString()).pidVariable("LISTEN_PID").directory(directory);

    assertThat(program.spawn().waitFor().exitCode()).hasValue(0);
    Detached detached = program.detach(022);
    Running.awaitEnd(detached.pid());
    detached.close();

    assertThat(Files.readAllLines(out))
        .hasSize(2)
        .allSatisfy(line -> assertThat(line).matches("([1-9][0-9]*) \\1"));
  }

  @Test
  void theJvmThatBecomesTheProgramPassesItsId() throws Exception {
    Path script = executable("echo $LISTEN_PID");
    for (Path path : List.of(script, Path.of("/usr/bin/printenv"))) {
      ChildJvm.Result result = ChildJvm.of(Become.class).run(path);
      assertThat(result.lines()).containsExactly(Long.toString(result.pid()));
    }
  }

  static final class Become {
    public static void main(String[] args) throws IOException {
      Program.at(Path.of(args[0])).arguments("LISTEN_PID").pidVariable("LISTEN_PID").exec();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "=", "a=b", "a\0b"})
  void whatIsNoNameIsRefused(String name) {
    assertThatThrownBy(() -> Running.sleeper().pidVariable(name))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private Path executable(String script) throws IOException {
    Path file = Files.writeString(directory.resolve("script"), script);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }
}
