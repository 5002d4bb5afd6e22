package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Debian's logrotate takes the output of a busy daemon away, as {@code docs/logging.md} has it. */
@Tag("logrotate")
class LogRotateIT {
  private static final int ROTATIONS = 4;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private Path log() {
    return sandbox.file("logs/log");
  }

  /** Starts a program that counts; on USR1 it opens its output again. */
  private long start() throws Exception {
    Files.createDirectory(log().getParent());
    Path counter =
        sandbox.script(
            "counter",
            "#!/bin/bash",
            "trap 'exec >>\"$0\"' USR1",
            "trap 'stop=yes' TERM",
            "for ((i = 0; ; i++)); do echo $i; if [[ $stop ]]; then exit; fi; done");
    return sandbox.start(
        "-o", log().toString(), "--", "bash", "-c", ". " + counter, log().toString());
  }

  private void rotate(String options) throws Exception {
    Path settings = sandbox.file("logrotate.conf");
    Files.writeString(settings, "\"" + log() + "\" {\n rotate 100\n " + options + "\n}\n");
    Sandbox.openToAll(settings, "rw-r--r--");
    Command.run("logrotate", "-f", "-s", sandbox.file("state").toString(), settings.toString());
  }

  @Test
  void aProgramThatReopensItsOutputLosesNothing() throws Exception {
    long pid = start();
    for (int i = 0; i < ROTATIONS; i++) {
      rotate(
          "nocreate\n postrotate\n  "
              + (Sandbox.DAIMON + " signal -p " + sandbox.file("pid") + " USR1\n endscript"));
      Sandbox.await("the new file", () -> Files.exists(log()) && Files.size(log()) > 0);
    }
    sandbox.stop(pid);

    List<String> lines = new ArrayList<>();
    for (int i = ROTATIONS; i > 0; i--) {
      lines.addAll(Files.readAllLines(log().resolveSibling("log." + i)));
    }
    lines.addAll(Files.readAllLines(log()));
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).equals(Integer.toString(i))) {
        throw new AssertionError("line " + i + " is " + lines.get(i));
      }
    }
  }

  /** The program writes at the end of the file, wherever that is. */
  @Test
  void aProgramThatCannotReopenItIsFollowedByCopyTruncate() throws Exception {
    long pid = start();
    Sandbox.await("output", () -> Files.size(log()) > 0);
    for (int i = 0; i < ROTATIONS; i++) {
      rotate("copytruncate");
      Sandbox.await("more output", () -> Files.size(log()) > 0);
    }
    sandbox.stop(pid);

    for (int i = 0; i <= ROTATIONS; i++) {
      Path file = i == 0 ? log() : log().resolveSibling("log." + i);
      assertThat(Files.readAllLines(file)).as("%s", file).isNotEmpty().allMatch(LogRotateIT::isOne);
    }
  }

  private static boolean isOne(String line) {
    return line.matches("\\d+");
  }
}
