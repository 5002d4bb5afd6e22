package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.posix.NativePath;
import dev.daimon.privileges.Identity;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DaemonDirectoriesTest {
  private static final boolean ROOT = Identity.effectiveUser() == 0;
  private static final Path PROTECTED_SYMLINKS = Path.of("/proc/sys/fs/protected_symlinks");

  @TempDir Path directory;

  /** Where the directories are, by the environment and the user. */
  @Nested
  class Places {
    private static final List<String> AS_USER = ROOT ? ChildJvm.AS_NOBODY : List.of();
    private final long user = ROOT ? 65534 : Identity.effectiveUser();
    private Path runtime;

    @BeforeEach
    void makeRuntimeDirectory() throws Exception {
      runtime = Files.createDirectory(directory.resolve("runtime"));
      if (ROOT) {
        Files.setAttribute(runtime, "unix:uid", 65534);
      }
    }

    @Test
    void theVariablesNameThem() throws Exception {
      assertThat(
              places(
                  "HOME=/h",
                  "XDG_RUNTIME_DIR=" + runtime,
                  "XDG_STATE_HOME=/s",
                  "XDG_CONFIG_HOME=/c"))
          .containsExactly(
              runtime + "/daimon/web.pid",
              "/s/daimon/web.log",
              "/c/daimon/web.conf",
              "/s/daimon/web.started");
    }

    @Test
    void aVariableThatIsUnsetEmptyOrRelativeDoesNotCount() throws Exception {
      List<String> ofHome =
          List.of(
              usualRuntime("/h") + "/web.pid",
              "/h/.local/state/daimon/web.log",
              "/h/.config/daimon/web.conf",
              "/h/.local/state/daimon/web.started");

      assertThat(places("HOME=/h")).isEqualTo(ofHome);
      assertThat(places("HOME=/h", "XDG_STATE_HOME=", "XDG_CONFIG_HOME=c", "XDG_RUNTIME_DIR=r"))
          .isEqualTo(ofHome);
    }

    @Test
    void aRuntimeDirectoryOfAnotherUserOrOpenToOthersIsNotUsed() throws Exception {
      assertThat(places("HOME=/h", "XDG_RUNTIME_DIR=/")).contains(usualRuntime("/h") + "/web.pid");
      Files.setPosixFilePermissions(runtime, PosixFilePermissions.fromString("rwxrwx---"));
      assertThat(places("HOME=/h", "XDG_RUNTIME_DIR=" + runtime))
          .contains(usualRuntime("/h") + "/web.pid");
    }

    @Test
    void aPidfileIsWhereverTheStartsEnvironmentHasPutIt() throws Exception {
      Path state = directory.resolve("state");
      String[] login = {"XDG_RUNTIME_DIR=" + runtime, "XDG_STATE_HOME=" + state};
      String ofCron = state + "/daimon/run/web.pid";
      String ofLogin = runtime + "/daimon/web.pid";

      assertThat(places(login)).contains(ofLogin);
      makeFile(ofCron);
      assertThat(places(login)).contains(ofCron).doesNotContain(ofLogin);
      makeFile(ofLogin);
      assertThat(places(login)).contains(ofLogin);
    }

    private void makeFile(String path) throws Exception {
      String make = "mkdir -p ${1%/*}; touch $1; chmod -R a+rX $2/state $2/runtime";
      Files.createDirectories(directory.resolve("state"));
      Command.run("sh", "-ec", make, "sh", path, directory.toString());
    }

    @Test
    void withoutHomeItIsTheAccounts() throws Exception {
      Path home = NativePath.of(Identity.of("#" + user, null).home().orElseThrow());

      assertThat(places("A=B")).contains(home.resolve(".config/daimon/web.conf").toString());
    }

    @Test
    void theBytesOfTheirNamesAreKeptInEveryLocale() throws Exception {
      List<String> printed =
          child("bytes")
              .startedBy("env", "-i", "LC_ALL=C")
              .startedBy(
                  "sh", "-c", "HOME=$(printf '/h\\303\\266\\377'); export HOME; \"$@\"", "sh")
              .run("bytes")
              .lines();

      assertThat(printed).containsExactly("/h\u00f6\u00ff/.config/daimon/w\u00f6b.conf");
    }

    @Test
    @Tag("root")
    void rootsAreThoseOfTheSystemWhateverTheVariablesSay() throws Exception {
      assertThat(
              ChildJvm.of(Directories.class)
                  .startedBy("env", "HOME=/h", "XDG_STATE_HOME=/s", "XDG_RUNTIME_DIR=" + runtime)
                  .run("places")
                  .lines())
          .containsExactly(
              "/run/daimon/web.pid",
              "/var/log/daimon/web.log",
              "/etc/daimon/web.conf",
              "/run/daimon/web.started");
      assertThat(DaemonDirectories.ofUser("root").runtime()).hasToString("/run/daimon");
    }

    @Test
    void anotherUsersAreThoseWithoutVariables() throws Exception {
      Path home = NativePath.of(Identity.of("#7001", null).home().orElseThrow());
      assertThat(DaemonDirectories.ofUser("#7001").logs())
          .isEqualTo(home.resolve(".local/state/daimon"));
      assertThatExceptionOfType(StartException.class)
          .isThrownBy(() -> DaemonDirectories.ofUser("no-such-user"))
          .satisfies(failure -> assertThat(failure.reason()).isEqualTo(Reason.ACCOUNT));
    }

    private String usualRuntime(String home) {
      return Files.isDirectory(Path.of("/run/user/" + user))
          ? "/run/user/" + user + "/daimon"
          : home + "/.local/state/daimon/run";
    }

    private List<String> places(String... environment) throws Exception {
      List<String> command = new ArrayList<>(List.of("env", "-i"));
      command.addAll(List.of(environment));
      return child("places").startedBy(command).run("places").lines();
    }

    private ChildJvm child(String what) throws Exception {
      Path classes = directory.resolve("classes-" + what);
      if (!Files.exists(classes)) {
        Files.createDirectory(classes);
        Command.run("chmod", "a+rx", directory.toString());
      }
      return ChildJvm.of(Directories.class).copied(classes).startedBy(AS_USER);
    }
  }

  /** How they are made. */
  @Nested
  class Making {
    private DaemonDirectories directories;

    @BeforeEach
    void name() {
      Path state = directory.resolve("state/daimon");
      directories =
          new DaemonDirectories(
              directory.resolve("run/daimon"), state, directory.resolve("none"), state);
    }

    @Test
    void whatIsMissingIsMadeAndTakenBackWithWhatIsEmpty() throws Exception {
      MadeDirectories made = directories.make(/* withLogs= */ true);

      assertThat(made.paths())
          .containsExactly(
              directory.resolve("run"),
              directory.resolve("run/daimon"),
              directory.resolve("state"),
              directory.resolve("state/daimon"));
      assertThat(directory.resolve("none")).doesNotExist();
      Path log = Files.createFile(directory.resolve("state/daimon/web.log"));

      MadeDirectories second = directories.make(/* withLogs= */ true);
      assertThat(second.paths()).isEmpty();
      second.undo(new IOException("another start"));
      assertThat(directory.resolve("run/daimon")).isDirectory();

      IOException reason = new IOException("no daemon");
      made.undo(reason);
      assertThat(reason).hasNoSuppressedExceptions();
      assertThat(directory.resolve("run")).doesNotExist();
      assertThat(log).exists();
    }

    @Test
    void theirModeDoesNotDependOnTheUmask() throws Exception {
      for (String umask : List.of("0000", "0777")) {
        Path there = directory.resolve("umask" + umask);
        Files.createDirectory(there);
        assertThat(
                ChildJvm.of(Directories.class)
                    .startedBy("sh", "-c", "umask " + umask + "; exec \"$@\"", "sh")
                    .run("make", there)
                    .lines())
            .containsExactlyElementsOf(
                List.of(
                    ROOT ? "rwxr-xr-x " + there.resolve("x") : "rwx------ " + there.resolve("x"),
                    (ROOT ? "rwxr-xr-x " : "rwx------ ") + there.resolve("x/y")));
      }
    }

    @ParameterizedTest
    @CsvSource({
      "mkdir -m 0777 $1, is not safe: others may write to it (chmod go-w)",
      "mkdir -m 0770 $1, is not safe: others may write to it (chmod go-w)",
      "touch $1, 'Not a directory'",
      "ln -s nowhere $1, is a symbolic link that cannot be followed",
    })
    void oneThatIsNotTheUsersAloneIsRefusedAndNothingIsLeft(String command, String reason)
        throws Exception {
      Path state = Files.createDirectory(directory.resolve("state"));
      Path there = state.resolve("daimon");
      // Of another group than root's, whose members root trusts.
      prepare(command + (ROOT ? "; chown -h :7001 $1" : ""), there);

      assertRefused(there, reason);
      assertThat(directory.resolve("run")).doesNotExist();
    }

    @Test
    void onlyWhatIsNeededIsMade() throws Exception {
      Path run = directory.resolve("run/daimon");

      assertThat(directories.make(/* withLogs= */ false, /* withRecords= */ false).paths())
          .containsExactly(run.getParent(), run);
      assertThat(directories.make(/* withLogs= */ true, /* withRecords= */ false).paths())
          .containsExactly(directory.resolve("state"), directory.resolve("state/daimon"));
    }

    @Test
    void aRefusalForTheSakeOfTheOutputAloneSaysThatItMayGoElsewhere() throws Exception {
      Path logs = directory.resolve("log");
      prepare("mkdir -m 0777 $1", logs);
      Path run = directory.resolve("run");

      assertThatExceptionOfType(StartException.class)
          .isThrownBy(() -> new DaemonDirectories(run, logs, run, run).make(/* withLogs= */ true))
          .withMessageContaining(logs + " is not safe")
          .withMessageEndingWith("; name another file for the output (-o, standardOutput)");
    }

    @Test
    void aLinkOfTheUsersOwnIsFollowed() throws Exception {
      Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
      Files.createDirectory(directory.resolve("state"));
      Files.createSymbolicLink(directory.resolve("state/daimon"), elsewhere);

      assertThat(directories.make(/* withLogs= */ true).paths())
          .containsExactly(directory.resolve("run"), directory.resolve("run/daimon"));
    }

    @Test
    @Tag("root")
    void oneThatAStrangerHasPutThereIsRefused() throws Exception {
      Path tmp = Files.createDirectory(directory.resolve("state"));
      Command.run("chmod", "1777", tmp.toString());
      Path there = tmp.resolve("daimon");

      prepare("mkdir $1; chown 7001 $1", there);
      assertRefused(there, "is not safe: " + there + " belongs to user 7001");
      prepare("rmdir $1; mkdir -p ../real; ln -s ../real $1; chown -h 7001 $1", there);
      boolean followed = "0".equals(Files.readString(PROTECTED_SYMLINKS).strip());
      assertRefused(
          there,
          followed
              ? "is not safe: others than root may write to " + tmp
              : there + " is a symbolic link that cannot be followed");
    }

    @Test
    @Tag("root")
    void rootsAreMadeInAnEmptySystem() throws Exception {
      String namespace =
          "mount -t tmpfs x /run; mount -t tmpfs x /var; umask 077; cd /; \"$@\";"
              + " stat -c '%U %a %n' /run/daimon /var/log /var/log/daimon";
      Path classes = Files.createDirectory(directory.resolve("classes"));

      assertThat(
              ChildJvm.of(Directories.class)
                  .startedBy("unshare", "--mount", "--propagation", "private")
                  .startedBy("sh", "-euc", namespace, "sh")
                  .copied(classes)
                  .run("make-own")
                  .lines())
          .containsExactly(
              "/run/daimon",
              "/var/log",
              "/var/log/daimon",
              "root 755 /run/daimon",
              "root 755 /var/log",
              "root 755 /var/log/daimon");
    }

    @Test
    void twoStartsAtOnceBothSucceed() throws Exception {
      CyclicBarrier barrier = new CyclicBarrier(2);
      Callable<MadeDirectories> start =
          () -> {
            barrier.await(1, TimeUnit.MINUTES);
            return directories.make(/* withLogs= */ true);
          };
      try (ExecutorService both = Executors.newFixedThreadPool(2)) {
        for (int i = 0; i < 100; i++) {
          Future<MadeDirectories> one = both.submit(start);
          Future<MadeDirectories> other = both.submit(start);
          MadeDirectories first = one.get(1, TimeUnit.MINUTES);
          MadeDirectories second = other.get(1, TimeUnit.MINUTES);
          List<Path> made = new ArrayList<>(first.paths());
          made.addAll(second.paths());
          assertThat(made).hasSize(4).doesNotHaveDuplicates();
          first.undo(new IOException("next"));
          second.undo(new IOException("next"));
          // The outer one is left if the other start had made the inner one.
          Files.deleteIfExists(directory.resolve("state"));
          Files.deleteIfExists(directory.resolve("run"));
        }
      }
    }

    private void assertRefused(Path there, String reason) {
      assertThatExceptionOfType(StartException.class)
          .isThrownBy(() -> directories.make(/* withLogs= */ true))
          .withMessageContaining(there.toString())
          .withMessageContaining(reason)
          .satisfies(failure -> assertThat(failure.reason()).isEqualTo(Reason.FILE));
    }

    private void prepare(String command, Path path) throws Exception {
      Command.run(
          "sh",
          "-ec",
          "cd " + path.getParent() + "; " + command,
          "sh",
          path.getFileName().toString());
    }
  }

  /** Prints what the directories are, or makes them. */
  static final class Directories {
    private Directories() {}

    public static void main(String[] arguments) throws IOException {
      switch (arguments[0]) {
        case "places" -> {
          DaemonDirectories directories = DaemonDirectories.ofCaller();
          DaemonName name = new DaemonName("web");
          System.out.println(directories.pidFile(name));
          System.out.println(directories.log(name));
          System.out.println(directories.definition(name));
          System.out.println(directories.record(name));
        }
        case "bytes" -> {
          Path file = DaemonDirectories.ofCaller().definition(new DaemonName("w\u00f6b"));
          String text = new String(NativePath.bytes(file), StandardCharsets.ISO_8859_1);
          // Each byte as it is: one character each for the test.
          System.out.write(
              text.replace("\u00c3\u00b6", "\u00f6").getBytes(StandardCharsets.ISO_8859_1));
          System.out.println();
        }
        case "make" -> {
          Path there = Path.of(arguments[1], "x/y");
          DaemonDirectories directories = new DaemonDirectories(there, there, there, there);
          for (Path made : directories.make(/* withLogs= */ true).paths()) {
            System.out.println(
                PosixFilePermissions.toString(Files.getPosixFilePermissions(made)) + " " + made);
          }
        }
        default -> DaemonDirectories.ofCaller().make(true).paths().forEach(System.out::println);
      }
    }
  }
}
