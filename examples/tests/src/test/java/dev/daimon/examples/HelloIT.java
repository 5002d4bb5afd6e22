package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class HelloIT {
  @RegisterExtension final Examples examples = new Examples();

  @Test
  void itSaysHelloUntilItIsStopped() throws Exception {
    assertThat(hello()).isEqualTo(new Result(0, "", ""));

    long pid = Examples.pid(examples.file("hello.pid"));
    assertThat(Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd"))).isEqualTo(Path.of("/"));
    examples.awaitWords("hello.log", "Hello 2\n");
    examples.stop(pid);
    assertThat(examples.file("hello.pid")).doesNotExist();
  }

  @Test
  void itRunsOnlyOnce() throws Exception {
    assertThat(hello().exitCode()).isZero();
    long pid = Examples.pid(examples.file("hello.pid"));

    Result second = hello();

    assertThat(second.exitCode()).isEqualTo(69);
    assertThat(second.err()).contains("already running").contains("process " + pid);
    examples.stop(pid);
  }

  @Test
  void theCommandControlsIt() throws Exception {
    String[] start = {
      "--self",
      "-c",
      examples.directory().toString(),
      Examples.tool("java"),
      "-jar",
      Examples.jar("hello").toString()
    };
    assertThat(daimon("start", start)).isEqualTo(new Result(0, "", ""));
    long pid = Examples.pid(examples.file("hello.pid"));
    assertThat(daimon("status").out()).startsWith("running: process " + pid + ", user ");

    assertThat(daimon("restart", start)).isEqualTo(new Result(0, "", ""));
    assertThat(Examples.pid(examples.file("hello.pid"))).isNotEqualTo(pid);

    assertThat(daimon("stop")).isEqualTo(new Result(0, "", ""));
    assertThat(examples.file("hello.pid")).doesNotExist();
    assertThat(daimon("status").exitCode()).isEqualTo(3);
  }

  private Result daimon(String command, String... words) throws Exception {
    List<String> line =
        new ArrayList<>(
            List.of(
                Examples.ROOT.resolve("cli/target/daimon/bin/daimon").toString(),
                command,
                "-p",
                examples.file("hello.pid").toString()));
    line.addAll(List.of(words));
    return examples.run(line, Map.of());
  }

  @Test
  void theReadmeHasItWordForWord() throws Exception {
    String source =
        Files.readString(
            Examples.ROOT.resolve(
                "examples/hello/src/main/java/dev/daimon/examples/hello/Hello.java"));
    String program = source.substring(source.indexOf("final class Hello"));
    assertThat(Files.readString(Examples.ROOT.resolve("README.md"))).contains(program);
  }

  private Result hello() throws Exception {
    return examples.java("-jar", Examples.jar("hello").toString());
  }
}
