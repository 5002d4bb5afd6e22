package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Arguments, environment and paths reach the program byte for byte, in every locale. */
class BytesIT {
  /** A program that goes on running, with any arguments. */
  private static final String STAY = " -- perl -e 'sleep 1000' -- ";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  static Stream<Arguments> everyWayInEveryLocale() {
    return Stream.of("start", "run")
        .flatMap(command ->
            Stream.of("LC_ALL=C", "LC_ALL=C.UTF-8", "LC_ALL= LC_CTYPE=de_DE.ISO-8859-1")
                .map(locale -> Arguments.of(command, locale)));
  }

  @ParameterizedTest
  @MethodSource("everyWayInEveryLocale")
  void argumentsArrive(String command, String locale) throws Exception {
    long pid =
        start(
            locale,
            command,
            STAY
                + "$'\\xff\\xfe' $'\\xc3\\xa4' $'\\xe2\\x82' '' 'a  b' $'tab\\tnew\\nline' '*' '\"q\"'"
                + " \"'s'\" '-p' '--' '@file' '$HOME' \\\\ $'\\x01\\x7f\\x80'");

    assertThat(Sandbox.strings(Path.of("/proc/" + pid + "/cmdline")))
        .containsExactly(
            "perl",
            "-e",
            "sleep 1000",
            "--",
            "\u00ff\u00fe",
            "\u00c3\u00a4",
            "\u00e2\u0082",
            "",
            "a  b",
            "tab\tnew\nline",
            "*",
            "\"q\"",
            "'s'",
            "-p",
            "--",
            "@file",
            "$HOME",
            "\\",
            "\u0001\u007f\u0080");
  }

  @ParameterizedTest
  @MethodSource("everyWayInEveryLocale")
  void theEnvironmentArrives(String command, String locale) throws Exception {
    long pid =
        start(locale + " A=$'\\xff\\xfe' B=$'\\xc3\\xa4' C= D=$'two\\nlines'", command, STAY);

    assertThat(environment(pid))
        .contains("A=\u00ff\u00fe", "B=\u00c3\u00a4", "C=", "D=two\nlines")
        .containsAll(List.of(locale.split(" ", -1)))
        .noneMatch(entry -> entry.startsWith("LC_ALL=") && !locale.contains(entry));
  }

  @ParameterizedTest
  @MethodSource("everyWayInEveryLocale")
  void pathsArrive(String command, String locale) throws Exception {
    long pid =
        start(
            locale,
            command,
            "-o $dir/$'out \\xff\\xc3\\xa4' -l $dir/$'lock\\xfe' -c $dir/$'cwd\\xe9'"
                + " $dir/$'program\\xe9'");

    ProcessSandbox.Result listed =
        sandbox.shell("ls -N $dir; LC_ALL=C readlink /proc/" + pid + "/cwd");
    assertThat(listed.out()).contains("out \u00ff\u00c3\u00a4\n", "lock\u00fe\n", "/cwd\u00e9\n");
  }

  @Test
  void aPidfileMayHaveAnyName() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "LC_ALL=C $daimon start -p $dir/$'pid\\xff\\xc3\\xa4' sleep 1000 && cat $dir/$'pid\\xff\\xc3\\xa4'");

    assertThat(result.exitCode()).isZero();
    assertThat(sandbox.processes())
        .extracting(ProcessHandle::pid)
        .containsExactly(Long.valueOf(result.out().strip()));
  }

  @ParameterizedTest
  @CsvSource({
    "-E A=1, A=1",
    "--env A=1, A=1",
    "--env=A=1, A=1",
    "-E A, A=",
    "-E A=, A=",
    "-E A=1 -E A=2, A=2",
    "-E A=1 -E A, A=",
    "-E A=b=c, A=b=c",
    "-E $'A=\\xff\\xfe', A=\u00ff\u00fe",
    "-E $'\\xc3\\xa4=1', \u00c3\u00a4=1",
    "-E a.b-c=1, a.b-c=1",
    "-E 'A=\"q\"', A=\"q\"",
    "-E '\"A\"=1', \"A\"=1",
    "-E 'A= x ', 'A= x '",
    "-E INHERITED=new, INHERITED=new",
    "-E -x=y, -x=y",
    "--env -E=-E, -E=-E"
  })
  void aVariableCanBeSet(String options, String entry) throws Exception {
    long pid = start("INHERITED=old", "start", options + STAY);

    String name = entry.substring(0, entry.indexOf('=') + 1);
    assertThat(environment(pid)).filteredOn(e -> e.startsWith(name)).containsExactly(entry);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-E ''", "-E =x", "-E ="})
  void aVariableWithoutANameIsAUsageError(String options) throws Exception {
    ProcessSandbox.Result result = sandbox.shell("$daimon start " + options + " true");

    assertThat(result.exitCode()).isEqualTo(64);
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("--env");
  }

  @Test
  void theProgramIsLookedUpInThePathThatWasSet() throws Exception {
    sandbox.script("only-there", "#!/bin/sh", "exec /bin/sleep 1000");

    assertThat(sandbox.shell("$daimon start -E PATH=$dir only-there"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  @ParameterizedTest
  @CsvSource({
    "start, -n, web worker",
    "start, --name, ''",
    "run, -n, web worker",
    "start, -n, \u00c3\u00a4",
    "start, -n, -dash",
    "start, -n, -nginx",
    "run, -n, -nginx",
    "start, -n, -login",
    "start, --name, -login",
    "start, -n, --help",
    "start, -n, -v",
    "start, -n, --",
    "start, -an, -u",
    "run, --umask=022 -an, -login"
  })
  void theProgramsOwnNameCanBeChosen(String command, String option, String name) throws Exception {
    byte[] bytes = name.getBytes(StandardCharsets.ISO_8859_1);
    Files.write(sandbox.file("name"), bytes);

    long pid = start("", command, option + " \"$(cat $dir/name)\"" + STAY);

    assertThat(Sandbox.strings(Path.of("/proc/" + pid + "/cmdline")).get(0)).isEqualTo(name);
  }

  @Test
  void aLongCommandLineArrives() throws Exception {
    long pid = start("", "start", STAY + "$(seq 100000)");

    assertThat(Sandbox.strings(Path.of("/proc/" + pid + "/cmdline"))).hasSize(100_004);
  }

  /** Starts a program that goes on running, with assignments before the command; its process id. */
  private long start(String assignments, String command, String words) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "mkdir $dir/$'cwd\\xe9'; printf '#!/bin/sh\\nexec sleep 1000\\n' > $dir/$'program\\xe9';"
                + " chmod +x $dir/$'program\\xe9'; env "
                + assignments
                + " $daimon "
                + command
                + " -p $dir/pid "
                + words
                + (command.equals("run") ? " </dev/null >/dev/null 2>&1 &" : ""));
    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    return sandbox.awaitProgram(words.contains("perl") ? "perl" : "sleep");
  }

  private static List<String> environment(long pid) throws Exception {
    return Sandbox.strings(Path.of("/proc/" + pid + "/environ"));
  }
}
