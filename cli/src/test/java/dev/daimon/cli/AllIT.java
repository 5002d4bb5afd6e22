package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** {@code start --all} and {@code stop --all}. */
class AllIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();
  private final NamedFiles files = new NamedFiles(sandbox);

  @BeforeEach
  void makeDirectories() throws Exception {
    files.make();
  }

  private void define(String name, String... lines) throws IOException {
    Path file = files.definition(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, String.join("\n", lines) + "\n");
  }

  @Test
  void allAreStartedAndStoppedAndTheHighestStatusTells() throws Exception {
    define("api", "program sleep 1000");
    define("bad", "program /nonexistent");
    define("web", "program sleep 1000");

    Result first = files.daimon("start", "--all");
    assertThat(first.exitCode()).isEqualTo(66);
    assertThat(first.out().lines()).containsExactlyInAnyOrder("api: started", "web: started");
    assertThat(first.err()).startsWith("daimon: bad: ").contains("/nonexistent").hasLineCount(1);

    Files.delete(files.definition("bad"));
    Result second = files.daimon("start", "--all");
    assertThat(second.exitCode()).isEqualTo(69);
    assertThat(second.err()).isEmpty();
    assertThat(second.out().lines())
        .containsExactlyInAnyOrder("api: already running", "web: already running");
    assertThat(files.daimon("start", "--all", "--oknodo").exitCode()).isZero();

    Result stopped = files.daimon("stop", "--all", "--timeout", "20s");
    assertThat(stopped.exitCode()).isZero();
    assertThat(stopped.out().lines()).containsExactlyInAnyOrder("api: stopped", "web: stopped");
    sandbox.awaitEnd();
    assertThat(files.daimon("stop", "--all"))
        .isEqualTo(new Result(0, "", "daimon: no daemon runs that has a name\n"));
  }

  @Test
  void aSignalEndsWhatIsUnderWayAndLeavesNothing() throws Exception {
    define("slow", "ready alive:1h", "program sleep 1000");
    Process all =
        files
            .prepare("start", "--all")
            .redirectOutput(sandbox.file("out").toFile())
            .redirectError(sandbox.file("err").toFile())
            .start();
    sandbox.awaitProgram("sleep");

    all.destroy();

    assertThat(all.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(all.exitValue()).isEqualTo(128 + 15);
    assertThat(sandbox.processes()).isEmpty();
    assertThat(files.pidFile("slow")).doesNotExist();
  }

  @Test
  void whatDoesNotGoWithAllIsRefused() throws Exception {
    define("web", "program sleep 1000");

    assertThat(files.daimon("start", "--all", "-u", "root").err())
        .isEqualTo("daimon: --user does not go with --all; see daimon help start\n");
    assertThat(files.daimon("start", "--all", "--", "sleep", "1000").exitCode()).isEqualTo(64);
    assertThat(files.daimon("stop", "web", "--all").exitCode()).isEqualTo(64);
    assertThat(sandbox.processes()).isEmpty();
  }
}
