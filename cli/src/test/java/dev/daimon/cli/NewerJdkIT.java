package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Jdk;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The command on JDKs newer than the one it is made for. */
class NewerJdkIT {
  private static final Path JDK = Path.of(System.getProperty("java.home"));

  @RegisterExtension final Sandbox sandbox = new Sandbox();
  private final NamedFiles names = new NamedFiles(sandbox);

  static List<Path> newerJdks() throws IOException {
    return Jdk.installed().stream().filter(jdk -> jdk.feature() > 25).map(Jdk::home).toList();
  }

  @ParameterizedTest
  @MethodSource("newerJdks")
  @Tag("newer-jdk")
  void theCommandWorksWithoutAWordAboutTheJdk(Path newer) throws Exception {
    Path home = copyOfTheCommand();
    // The caches are those of another JDK.
    assertThat(daimon(newer, "run echo hello")).isEqualTo(said("hello\n"));

    assertThat(sandbox.run(List.of(home + "/lib/make-cache"), javaHome(newer))).isEqualTo(said(""));

    RecordingJdk recording = new RecordingJdk(sandbox, "recording", newer);
    Path jdk = recording.home();
    assertThat(daimon(jdk, "run echo hello")).isEqualTo(said("hello\n"));
    assertThat(recording.classes()).anyMatch(RecordingJdk::isMainFromCache);
    assertThat(daimon(jdk, "start -p $dir/pid -o $dir/output -- sh -c 'echo up; exec sleep 1000'"))
        .isEqualTo(said(""));
    ProcessSandbox.Result status = daimon(jdk, "status -p $dir/pid");
    assertThat(status.exitCode()).isZero();
    assertThat(status.out()).startsWith("running: ");
    assertThat(status.err()).isEmpty();
    assertThat(daimon(jdk, "restart -p $dir/pid --ready alive:100ms -- sleep 1000"))
        .isEqualTo(said(""));
    assertThat(daimon(jdk, "stop -p $dir/pid")).isEqualTo(said(""));
    assertThat(daimon(jdk, "start web --save -- sh -c 'echo up; exec sleep 1000'"))
        .isEqualTo(said(""));
    ProcessSandbox.Result list = daimon(jdk, "list");
    assertThat(list.exitCode()).isZero();
    assertThat(list.out()).contains("\nweb  ");
    assertThat(list.err()).isEmpty();
    assertThat(daimon(jdk, "logs web")).isEqualTo(said("up\n"));
    assertThat(daimon(jdk, "stop --all")).isEqualTo(said("web: stopped\n"));
  }

  /** What makes the command's JVM fast or quiet may be gone one day; that must not stop it. */
  @ParameterizedTest
  @CsvSource({
    "-XX:+NoJvmHasThisOption, 26, 0, ''",
    "-XnoJvmHasThisOptionEither, 26, 0, ''",
    // This one was there once: a warning is printed for it.
    "-XX:+ZGenerational, 26, 0, ''",
    // With the JDK of the caches a wrong option is a mistake.
    "-XX:+NoJvmHasThisOption, 25, 71, Unrecognized VM option",
  })
  void anOptionThatANewerJdkDoesNotHaveIsPassedOver(
      String option, String version, int status, String words) throws Exception {
    Path home = copyOfTheCommand();
    Path script = home.resolve("lib/jvm.sh");
    Files.writeString(
        script, Files.readString(script).replace(" -Xint ", " -Xint " + option + " "));
    assertThat(script).content().contains(option);
    Files.createDirectories(sandbox.file("jdk/bin"));
    Files.writeString(sandbox.file("jdk/release"), "JAVA_VERSION=\"" + version + "\"\n");
    sandbox.script("jdk/bin/java", "#!/bin/sh", "exec " + JDK + "/bin/java \"$@\"");

    Path jdk = sandbox.file("jdk");
    ProcessSandbox.Result started = daimon(jdk, "start -p $dir/pid sleep 1000");
    assertThat(started.exitCode()).as(started.toString()).isEqualTo(status);
    assertThat(started.err()).contains(words).hasLineCount(words.isEmpty() ? 0 : 1);
    // The JVM of a run has the caller's standard error from the beginning.
    if (status == 0) {
      assertThat(daimon(jdk, "run echo hello")).isEqualTo(said("hello\n"));
    }
  }

  private Path copyOfTheCommand() throws Exception {
    names.make();
    Path home = sandbox.file("daimon");
    TestUser.output("cp", "-a", Sandbox.DAIMON.getParent().getParent().toString(), home.toString());
    return home;
  }

  private ProcessSandbox.Result daimon(Path jdk, String words) throws Exception {
    return names.shell("JAVA_HOME=" + jdk + " $dir/daimon/bin/daimon " + words);
  }

  private static Map<String, String> javaHome(Path jdk) {
    return Map.of("JAVA_HOME", jdk.toString());
  }

  private static ProcessSandbox.Result said(String words) {
    return new ProcessSandbox.Result(0, words, "");
  }
}
