package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where standard output and standard error of the program go. */
class OutputIT {
  private static final String SPEAK = " sh -c 'echo out; echo err >&2'";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @ValueSource(strings = {"-o", "--stdout"})
  void anOutputFileIsEmptiedWithTruncate(String option) throws Exception {
    Files.writeString(sandbox.file("log"), "old\n");

    run("--truncate " + option + " $dir/log");

    assertThat(sandbox.file("log")).hasContent("out\nerr\n");
  }

  /** The log says why the last daemon has crashed. */
  @ParameterizedTest
  @CsvSource({"start, ''", "start, --truncate", "restart, ''", "restart, --truncate"})
  void theLogOfACrashOutlivesTheNextStart(String command, String option) throws Exception {
    String words = " -p $dir/pid -o $dir/log ";
    assertThat(sandbox.shell("$daimon start" + words + "sh -c 'echo why; kill -KILL $$'"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitEnd();

    ProcessSandbox.Result result =
        sandbox.shell(
            "$daimon " + command + words + option + " sh -c 'echo again; exec sleep 1000'");

    assertThat(result.exitCode()).as(result.toString()).isZero();
    Sandbox.await("the next one", () -> Files.readString(sandbox.file("log")).endsWith("again\n"));
    assertThat(sandbox.file("log")).hasContent(option.isEmpty() ? "why\nagain\n" : "again\n");
  }

  @Test
  void inTheForegroundAnOutputFileIsKeptAsWell() throws Exception {
    Files.writeString(sandbox.file("log"), "old\n");

    assertThat(sandbox.shell("$daimon run -o $dir/log" + SPEAK))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(sandbox.file("log")).hasContent("old\nout\nerr\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-a", "--append"})
  void anOutputFileIsKept(String option) throws Exception {
    Files.writeString(sandbox.file("log"), "old\n");
    Files.writeString(sandbox.file("err"), "older\n");

    run(option + " -o $dir/log -e $dir/err");

    assertThat(sandbox.file("log")).hasContent("old\nout\n");
    assertThat(sandbox.file("err")).hasContent("older\nerr\n");
  }

  @ParameterizedTest
  @CsvSource({
    "-o $dir/a -e $dir/b,                 a, b",
    "--stdout=$dir/a --stderr=$dir/b,     a, b",
    "-o $dir/a,                           a, a",
    "-o $dir/x.stdout,                    x.stdout, x.stderr",
    "-o $dir/x.out,                       x.out, x.err",
    "-o $dir/x.out -e $dir/b,             x.out, b",
    "-o $dir/x.stdout -e $dir/x.stdout,   x.stdout, x.stdout"
  })
  void standardErrorGoesToItsFileOrWhereStandardOutputGoes(String options, String out, String err)
      throws Exception {
    run(options);

    boolean shared = out.equals(err);
    assertThat(sandbox.file(out)).hasContent(shared ? "out\nerr\n" : "out\n");
    assertThat(sandbox.file(err)).hasContent(shared ? "out\nerr\n" : "err\n");
  }

  @Test
  void standardErrorAloneLeavesStandardOutputAtTheNullDevice() throws Exception {
    long pid = sandbox.start("-e", sandbox.file("err").toString(), "sleep", "1000");

    assertThat(Sandbox.descriptors(pid))
        .containsEntry(1, "/dev/null")
        .containsEntry(2, sandbox.file("err").toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-o $dir/log -e $dir/log",
        "-o $dir/log -e $dir/./log",
        "-o $dir/log -e $dir/sub/../log",
        "-o $dir/log -e $dir/linked/log",
        "-o $dir/log -e $dir/hard"
      })
  void oneFileForBothLosesNoLine(String options) throws Exception {
    prepareNames("log");
    String speak = "for i in $(seq 300); do echo \"out $i\"; echo \"err $i\" >&2; done";

    assertThat(sandbox.shell("$daimon start --truncate " + options + " bash -c '" + speak + "'"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));

    sandbox.awaitEnd();
    assertThat(Files.readAllLines(sandbox.file("log")))
        .containsExactlyElementsOf(
            IntStream.rangeClosed(1, 300)
                .boxed()
                .flatMap(i -> List.of("out " + i, "err " + i).stream())
                .toList());
  }

  @ParameterizedTest
  @CsvSource({
    "-p $dir/x -o $dir/x",
    "-p $dir/x -e $dir/x",
    "-p $dir/x -l $dir/x",
    "-l $dir/x -o $dir/x",
    "-l $dir/x -e $dir/x",
    "-p $dir/x.err -o $dir/x.out",
    "-p $dir/x -o $dir/./x",
    "-p $dir/x -o $dir/sub/../x",
    "-p $dir/x -l $dir//x",
    "-p $dir/x --no-lock -o $dir/x",
    "-p $dir/x -o $dir/hard",
    "-p $dir/x -e $dir/hard",
    "-l $dir/x -o $dir/hard",
    "-p $dir/x -l $dir/hard",
    "-p $dir/x --no-lock -o $dir/hard",
    "-p $dir/x -o $dir/linked/x",
    "-l $dir/x -e $dir/linked/x",
    "-p $dir/x -l $dir/linked/x",
    "-p $dir/x --no-lock -o $dir/linked/x",
    "-p $dir/new -o $dir/linked/new",
    "-l $dir/new -p $dir/linked/new",
    "-p $dir/new --no-lock -o $dir/linked/new"
  })
  void oneFileForTwoPurposesIsAUsageError(String options) throws Exception {
    prepareNames("x");

    ProcessSandbox.Result result = sandbox.shell("$daimon start " + options + " touch $dir/ran");

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(64);
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).containsPattern("/(x|new)\\b");
    assertThat(sandbox.file("x")).hasContent("4194304\n");
    assertThat(sandbox.file("ran")).doesNotExist();
    assertThat(sandbox.file("new")).doesNotExist();
  }

  @Test
  void aFifoWithoutAReaderIsAnErrorAtOnce() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("mkfifo $dir/fifo; $daimon start -p $dir/pid -o $dir/fifo sleep 1000");

    assertThat(result.exitCode()).isEqualTo(73);
    assertThat(result.err())
        .startsWith("daimon: ")
        .hasLineCount(1)
        .contains("open", sandbox.file("fifo").toString(), "ENXIO");
    assertThat(sandbox.file("pid")).doesNotExist();
  }

