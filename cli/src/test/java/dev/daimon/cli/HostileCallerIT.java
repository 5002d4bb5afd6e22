package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A user who may run the command as root, as by {@code sudo -E}, chooses its environment and its
 * working directory.
 */
@Tag("root")
@Tag("attack")
class HostileCallerIT {
  private static final int SOMEBODY = 7001;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  /** A directory of that user's. */
  private Path theirs = Path.of("/");

  /** Exists if something of that user's has run. */
  private Path trace = Path.of("/");

  @BeforeEach
  void prepare() throws Exception {
    theirs = Files.createDirectory(sandbox.file("theirs"));
    trace = sandbox.file("trace");
  }

  /** Variables that sudo passes on with {@code -E}, and some that it does not. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          JAVA_TOOL_OPTIONS | -XX:OnError=$touch -Xnonsense
          JDK_JAVA_OPTIONS | -cp $theirs -Xnonsense
          _JAVA_OPTIONS | -cp $theirs -Xnonsense
          JDK_AOT_VM_OPTIONS | -Xnonsense
          _JAVA_LAUNCHER_DEBUG | 1
          CLASSPATH | $theirs
          TMPDIR | $theirs
          IFS | /dlh
          ENV | $theirs/script
          BASH_ENV | $theirs/script
          CDPATH | $theirs
          HOME | $theirs
          PS4 | $($touch)
          """)
  void aVariableOfTheCallersReachesTheProgramAlone(String name, String value) throws Exception {
    script(theirs.resolve("script"), "touch " + trace);
    Files.createDirectories(theirs.resolve("dev/daimon/cli"));
    Files.writeString(theirs.resolve("dev/daimon/cli/Main.class"), "no class");
    String text = value.replace("$touch", "touch " + trace).replace("$theirs", "" + theirs);

    ProcessSandbox.Result result =
        sandbox.run(
            List.of(Sandbox.DAIMON.toString(), "run", "printenv", name), Map.of(name, text));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, text + "\n", ""));
    assertThat(trace).doesNotExist();
    assertThat(theirs)
        .isDirectoryNotContaining("glob:**hs*")
        .isDirectoryNotContaining("glob:**core*");
  }

  /** Files that a JVM looks for in its working directory. */
  @Test
  void filesInTheCallersDirectoryAreNotUsedByTheJvm() throws Exception {
    Files.writeString(theirs.resolve(".hotspotrc"), "OnError=\"touch " + trace + "\"\n");
    Files.writeString(theirs.resolve(".hotspot_compiler"), "print *.*\n");
    Path pidFile = sandbox.file("pid");

    ProcessSandbox.Result result =
        sandbox.shell("cd " + theirs + " && $daimon start -p " + pidFile + " sleep 1000");
    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.shell("cd " + theirs + " && $daimon status -p " + pidFile).err()).isEmpty();
    assertThat(trace).doesNotExist();
  }

  /** It runs in the root directory and writes no report, and nobody can attach to it. */
  @Test
  void aJvmThatCrashesWritesNothingInTheCallersDirectory() throws Exception {
    Path pidFile = sandbox.file("pid");
    long daemon = sandbox.start("sleep", "1000");
    Process waits =
        sandbox
            .prepare(
                List.of(
                    "/bin/sh",
                    "-c",
                    "ulimit -c 0; cd "
                        + theirs
                        + " && exec "
                        + Sandbox.DAIMON
                        + " wait -p "
                        + pidFile),
                Map.of("TMPDIR", theirs.toString()))
            .redirectErrorStream(true)
            .redirectOutput(sandbox.file("said").toFile())
            .start();
    long[] jvm = {0};
    ProcessSandbox.await(
        "the JVM",
        () -> {
          jvm[0] =
              waits
                  .children()
                  .filter(HostileCallerIT::isJava)
                  .mapToLong(ProcessHandle::pid)
                  .findFirst()
                  .orElse(0);
          return jvm[0] != 0;
        });
    assertThat(Path.of("/tmp/.java_pid" + jvm[0])).doesNotExist();
    assertThat(Path.of("/tmp/hsperfdata_root/" + jvm[0])).doesNotExist();

    Command.kill("SEGV", jvm[0]);

    assertThat(waits.waitFor()).isEqualTo(71);
    assertThat(Files.readString(sandbox.file("said"))).startsWith("daimon: ").hasLineCount(1);
    assertThat(theirs).isEmptyDirectory();
    for (String directory : List.of("/", "/tmp")) {
      assertThat(Path.of(directory, "hs_err_pid" + jvm[0] + ".log")).doesNotExist();
    }
    assertThat(ProcessHandle.of(daemon)).isPresent();
  }

  private static boolean isJava(ProcessHandle process) {
    return process.info().command().orElse("").endsWith("/java");
  }

  /** Root would execute the JDK that JAVA_HOME names. */
  @ParameterizedTest
  @CsvSource({
    "theirs, SUDO_UID=7001, false",
    "theirs, SUDO_UID=, false",
    "theirs, DOAS_USER=somebody, false",
    "theirs/roots, SUDO_UID=7001, false",
    "roots, SUDO_UID=7001, true",
    "theirs, NOBODY=else, true"
  })
  void rootDoesNotUseAJdkOfTheCallersUnderSudo(String place, String sudo, boolean used)
      throws Exception {
    jdk(theirs);
    jdk(Files.createDirectory(sandbox.file("roots")));
    jdk(Files.createDirectory(theirs.resolve("roots")));
    for (String own : List.of("", "bin", "bin/java", "lib")) {
      Files.setAttribute(theirs.resolve(own), "unix:uid", SOMEBODY);
    }

    assertUsed(place, sudo, used);
  }

  /** A JDK of root's, but for one part that another user can change or has made. */
  @ParameterizedTest
  @CsvSource({
    ".., chmod 1777, true",
    ".., chmod 0777, false",
    ".., chmod 0775, false",
    ".., chmod 1775, true",
    "., chmod 1777, false",
    "., chmod 0775, false",
    "bin, chmod 1777, false",
    "bin/java, chmod 0757, false",
    "lib, chmod 0775, false",
    "release, chmod 0666, false",
    "release, chown 7001, false",
    "bin, link, false",
    "bin/java, link, false",
    "lib, link, false",
    "release, link, false",
  })
  void rootDoesNotUseAJdkThatOthersCanChangeUnderSudo(String part, String done, boolean used)
      throws Exception {
    Path way = Files.createDirectory(sandbox.file("way"));
    Path jdk = jdk(Files.createDirectory(way.resolve("jdk")));
    // A JDK of root's, to which a link leads that may be another user's.
    Path elsewhere = jdk(Files.createDirectory(sandbox.file("elsewhere")));
    String file = jdk.resolve(part).toString();
    String change =
        done.equals("link")
            ? "rm -r " + file + "; ln -s " + elsewhere.resolve(part) + " " + file
            : done + " " + file;
    assertThat(sandbox.shell(change)).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertUsed("way/jdk", "SUDO_UID=7001", used);
  }

  /** sudo also lets a user run a command as another user than root. */
  @ParameterizedTest
  @CsvSource({"SUDO_UID=7001, false", "DOAS_USER=somebody, false", "NOBODY=else, true"})
  void anotherUserDoesNotUseAJdkThatTheCallerNamesUnderSudo(String sudo, boolean used)
      throws Exception {
    Path daimon = sandbox.publicDaimon();
    jdk(theirs);
    Sandbox.openToAll(Files.createFile(trace), "rw-rw-rw-");

    ProcessSandbox.Result result =
        sandbox.shell(
            "env "
                + sudo
                + " JAVA_HOME="
                + theirs
                + " setpriv --reuid=65534 --regid=65534 --clear-groups "
                + daimon
                + " run printenv JAVA_HOME");

    if (used) {
      assertThat(trace).isNotEmptyFile();
    } else {
      assertThat(trace).isEmptyFile();
      assertThat(result).isEqualTo(new ProcessSandbox.Result(0, theirs + "\n", ""));
    }
  }

  private void assertUsed(String place, String sudo, boolean used) throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "env " + sudo + " JAVA_HOME=$dir/" + place + " $daimon run printenv JAVA_HOME");

    assertThat(Files.exists(trace)).as(result.toString()).isEqualTo(used);
    if (!used) {
      assertThat(result).isEqualTo(new ProcessSandbox.Result(0, sandbox.file(place) + "\n", ""));
    }
  }

  /** So the link cannot be exchanged between the check and the use. */
  @Test
  void aLinkToAJdkOfRootsIsResolvedBeforeItIsUsed() throws Exception {
    Path roots = jdk(Files.createDirectory(sandbox.file("roots")));
    Path link = Files.createSymbolicLink(theirs.resolve("link"), roots);

    ProcessSandbox.Result _ =
        sandbox.shell("SUDO_UID=7001 JAVA_HOME=" + link + " $daimon --version");

    assertThat(trace).content().startsWith(roots + "/bin/java\n");
  }

  /** A directory that looks like a JDK; its java creates a file. */
  private Path jdk(Path home) throws IOException {
    Files.createDirectory(home.resolve("lib"));
    Files.createDirectory(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
    script(home.resolve("bin/java"), "echo $0 >>" + trace);
    return home;
  }

  private static void script(Path path, String line) throws IOException {
    Files.writeString(path, "#!/bin/sh\n" + line + "\n");
    Sandbox.openToAll(path, "rwxr-xr-x");
  }
}
