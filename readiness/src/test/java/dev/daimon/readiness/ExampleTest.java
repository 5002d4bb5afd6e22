package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Spawning;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The examples of the package's documentation work, each in a process of its own. */
class ExampleTest {
  @ParameterizedTest
  @CsvSource({"true, started", "false, the port is in use"})
  void theLauncherLearnsHowTheStartGoes(boolean portIsFree, String verdict) throws Exception {
    List<byte[]> command = new ArrayList<>();
    for (String argument : java(Example.Daemon.class, Boolean.toString(portIsFree))) {
      command.add(argument.getBytes(UTF_8));
    }
    long[] pid = new long[1];

    String told = Example.launch(descriptors -> pid[0] = spawn(command, descriptors));

    assertThat(told).isEqualTo(verdict);
    int[] status = new int[1];
    assertThat(Processes.waitpid((int) pid[0], status, 0)).isEqualTo((int) pid[0]);
    assertThat(status[0]).isZero();
  }

  @Test
  void aManagerLearnsThatAServiceIsReady() throws Exception {
    assertThat(Example.await(java(Example.Service.class))).isEqualTo("ready");
    assertThat(Example.await(List.of("sh", "-c", "exit 3"))).isEqualTo("ended with 3");
  }

  /** Without a manager it says the same to nobody. */
  @Test
  void aServiceWorksWithoutAManager() throws Exception {
    assertThat(
            ChildJvm.of(Example.Service.class)
                .startedBy("env", "-u", "NOTIFY_SOCKET")
                .run()
                .output())
        .isEmpty();
  }

  private static List<String> java(Class<?> main, String... arguments) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classPath = ChildJvm.of(main).classPath();
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(java, "--enable-native-access=ALL-UNNAMED", "-cp", classPath, main.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  private static long spawn(List<byte[]> command, List<Descriptor> descriptors) throws IOException {
    try (Spawning spawning = new Spawning()) {
      for (Descriptor descriptor : descriptors) {
        spawning.addDup2(descriptor.number(), descriptor.number());
      }
      int result = spawning.spawn(command.getFirst(), command, Processes.environ());
      return PosixException.check(result, "posix_spawn", "java");
    }
  }
}
