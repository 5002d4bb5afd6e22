package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a program inherits is what {@code setsid -f} would have given it. */
class InheritanceIT {
  private static final List<String> COMMANDS =
      List.of("$daimon start", "$daimon run", "$daimon start -f");

  /**
   * The lines of /proc/PID/status that are not compared: a daemon has default signals, and each
   * process has its own memory sizes and counters.
   */
  private static final String STATUS =
      "^(Umask|Uid|Gid|Groups|Cap.*|NoNewPrivs|Seccomp.*|Cpus_allowed.*"
          + "|Mems_allowed.*|CoreDumping|THP_enabled|Speculation.*|untag_mask|x86_.*):";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  static Stream<Arguments> callers() {
    return COMMANDS.stream()
        .flatMap(command ->
            Stream.of(
                    "ulimit -S -n 512; ulimit -H -n 4000; ulimit -S -c 0; ulimit -S -s 4096;"
                        + " ulimit -S -u 5000; ulimit -t 1000; ulimit -l 64; ulimit -i 100;",
                    "ulimit -n 64;",
                    "echo 0x11 > /proc/self/coredump_filter;"
                        // The last processor that the process may use.
                        + " with=(nice -n 7 taskset -c $(taskset -cp $$ | sed 's/.*[ ,-]//')"
                        + " ionice -c 3 setarch -R);",
                    "echo 123 > /proc/self/oom_score_adj; with=(chrt --batch 0);",
                    "echo 60000 > /proc/self/timerslack_ns; with=(chrt --idle 0);",
                    "with=(setpriv --no-new-privs);")
                .map(caller -> Arguments.of(command, caller)));
  }

  @ParameterizedTest
  @MethodSource("callers")
  void attributesAreInherited(String command, String caller) throws Exception {
    assertSame(caller, command);
  }

  static Stream<Arguments> rootsCallers() {
    return COMMANDS.stream()
        .flatMap(command ->
            Stream.of(
                    "with=(setpriv --bounding-set=-sys_time,-mknod --inh-caps=+chown);",
                    "with=(setpriv --inh-caps=+sys_time --ambient-caps=+sys_time"
                        + " --reuid=65534 --regid=65534 --groups=5,6);",
                    "with=(setpriv --securebits=+noroot_locked);",
                    "with=(chrt --rr 5);",
                    "with=(chrt --reset-on-fork --fifo 3);")
                .map(caller -> Arguments.of(command, caller)));
  }

  @ParameterizedTest
  @MethodSource("rootsCallers")
  @Tag("root")
  void attributesThatOnlyRootCanChangeAreInherited(String command, String caller) throws Exception {
    Path daimon = sandbox.publicDaimon();
    Sandbox.openToAll(sandbox.directory(), "rwxrwxrwx");
    assertSame("daimon=" + daimon + "; " + caller, command);
  }

  static Stream<String> commands() {
    return COMMANDS.stream();
  }

  @ParameterizedTest
  @MethodSource("commands")
  void theEnvironmentIsTheSameByteForByte(String command) throws Exception {
    String odd =
        "a.b=c 1st=2 'with space=x' BASH_FUNC_f%%='() { :; }' $'\\xff=\\xfe' = =x A= Z=$'\\n'"
            + " LC_ALL=C LANG=xx PWD=/elsewhere OLDPWD=/else SHLVL=99 _=underscore IFS=x"
            + " PS1=p ENV=/no/such BASH_ENV=/no/such home=h options=o jdk=j jar=j cache=c"
            + " command=c status=s signal=s self=s link=l r=9 w=9 n=3 JAVA_HOME=/no/such"
            + " CLASSPATH=/no/such _JAVA_LAUNCHER_DEBUG=1 JDK_JAVA_OPTIONS=-Xnonsense"
            + " JAVA_TOOL_OPTIONS=-Xnonsense _JAVA_OPTIONS=-Xnonsense PATH=/usr/bin:/bin";

    assertSame("with=(env -i DAIMON_TEST=\"$DAIMON_TEST\" " + odd + ");", command);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void anEmptyEnvironmentStaysEmpty(String command) throws Exception {
    Path probe =
        sandbox.script(
            "probe", "#!/bin/sh", "/bin/cat /proc/$$/environ > $1.new", "/bin/mv $1.new $1");

    ProcessSandbox.Result result =
        sandbox.shell("env -i " + command + " " + probe + " " + sandbox.file("environ"));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    Sandbox.await("the probe", () -> Files.exists(sandbox.file("environ")));
    assertThat(sandbox.file("environ")).isEmptyFile();
  }

  static Stream<Arguments> leaks() {
    return COMMANDS.stream()
        .flatMap(command ->
            Stream.of("3 4 5 6 7", "3 4 5 6 7 8 9", "3 4 5 6 7 8 9 10 11 12")
                .map(numbers -> Arguments.of(command, numbers)));
  }

  @ParameterizedTest
  @MethodSource("leaks")
  void manyLeakedDescriptorsDoNotChangeTheEnvironment(String command, String numbers)
      throws Exception {
    assertSame(
        "export A=b; export -n PWD; with=(env a.b=c LC_ALL=C JAVA_TOOL_OPTIONS=-Xnonsense);"
            + (" for n in " + numbers)
            + "; do eval \"exec $n</dev/null\"; done;",
        command);
  }

  @Test
  void theCallersJavaOptionsNeverReachDaimonItself() throws Exception {
    ProcessSandbox.Result result =
        sandbox.run(
            List.of(Sandbox.DAIMON.toString(), "--version"),
            Map.of(
                "JAVA_TOOL_OPTIONS", "-Xnonsense",
                "JDK_JAVA_OPTIONS", "-Xnonsense",
                "_JAVA_OPTIONS", "-Xnonsense"));

    assertThat(result.exitCode()).isZero();
    assertThat(result.err()).isEmpty();
  }

  /** Runs a probe that prints what it inherits, once by setsid and once by Daimon. */
  private void assertSame(String caller, String command) throws Exception {
    Path probe =
        sandbox.script(
            "probe",
            "#!/bin/sh",
            "PATH=/usr/bin:/bin",
            "cd $(dirname $0)",
            "p=/proc/$$",
            "{",
            "grep -E '" + STATUS + "' $p/status",
            "cat $p/limits $p/oom_score_adj $p/coredump_filter $p/personality $p/cgroup",
            "cat $p/uid_map; cat $p/timerslack_ns 2>/dev/null",
            "readlink $p/root $p/ns/*",
            "chrt -p $$ | sed 's/pid [0-9]*//'; ionice -p $$; setpriv --dump",
            "sed 's/.*) //' $p/stat | cut -d' ' -f16,17,38,39",
            "} > $1.new 2>&1",
            "cat $p/environ > $1.environ",
            "mv $1.new $1");
    String with = "with=(); " + caller + " umask 022; with+=(env _=x); ";

    String expected = inherited(with, "setsid -f", probe, "expected");
    String actual = inherited(with, command, probe, "actual");

    assertThat(actual.lines()).containsExactlyElementsOf(expected.lines().toList());
    assertThat(Sandbox.strings(sandbox.file("actual.environ")))
        .containsExactlyElementsOf(Sandbox.strings(sandbox.file("expected.environ")));
  }

  private String inherited(String with, String command, Path probe, String name) throws Exception {
    Path file = sandbox.file(name);
    ProcessSandbox.Result result =
        sandbox.shell(with + "\"${with[@]}\" " + command + " " + probe + " " + file);
    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    Sandbox.await("the probe", () -> Files.exists(file));
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }
}
