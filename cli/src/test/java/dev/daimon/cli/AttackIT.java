package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Root starts a program as a user, and that user tries to get at root's files. */
@Tag("root")
@Tag("attack")
class AttackIT {
  private static final int CANNOT_CREATE = 73;

  /** The rounds of each race; {@code -Pattack} sets more. */
  private static final int STARTS = Integer.getInteger("daimon.attack.rounds", 20);

  @RegisterExtension static final TestUser USER = new TestUser("dmattack");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  /** A directory of root's, which has files of root's with the names that the daemon uses. */
  private Path victims = Path.of("/");

  /** The attacker's directory. */
  private Path lair = Path.of("/");

  @BeforeEach
  void prepare() throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    victims = Files.createDirectory(sandbox.file("victims"));
    for (String name : List.of("pid", "lock", "log")) {
      Files.writeString(victims.resolve(name), "precious\n");
    }
    lair = Files.createDirectory(sandbox.file("lair"));
    TestUser.output("chown", USER.name(), lair.toString());
  }

  /** Each swap is made by the user, in the lair, as fast as a shell can. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          the directory | mkdir -p d; mv -T d e; ln -sfnT $victims d; rm -f d; mv -T e d
          symbolic links | for f in pid lock log; do rm -f d/$f; ln -sf $victims/$f d/$f; rm -f d/$f; done
          hard links | for f in pid lock log; do ln -f $victims/$f d/$f; rm -f d/$f; done
          renamed links | for f in pid lock log; do ln -sf $victims/$f l; mv -fT l d/$f; :>f; mv -fT f d/$f; done
          """)
  void noSwapOfFilesOrDirectoriesReachesRootsFiles(String what, String swap) throws Exception {
    Path directory = Files.createDirectory(lair.resolve("d"));
    TestUser.output("chown", USER.name(), directory.toString());
    List<String> before = victims();

    Process attacker = asUser("cd $lair; while :; do " + swap + "; done 2>/dev/null");
    int started = 0;
    int refused = 0;
    try {
      for (int i = 0; i < STARTS; i++) {
        ProcessSandbox.Result result = start(directory, "true");
        if (result.exitCode() == 0) {
          started++;
        } else {
          assertThat(result.exitCode()).as(result.err()).isIn(CANNOT_CREATE, 69);
          refused++;
        }
        assertThat(victims()).as(what).isEqualTo(before);
      }
      assertThat(attacker.isAlive()).isTrue();
    } finally {
      attacker.destroyForcibly().waitFor();
    }
    // Otherwise there was no race.
    assertThat(started + refused).isEqualTo(STARTS);
    assertThat(victims()).isEqualTo(before);
  }

  /** A link that a user has made is not followed, even if it leads to a directory of root's. */
  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o"})
  void aLinkToADirectoryOfRootsIsNotFollowed(String option) throws Exception {
    runAsUser("ln -s $victims $lair/d");
    List<String> before = victims();

    ProcessSandbox.Result result = refused(option, lair.resolve("d/new"));

    assertThat(result.err()).contains("EACCES").contains("root");
    assertThat(victims()).isEqualTo(before);
  }

  /**
   * Root's own daemon, without {@code -u}: if the attacker can exchange a directory in the path,
   * the path can lead root to any file.
   */
  @ParameterizedTest
  @CsvSource({
    "-p, start",
    "--guard, start -p $dir/pid",
    "--guard, start --dry-run -p $dir/pid",
    "-l, start",
    "-o, start",
    "-o, run",
    "-o, start --dry-run",
    "-p, start --no-lock"
  })
  void rootOpensNothingByAPathThatAUserCanExchange(String option, String command) throws Exception {
    runAsUser("ln -s $victims $lair/link; mkdir $lair/d");
    List<String> before = victims();

    for (String directory : List.of("link", "d")) {
      Path file = lair.resolve(directory).resolve("new");
      Path ran = sandbox.file("ran");
      ProcessSandbox.Result result =
          sandbox.shell("$daimon " + command + " " + option + " " + file + " touch " + ran);

      assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
      assertThat(result.err())
          .startsWith("daimon: ")
          .contains(file + " is not opened as root: " + lair + " belongs to user")
          .hasLineCount(1);
      assertThat(ran).doesNotExist();
      assertThat(file).doesNotExist();
    }
    assertThat(victims()).isEqualTo(before);
  }

  /** A restart that is refused leaves the old daemon running. */
  @Test
  void aRestartIsRefusedBeforeItStops() throws Exception {
    Path pidFile = sandbox.file("daemon.pid");
    runAsUser("ln -s $victims $lair/link");
    ProcessSandbox.Result started =
        sandbox.daimon("start", "-p", pidFile.toString(), "sleep", "600");
    assertThat(started).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    long pid = ProcessSandbox.pid(pidFile);

    ProcessSandbox.Result result =
        sandbox.shell("$daimon restart -p " + pidFile + " -o " + lair + "/link/new -- sleep 600");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
    assertThat(ProcessSandbox.pid(pidFile)).isEqualTo(pid);
    assertThat(ProcessHandle.of(pid)).get().matches(ProcessHandle::isAlive);
  }

  /** The path is in turn a directory and a link to a directory of root's. */
  @Test
  void noRaceLeadsRootToAnotherFile() throws Exception {
    List<String> before = victims();
    Process attacker =
        asUser(
            "cd $lair; ln -s $victims e; while :; do mkdir d; rmdir d; mv -T e d; mv -T d e; done"
                + " 2>/dev/null");
    try {
      for (int i = 0; i < STARTS; i++) {
        Path file = lair.resolve("d/new");
        ProcessSandbox.Result result =
            sandbox.daimon("start", "-o", file.toString(), "-l", file + ".lock", "true");
        assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
        assertThat(victims()).isEqualTo(before);
      }
      assertThat(attacker.isAlive()).isTrue();
    } finally {
      attacker.destroyForcibly().waitFor();
    }
  }

  /**
   * Links that root has made are followed; with {@code -u} the last directory may be the user's.
   */
  @Test
  void pathsThatOnlyRootCanExchangeAreUsed() throws Exception {
    Path link = Files.createSymbolicLink(sandbox.file("var-log"), victims);

    for (Path directory : List.of(link, lair, sticky())) {
      Path file = directory.resolve("new");
      assertThat(sandbox.daimon("start", "-o", file.toString(), "echo", "line"))
          .isEqualTo(new ProcessSandbox.Result(0, "", ""));
      sandbox.awaitEnd();
      assertThat(file).hasContent("line");
      assertThat(describe(file)).startsWith("0:0 644");
    }
  }

  /**
   * With the kernel's {@code fs.protected_hardlinks} off, anybody can make a hard link of any file:
   * of a log, of an empty file, of a pidfile that another daemon has left.
   */
  @ParameterizedTest
  @CsvSource({
    "log, start -o",
    "log, run -o",
    "log, start --dry-run -o",
    "empty, start -p",
    "stale, start -p",
    "stale, run -p",
    "stale, start --dry-run -p",
    "log, start -l",
    "log, start --dry-run -l",
    "log, run -l",
  })
  void rootWritesToNoFileByAHardLink(String victim, String command) throws Exception {
    Files.createFile(victims.resolve("empty"));
    Files.writeString(victims.resolve("stale"), "4194304\n");
    List<String> before = victims();
    Path ran = sandbox.file("ran");
    for (Path directory : List.of(lair, sticky())) {
      Path link = Files.createLink(directory.resolve("link"), victims.resolve(victim));

      ProcessSandbox.Result result =
          sandbox.shell("$daimon " + command + " " + link + " -- touch " + ran);

      assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
      assertThat(result.err()).contains(link.toString()).contains("hard link").hasLineCount(1);
      assertThat(ran).doesNotExist();
      assertThat(link).exists();
      assertThat(victims()).isEqualTo(before);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o"})
  void aHardLinkOfRootsFileIsRefused(String option) throws Exception {
    Path link = Files.createLink(lair.resolve("link"), victims.resolve("log"));
    List<String> before = victims();

    refused(option, link);

    assertThat(victims()).isEqualTo(before);
  }

  /** Also if nobody but root can have made the second name. */
  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o"})
  void aFileWithTwoNamesIsNotHandedOver(String option) throws Exception {
    Path file = Files.writeString(victims.resolve("file"), option.equals("-p") ? "" : "precious\n");
    Path link = Files.createLink(victims.resolve("link"), file);
    List<String> before = victims();

    assertThat(refused(option, link).err()).contains("2 hard links");

    assertThat(victims()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o"})
  void aFileOfRootsInTheUsersDirectoryIsRefused(String option) throws Exception {
    Path file = Files.writeString(lair.resolve("file"), "precious\n");

    refused(option, file);

    assertThat(file).hasContent("precious");
    assertThat(describe(file)).startsWith("0:0 644");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o"})
  void aFileOfRootsInAStickyDirectoryIsRefused(String option) throws Exception {
    Path sticky = sticky();
    Path file = Files.writeString(sticky.resolve("file"), "precious\n");

    refused(option, file);

    assertThat(file).hasContent("precious");
    assertThat(describe(file)).startsWith("0:0 644");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o"})
  void aFileOfAThirdUsersInAStickyDirectoryIsRefused(String option) throws Exception {
    Path sticky = sticky();
    Path file = Files.writeString(sticky.resolve("file"), "precious\n");
    TestUser.output("chown", "nobody", file.toString());

    refused(option, file);

    assertThat(file).hasContent("precious");
    assertThat(describe(file)).startsWith("65534:0 644");
  }

  @ParameterizedTest
  @CsvSource({"file, start", "file, run", "file, start --dry-run", "fifo, start"})
  void anOutputFileThatAStrangerMadeInAStickyDirectoryIsRefused(String kind, String command)
      throws Exception {
    Path log = lair.resolve("out");
    Sandbox.openToAll(lair, "rwxrwxrwx");
    TestUser.output("chmod", "+t", lair.toString());
    runAsUser("umask 0; " + (kind.equals("file") ? ":>" : "mkfifo ") + log);
    Process reader = asUser("exec 3<>" + log + "; :>" + lair.resolve("ready") + "; cat <&3");
    Sandbox.await("the stranger to read", () -> Files.exists(lair.resolve("ready")));

    ProcessSandbox.Result result =
        sandbox.shell("$daimon " + command + " -o " + log + " -- echo secret");

    assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err())
        .startsWith("daimon: ")
        .hasLineCount(1)
        .contains(log + " belongs to user");
    reader.destroyForcibly().waitFor();
    if (kind.equals("file")) {
      assertThat(log).isEmptyFile();
    }
  }

  @Test
  void newFilesInAStickyDirectoryAreTheUsers() throws Exception {
    Path sticky = sticky();

    assertThat(start(sticky, "true")).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    for (String name : List.of("pid", "lock", "log")) {
      assertThat(describe(sticky.resolve(name))).startsWith(USER.uid() + ":" + USER.gid() + " 644");
    }
  }

  @Test
  void newFilesInADirectoryOfRootsAreMadeAndHandedOver() throws Exception {
    Path directory = Files.createDirectory(sandbox.file("roots"));

    assertThat(start(directory, "true")).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    for (String name : List.of("pid", "lock", "log")) {
      assertThat(describe(directory.resolve(name)))
          .startsWith(USER.uid() + ":" + USER.gid() + " 644");
    }
    assertThat(describe(directory)).startsWith("0:0 755");
  }

  /** At the next start of the same daemon the files belong to the user already. */
  @Test
  void theFilesThatWereHandedOverAreUsedByTheNextStart() throws Exception {
    Path directory = Files.createDirectory(sandbox.file("roots"));

    for (int i = 0; i < 2; i++) {
      assertThat(start(directory, "true")).isEqualTo(new ProcessSandbox.Result(0, "", ""));
      sandbox.awaitEnd();
    }
  }

  /** Neither a lock nor an error may tell the user what root alone can see. */
  @Test
  void theUserReplacesTheLogBetweenTwoStartsByALink() throws Exception {
    List<String> before = victims();
    assertThat(start(lair, "true")).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitEnd();
    runAsUser("ln -sf $victims/log $lair/log");

    ProcessSandbox.Result result = start(lair, "true");

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err()).contains("ELOOP").hasLineCount(1);
    assertThat(victims()).isEqualTo(before);
  }

  private Path sticky() throws IOException, InterruptedException {
    Path sticky = Files.createDirectory(sandbox.file("sticky"));
    TestUser.output("chmod", "1777", sticky.toString());
    return sticky;
  }

  private ProcessSandbox.Result start(Path directory, String program) throws Exception {
    return sandbox.daimon(
        "start",
        "-u",
        USER.name(),
        "-p",
        directory.resolve("pid").toString(),
        "-l",
        directory.resolve("lock").toString(),
        "-o",
        directory.resolve("log").toString(),
        program);
  }

  /** Checks that a start fails, with one line, and runs nothing. */
  private ProcessSandbox.Result refused(String option, Path file) throws Exception {
    Path ran = lair.resolve("ran");
    ProcessSandbox.Result result =
        sandbox.daimon(
            "start", "-u", USER.name(), option, file.toString(), "touch", ran.toString());
    assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err()).startsWith("daimon: ").contains(file.toString()).hasLineCount(1);
    assertThat(ran).doesNotExist();
    return result;
  }

  private void runAsUser(String script) throws Exception {
    assertThat(asUser(script).waitFor()).isZero();
  }

  private Process asUser(String script) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "setpriv",
                "--reuid=" + USER.uid(),
                "--regid=" + USER.gid(),
                "--init-groups",
                "/bin/sh",
                "-c",
                script));
    return sandbox
        .prepare(command, Map.of("victims", victims.toString(), "lair", lair.toString()))
        .redirectErrorStream(true)
        .start();
  }

  /** Everything in root's directory: name, owner, mode, links and content. */
  private List<String> victims() throws Exception {
    List<String> found = new ArrayList<>();
    try (Stream<Path> files = Files.walk(victims)) {
      for (Path file : files.sorted().toList()) {
        // A hard link in the lair was made by the attacker; it is no change by the command.
        String content = Files.isRegularFile(file) ? Files.readString(file) : "";
        found.add(file + " " + describe(file) + " " + content);
      }
    }
    return found;
  }

  private static String describe(Path file) throws IOException {
    Map<String, Object> attributes = Files.readAttributes(file, "unix:uid,gid,mode");
    int mode = (int) attributes.get("mode") & 07777;
    return attributes.get("uid") + ":" + attributes.get("gid") + " " + Integer.toOctalString(mode);
  }
}
