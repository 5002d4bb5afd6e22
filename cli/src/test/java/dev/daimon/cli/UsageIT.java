package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command prints, and which words it refuses. */
class UsageIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();

  static Stream<List<String>> wrongWords() {
    return Stream.of(
        List.of(),
        List.of("no-such-command"),
        List.of("-p"),
        List.of("start"),
        List.of("start", "--"),
        List.of("start", ""),
        List.of("start", "--", ""),
        List.of("run"),
        List.of("start", "-p"),
        List.of("start", "--pidfile"),
        List.of("start", "--no-such-option", "true"),
        List.of("start", "-X", "true"),
        List.of("start", "-vX", "true"),
        List.of("start", "--pid", "/x", "true"),
        List.of("start", "-p", "", "true"),
        List.of("start", "-m", "", "true"),
        List.of("start", "-m", "8", "true"),
        List.of("start", "-m", "1000", "true"),
        List.of("start", "-m", "-1", "true"),
        List.of("start", "-m", "u=rwx", "true"),
        List.of("start", "-m", "0x1", "true"),
        List.of("start", "-m", "99999999999", "true"),
        List.of("start", "--keep-fd", "", "true"),
        List.of("start", "--keep-fd", "x", "true"),
        List.of("start", "--keep-fd", "2", "true"),
        List.of("start", "--keep-fd", "-1", "true"),
        List.of("start", "--keep-fd", "99999999999", "true"),
        List.of("start", "--nice", "x", "true"),
        List.of("start", "--nice", "20", "true"),
        List.of("start", "--nice", "-21", "true"),
        List.of("run", "--oom-score-adj", "1001", "true"),
        List.of("run", "--oom-score-adj", "", "true"),
        List.of("start", "--rlimit", "core", "true"),
        List.of("start", "--rlimit", "cores=1", "true"),
        List.of("start", "--rlimit", "core=2:1", "true"),
        List.of("start", "--keep-cap", "CAP_", "true"),
        List.of("start", "--groups", "daemon", "true"),
        List.of("start", "-u", "root", "--groups", "", "true"),
        List.of("start", "-u", "root", "--groups", "daemon,", "true"),
        List.of("start", "--chroot", "here", "true"),
        List.of("start", "--self", "-p", "/tmp/x.pid", "--nice", "1", "true"),
        List.of("start", "--self", "-p", "/tmp/x.pid", "--rlimit", "core=0", "true"),
        List.of("start", "--no-lock", "-l", "/tmp/lock", "true"),
        List.of("start", "--verbose=yes", "true"),
        List.of("start", "-a", "--truncate", "true"),
        List.of("restart", "-p", "/tmp/x.pid", "--append", "--truncate", "true"),
        List.of("run", "--oknodo", "true"),
        List.of("start", "-u", ":daemon", "true"),
        List.of("start", "--keep-cap", "none", "--keep-cap", "chown", "true"),
        List.of("start", "--pidfile-owner", "root", "-p", "/tmp/x.pid", "true"),
        List.of("start", "--pidfile-owner", "root", "-u", "root", "true"),
        List.of("start", "--pidfile-owner", "daemon", "-u", "root", "-p", "/tmp/x.pid", "true"),
        List.of("help", "no-such-command"),
        List.of("help", "start", "run"));
  }

  @ParameterizedTest
  @MethodSource("wrongWords")
  void wrongWordsAreReportedInOneLine(List<String> words) throws Exception {
    ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(64);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("help");
    // The copy of the shell that run makes ends a moment after java.
    sandbox.awaitEnd();
  }

  @ParameterizedTest
  @CsvSource({
    "-p, pidfile",
    "--pidfile, pidfile",
    "-l, lock",
    "-o, stdout",
    "-e, stderr",
    "-c, chdir",
    "--chdir, chdir"
  })
  void aRelativePathIsAUsageError(String option, String name) throws Exception {
    for (String path : List.of("file", "./file", "../file", "~/file")) {
      ProcessSandbox.Result result = sandbox.daimon("start", option, path, "true");

      assertThat(result.exitCode()).isEqualTo(64);
      assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("--" + name, path);
    }
    assertThat(sandbox.directory()).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "--pidfile", "-l", "-o", "-e"})
  void aFileWhoseNameEndsWithASlashIsAUsageError(String option) throws Exception {
    for (String path : List.of(sandbox.file("x") + "/", sandbox.directory() + "/", "/")) {
      ProcessSandbox.Result result = sandbox.daimon("start", option, path, "true");

      assertThat(result.exitCode()).isEqualTo(64);
      assertThat(result.err())
          .startsWith("daimon: ")
          .hasLineCount(1)
          .contains("wants a file", path);
    }
    assertThat(sandbox.directory()).isEmptyDirectory();
  }

  @Test
  void aDirectorysNameMayEndWithASlash() throws Exception {
    assertThat(sandbox.shell("$daimon run -c $dir/ pwd"))
        .isEqualTo(new ProcessSandbox.Result(0, sandbox.directory() + "\n", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "start -p $dir/pid -- sleep 1000",
        "start -p $dir/pid sleep 1000",
        "start --pidfile=$dir/pid sleep 1000",
        "start -p$dir/pid sleep 1000",
        "start -ap $dir/pid sleep 1000",
        "start -p /no/such/directory/pid -p $dir/pid sleep 1000",
        "start -p $dir/pid -- env -v sleep 1000",
        "start -p $dir/pid env -v sleep 1000"
      })
  void theseCommandLinesMeanTheSame(String words) throws Exception {
    assertThat(sandbox.shell("$daimon " + words)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.awaitProgram("sleep")).isEqualTo(Sandbox.pid(sandbox.file("pid")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--help", "-h", "help"})
  void theOverviewIsPrintedByEachOfItsWords(String words) throws Exception {
    ProcessSandbox.Result result = sandbox.daimon(words);

    assertThat(result.exitCode()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out()).isEqualTo(Help.overview());
  }

  @ParameterizedTest
  @CsvSource({
    "start -p, '-p needs a value; see daimon help start'",
    "start -vp, '-p needs a value; see daimon help start'",
    "start --pidfile, '--pidfile needs a value; see daimon help start'",
    "stop --timeout, '--timeout needs a value; see daimon help stop'",
    "start -X true, 'unknown option -X; see daimon help start'",
    "start -vX true, 'unknown option -vX; see daimon help start'",
    "start --pid /x true, 'unknown option --pid; see daimon help start'",
    "stop --no-such, 'unknown option --no-such; see daimon help stop'",
    "start --verbose=yes true, '--verbose takes no value; see daimon help start'",
    "status --json=yes, '--json takes no value; see daimon help status'",
  })
  void anOptionThatIsWrongIsNamedAsItWasTyped(String words, String message) throws Exception {
    assertThat(sandbox.daimon(words.split(" ", -1)))
        .isEqualTo(new ProcessSandbox.Result(64, "", "daimon: " + message + "\n"));
  }

  /** Characters that change the direction of text, begin a line, or control a terminal. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u202e",
        "\u2066",
        "\u2069",
        "\u200e",
        "\u200f",
        "\u061c",
        "\u2028",
        "\u2029",
        "\u0085",
        "\u009b",
        "\u001b",
        "\u007f",
        "\ufeff",
        "\udb40\udc41"
      })
  void charactersThatAffectTheTextAroundThemAreNotPrinted(String character) throws Exception {
    String name = "a" + character + "b";
    String quoted = "'" + name + "'";
    ProcessSandbox.Result message = sandbox.shell("$daimon start -p /no/such/" + quoted + " true");
    ProcessSandbox.Result usage = sandbox.shell("$daimon start --" + quoted + " true");
    ProcessSandbox.Result plan = sandbox.shell("$daimon start --dry-run true " + quoted);
    sandbox.shell("$daimon start -p $dir/pid -n " + quoted + " -- sleep 1000");
    sandbox.awaitProgram("sleep");
    ProcessSandbox.Result status = sandbox.shell("$daimon status -p $dir/pid");
    ProcessSandbox.Result json = sandbox.shell("$daimon status --json -p $dir/pid");

    for (ProcessSandbox.Result result : List.of(message, usage)) {
      assertThat(result.err()).contains("a?b").doesNotContain(name).hasLineCount(1);
    }
    assertThat(utf8(plan.out())).contains("a?b").doesNotContain(name);
    assertThat(utf8(status.out())).contains(": a?b 1000").doesNotContain(name).hasLineCount(1);
    assertThat(utf8(json.out())).contains("[\"a\\u").doesNotContain(name).hasLineCount(1);
  }

  private static String utf8(String bytes) {
    return new String(bytes.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "start --help",
        "start -h",
        "start --help true",
        "help start",
        "run --help",
        "help run",
        "start -p /x --help"
      })
  void theHelpOnACommandIsPrintedWhereverItIsAskedFor(String words) throws Exception {
    ProcessSandbox.Result result = sandbox.daimon(words.split(" ", -1));

    assertThat(result.exitCode()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .isEqualTo(Help.of(words.contains("run") ? Command.RUN : Command.START));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--version", "-V"})
  void theVersionIsOneLine(String words) throws Exception {
    ProcessSandbox.Result result = sandbox.daimon(words);

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).matches("daimon \\d+\\.\\d+\\.\\d+\\S*\n");
  }

  @Test
  void verboseReportsEveryStep() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("$daimon start -v -l $dir/lock -p $dir/pid -o $dir/log sleep 1000");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).isEmpty();
    long pid = Sandbox.pid(sandbox.file("pid"));
    assertThat(result.err().lines())
        .allMatch(line -> line.startsWith("daimon: "))
        .anyMatch(line -> line.contains("found /") && line.endsWith("/sleep"))
        .anyMatch(line -> line.contains("locked " + sandbox.file("lock")))
        .anyMatch(line -> line.contains("locked " + sandbox.file("pid")))
        .anyMatch(line -> line.contains("opened " + sandbox.file("log")))
        .anyMatch(line -> line.contains("started ") && line.contains(Long.toString(pid)))
        .anyMatch(line -> line.contains("wrote process id " + pid));
  }

  @ParameterizedTest
  @CsvSource({
    "-p /no/such/directory/pid, 73, pidfile, /no/such/directory/pid, open, ENOENT",
    "-p /no/such/pid --no-lock, 73, pidfile, /no/such/pid, open, ENOENT",
    "-l /no/such/directory/lock, 73, lock, /no/such/directory/lock, open, ENOENT",
    "-o /no/such/directory/log, 73, stdout, /no/such/directory/log, open, ENOENT",
    "-e /no/such/log.err -o /dev/null, 73, stderr, /no/such/log.err, open, ENOENT",
    "-o /etc, 73, stdout, /etc, open, EISDIR",
    "-c /no/such/directory, 71, chdir, /no/such/directory, open, ENOENT"
  })
  void aFailureNamesOptionPathCallAndReason(
      String options, int exitCode, String option, String path, String call, String reason)
      throws Exception {
    ProcessSandbox.Result result = sandbox.shell("$daimon start " + options + " sleep 1000");

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(exitCode);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("daimon: --" + option + ": ")
        .hasLineCount(1)
        .contains(path, call, reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "start $'/no/such\\nprogram'",
        "start $'no\\nsuch'",
        "start -p $'relative\\npath' true",
        "start -p $'/no/such\\ndirectory\\r/pid' true",
        "start -o $'/no/such\\033[31m/log' true",
        "start $'--no-such\\noption' true",
        "start -m $'0\\n' true",
        "start -u $'no\\nsuch' true",
        "$'no\\nsuch'",
        "help $'no\\nsuch'"
      })
  void aControlCharacterDoesNotMakeASecondLine(String words) throws Exception {
    ProcessSandbox.Result result = sandbox.shell("$daimon " + words);

    assertThat(result.exitCode()).isBetween(64, 77);
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).doesNotContain("\033", "\r");
  }

  @Test
  void aDryRunPrintsThePlanAndChangesNothing() throws Exception {
    Files.writeString(sandbox.file("log"), "kept\n");
    Files.writeString(sandbox.file("stale"), "4194000\n");
    List<String> before = snapshot();

    ProcessSandbox.Result result =
        sandbox.shell(
            "$daimon start --dry-run -p $dir/stale -l $dir/lock -o $dir/log -e $dir/err -c $dir"
                + " -m 027 -E A=b -- touch $dir/ran");

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .contains("/touch", sandbox.file("ran").toString(), "027", "A=b")
        .contains(sandbox.file("stale").toString(), sandbox.file("lock").toString())
        .contains("guard: " + sandbox.file("stale.guard") + "\n")
        .contains(sandbox.file("log").toString(), sandbox.file("err").toString());
    assertThat(snapshot()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"run --dry-run", "start -f --dry-run"})
  void aDryRunInTheForegroundDoesNotRunEither(String command) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell("$daimon " + command + " -p $dir/pid touch $dir/ran");

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).contains("/touch");
    assertThat(sandbox.directory()).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource({
    "-p $dir/held true, 69",
    "-l $dir/held true, 69",
    "-p /no/such/directory/pid true, 73",
    "-p $dir/directory true, 73",
    "-p $dir/link true, 73",
    "-o $dir/directory true, 73",
    "-o $dir/link true, 73",
    "-e $dir/link true, 73",
    "-p /dev/null true, 73",
    "-l /dev/null true, 73",
    "-p $dir/fifo true, 73",
    "-p $dir/new --guard /no/such/directory/guard true, 73",
    "-p $dir/new --guard $dir/directory true, 73",
    "--no-lock -p $dir/link true, 73",
    "--no-lock -p $dir/fifo true, 73",
    "-p $dir/file -o $dir/other-name true, 64",
    "-p $dir/file -l $dir/other-name true, 64",
    "-o /no/such/directory/log true, 73",
    "--no-lock -p $dir/directory true, 73",
    "-p $dir/y/ true, 64",
    "--keep-fd 77 true, 64",
    "/no/such/program, 66",
    "$dir/held, 66",
    "-u no-such-user true, 67",
    "-g no-such-group true, 67",
    "-p $dir/x -o $dir/x true, 64",
    "-p x true, 64",
    "-c /no/such/directory true, 71"
  })
  void aDryRunFindsTheSameErrors(String words, int exitCode) throws Exception {
    Files.createDirectory(sandbox.file("directory"));
    Files.createSymbolicLink(sandbox.file("link"), Path.of("target"));
    TestUser.output("mkfifo", sandbox.file("fifo").toString());
    Files.createLink(sandbox.file("other-name"), Files.createFile(sandbox.file("file")));
    sandbox.shell("$daimon start -p $dir/held sleep 1000");
    List<String> before = snapshot();

    ProcessSandbox.Result result = sandbox.shell("$daimon start --dry-run " + words);

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(exitCode);
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1);
    assertThat(snapshot()).isEqualTo(before);
    assertThat(sandbox.shell("$daimon start " + words).exitCode()).isEqualTo(exitCode);
  }

  /** All files with their attributes and contents. */
  private List<String> snapshot() throws IOException {
    List<String> all = new ArrayList<>();
    try (Stream<Path> files = Files.walk(sandbox.directory())) {
      for (Path file : files.sorted().toList()) {
        boolean regular = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
        PosixFileAttributes attributes =
            Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        all.add(
            file
                + " "
                + attributes.fileKey()
                + " "
                + attributes.permissions()
                + " "
                + attributes.lastModifiedTime()
                + " "
                + (regular ? Files.readString(file) : ""));
      }
    }
    return all;
  }
}