  @Test
  void aFifoWithAReaderWorksAndIsNotANonBlockingOne() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            // The reader has opened the FIFO before anybody writes.
            "mkfifo $dir/fifo; exec 4<>$dir/fifo 5<$dir/fifo; cat <&5 >$dir/read 4>&- & exec 5<&-;"
                + " $daimon start -o $dir/fifo sh -c 'cat /proc/$$/fdinfo/1'; exec 4>&-; wait");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    String info = Files.readString(sandbox.file("read"));
    int flags = Integer.parseInt(info.replaceFirst("(?s).*flags:\\s+([0-7]+).*", "$1"), 8);
    assertThat(flags & 04000).as("O_NONBLOCK").isZero();
  }

  @Test
  @Tag("root")
  void anOrdinaryUserMayNameTheNullDevice() throws Exception {
    ProcessSandbox.Result result =
        asNobody("start", "-p", "/dev/shm/" + mark(), "-o", "/dev/null", "sleep", "1000");

    try {
      assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
      long pid = Sandbox.pid(Path.of("/dev/shm/" + mark()));
      assertThat(Sandbox.status(pid, "Uid")).isEqualTo("65534\t65534\t65534\t65534");
      assertThat(Sandbox.descriptors(pid))
          .hasSize(4)
          .containsEntry(0, "/dev/null")
          .containsEntry(1, "/dev/null")
          .containsEntry(2, "/dev/null");
    } finally {
      Files.deleteIfExists(Path.of("/dev/shm/" + mark()));
      Files.deleteIfExists(Path.of("/dev/shm/" + mark() + ".guard"));
    }
  }

  @Test
  @Tag("root")
  void anOutputFileThatTheUserMayNotWriteIsAnError() throws Exception {
    Path log = Files.writeString(sandbox.file("log"), "roots\n");
    Sandbox.openToAll(log, "rw-r--r--");

    ProcessSandbox.Result result = asNobody("start", "-o", log.toString(), "sleep", "1000");

    assertThat(result.exitCode()).isEqualTo(73);
    assertThat(result.err())
        .startsWith("daimon: ")
        .hasLineCount(1)
        .contains("open", log.toString(), "EACCES");
    assertThat(log).hasContent("roots");
  }

  private void run(String options) throws Exception {
    assertThat(sandbox.shell("$daimon start " + options + SPEAK))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitEnd();
  }

  /** Creates a file, a hard link of it, and a symbolic link to its directory. */
  private void prepareNames(String name) throws Exception {
    Path file = Files.writeString(sandbox.file(name), "4194304\n");
    Files.createLink(sandbox.file("hard"), file);
    Files.createDirectory(sandbox.file("sub"));
    Files.createSymbolicLink(sandbox.file("linked"), sandbox.directory());
  }

  private ProcessSandbox.Result asNobody(String... words) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                sandbox.publicDaimon().toString()));
    command.addAll(List.of(words));
    return sandbox.run(command, Map.of());
  }

  private String mark() {
    return sandbox.directory().getFileName().toString();
  }
}
