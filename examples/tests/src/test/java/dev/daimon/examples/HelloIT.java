package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.nio.file.Files;
import java.nio.file.Path;
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
