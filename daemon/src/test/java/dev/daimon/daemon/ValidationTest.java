package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.daimon.forking.Pipe;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.ResourceLimit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ValidationTest {
  private static final Path A = Path.of("/run/a");
  private static final Path A_AGAIN = Path.of("/run/x/../a");

  /** Makes a configuration wrong. */
  interface Fault extends UnaryOperator<DaemonConfig.Builder> {}

  static List<Arguments> faults() {
    return List.of(
        fault("pidFile is not absolute", b -> b.pidFile(Path.of("a"))),
        fault("name and pidFile cannot both be: ", b -> b.name("web").pidFile(A)),
        fault("name: \"a/b\" cannot be a daemon's name: it has a slash", b -> b.name("a/b")),
        fault("lockFile is not absolute", b -> b.lockFile(Path.of("a"))),
        fault("standardOutput is not absolute", b -> b.standardOutput(Path.of("a"))),
        fault("standardOutput is not absolute", b -> b.standardOutput(Path.of("a.out"))),
        fault(
            "standardError is the same file as pidFile",
            b -> b.pidFile(Path.of("/run/a.err")).standardOutput(Path.of("/run/a.out"))),
        fault("standardError is not absolute", b -> b.standardError(Path.of("a"))),
        fault("workingDirectory is not absolute", b -> b.workingDirectory(Path.of("a"))),
        fault("lockFile is the same file as pidFile", b -> b.pidFile(A).lockFile(A_AGAIN)),
        fault(
            "standardOutput is the same file as pidFile",
            b -> b.pidFile(A_AGAIN).standardOutput(A)),
        fault("standardOutput is the same file as lockFile", b -> b.lockFile(A).standardOutput(A)),
        fault("standardError is the same file as pidFile", b -> b.pidFile(A).standardError(A)),
        fault("standardError is the same file as lockFile", b -> b.lockFile(A).standardError(A)),
        fault(
            "workingDirectory and preserveWorkingDirectory cannot both be",
            b -> b.workingDirectory(Path.of("/")).preserveWorkingDirectory()),
        fault(
            "workingDirectory: open /no/directory: No such file or directory (ENOENT, 2)",
            b -> b.workingDirectory(Path.of("/no/directory"))),
        fault(
            "workingDirectory: open /etc/passwd: Not a directory (ENOTDIR, 20)",
            b -> b.workingDirectory(Path.of("/etc/passwd"))),
        fault("umask is outside of 0 to 0777: 01000", b -> b.umask(01000)),
        fault("umask is outside of 0 to 0777: ", b -> b.umask(-1)),
        fault("readyTimeout leaves no time: PT0S", b -> b.readyTimeout(Duration.ZERO)),
        fault("readyTimeout leaves no time: PT-1S", b -> b.readyTimeout(Duration.ofSeconds(-1))),
        fault("environment: not a variable's name: \"\"", b -> b.environment("", "v")),
        fault("environment: not a variable's name: \"a=b\"", b -> b.environment("a=b", "v")),
        fault("environment: not a variable's name: \"a\0\"", b -> b.environment("a\0", "v")),
        fault("environment: a NUL character in the value of a", b -> b.environment("a", "\0")),
        fault("programName is empty, or has a NUL character in it", b -> b.programName("")),
        fault("programName is empty, or has a NUL character in it", b -> b.programName("a\0")),
        fault(
            "captureOutput leaves nothing for standardOutput",
            b -> b.captureOutput(true).standardOutput(A)),
        fault(
            "captureOutput leaves nothing for standardOutput and standardError",
            b -> b.captureOutput(true).standardError(A)),
        fault(
            "captureOutput and inheritStandardErrorUntilReady cannot both be",
            b -> b.captureOutput(true).inheritStandardErrorUntilReady()),
        fault("foreground and simulate cannot both be", b -> b.foreground(true).simulate(true)),
        fault(
            "in a simulation the streams stay as they are, so there is nothing to capture",
            b -> b.simulate(true).captureOutput(true)),
        fault("keepOpen: 2 is a standard stream", b -> b.keepOpen(Descriptor.adopt(2))),
        fault("keepOpen: x is a standard stream", b -> b.keepOpen("x", Descriptor.adopt(0))),
        fault("keepOpen: x is closed", b -> b.keepOpen("x", closed())),
        fault("keepOpen: 99999 is not open", b -> b.keepOpen(Descriptor.adopt(99999))),
        fault("jvmArguments: a NUL character in -Da=x", b -> b.jvmArguments("-Da=x\0y")),
        fault("jvmArguments has -jar", b -> b.jvmArguments("-jar")),
        fault("jvmArguments has -jar", b -> b.simulate(true).jvmArguments("-jar")),
        fault(
            "workingDirectory: open /no/directory: No such file or directory (ENOENT, 2)",
            b -> b.simulate(true).workingDirectory(Path.of("/no/directory"))),
        fault("unknown user: no-such-user", b -> b.user("no-such-user")),
        fault("unknown group: no-such-group", b -> b.group("no-such-group")),
        fault("unknown group: no-such-group", b -> b.user("root").groups("root", "no-such-group")),
        fault("groups needs user or group", b -> b.groups()),
        fault("niceness is outside of -20 to 19: 20", b -> b.niceness(20)),
        fault("oomScoreAdjust is outside of -1000 to 1000: -1001", b -> b.oomScoreAdjust(-1001)),
        fault("user id out of range: 4294967295", b -> b.user("#4294967295")));
  }

  private static Arguments fault(String problem, Fault fault) {
    return arguments(problem, fault);
  }

  private static Descriptor closed() {
    try (Pipe pipe = Pipe.open()) {
      return pipe.readEnd();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("faults")
  void everyProblemIsFound(String problem, Fault fault) {
    assertThat(fault.apply(DaemonConfig.builder()).build().validate())
        .singleElement()
        .asString()
        .startsWith(problem);
  }

  @Test
  void everyAccountThatIsUnknownIsTold() {
    DaemonConfig config =
        DaemonConfig.builder()
            .user("no\nsuch\u001b[31muser")
            .group("no-such-group")
            .groups("4294967295", "nor-this")
            .niceness(99)
            .build();

    assertThat(config.validate())
        .containsExactly(
            "unknown user: no?such?[31muser",
            "unknown group: no-such-group",
            "group id out of range: 4294967295",
            "unknown group: nor-this",
            "niceness is outside of -20 to 19: 99");
  }

  @Test
  void allProblemsAreToldAtOnceInOneOrder() {
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(Path.of("a"))
            .umask(-1)
            .readyTimeout(Duration.ZERO)
            .programName("")
            .keepOpen(Descriptor.adopt(1))
            .user("no-such-user")
            .build();

    assertThat(config.validate())
        .hasSize(6)
        .satisfiesExactly(
            problem -> assertThat(problem).startsWith("pidFile"),
            problem -> assertThat(problem).startsWith("umask"),
            problem -> assertThat(problem).startsWith("readyTimeout"),
            problem -> assertThat(problem).startsWith("programName"),
            problem -> assertThat(problem).startsWith("keepOpen"),
            problem -> assertThat(problem).startsWith("unknown user"));
  }

  private static DaemonConfig.Builder whatAJvmThatRunsCannotDo() {
    return DaemonConfig.builder()
        .workingDirectory(Path.of("/"))
        .environment("a", "b")
        .programName("web")
        .closeDescriptors(true)
        .jvmArguments("-Xmx40m");
  }

  @Test
  void whatAJvmThatRunsCannotDoIsRefusedInTheForeground() {
    assertThat(whatAJvmThatRunsCannotDo().foreground(true).build().validate())
        .allMatch(problem -> problem.startsWith("in the foreground a JVM cannot "))
        .satisfiesExactly(
            problem -> assertThat(problem).contains("working directory"),
            problem -> assertThat(problem).contains("environment"),
            problem -> assertThat(problem).contains("name"),
            problem -> assertThat(problem).contains("close descriptors"),
            problem -> assertThat(problem).contains("options"));
  }

  @Test
  void aSimulationIsOfAnotherProcess() {
    assertThat(whatAJvmThatRunsCannotDo().simulate(true).build().validate()).isEmpty();
  }

  @Test
  void theWorkingDirectoryIsTheRightOneByAnyName(@TempDir Path directory) throws Exception {
    Path link = directory.resolve("link");
    Files.createSymbolicLink(link, Path.of("").toAbsolutePath());

    assertThat(DaemonConfig.builder().foreground(true).workingDirectory(link).build().validate())
        .isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void nothingIsWrongWithWhatCanBe(boolean inProcess, @TempDir Path directory) {
    DaemonConfig.Builder builder =
        DaemonConfig.builder()
            .foreground(inProcess)
            .pidFile(directory.resolve("pid"))
            .lockFile(directory.resolve("lock"))
            .standardOutput(directory.resolve("log"))
            .standardError(directory.resolve("log"))
            .workingDirectory(inProcess ? Path.of("").toAbsolutePath() : directory)
            .umask(0777)
            .user("#7001")
            .group("root")
            .groups("#7", "root")
            .resourceLimit(ResourceLimit.parse("nofile=1024:4096"))
            .niceness(-20)
            .oomScoreAdjust(1000)
            .noNewPrivileges(true)
            .readyTimeout(Duration.ofNanos(1));
    if (!inProcess) {
      builder.environment("a", "").programName("-web").closeDescriptors(true);
    }

    assertThat(builder.build().validate()).isEmpty();
    assertThat(DaemonConfig.builder().build().validate()).isEmpty();
    assertThat(directory).isEmptyDirectory();
    assertThat(Files.exists(directory)).isTrue();
  }
}
