package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a program gives up besides its user and groups, and what it keeps. */
@Tag("root")
class PrivilegesIT {
  private static final String[] EVERYTHING = {
    "-u",
    "nobody",
    "--groups",
    "daemon,#7",
    "--rlimit",
    "core=0",
    "--rlimit",
    "nofile=100:200",
    "--rlimit",
    "as=1000000000",
    "--nice",
    "7",
    "--oom-score-adj",
    "1000",
    "--no-new-privs",
    "--keep-cap",
    "kill",
    "--keep-cap",
    "CAP_Net_Bind_Service",
  };

  private static final String[] EVERYTHING_GIVEN = {
    "Uid:\t65534\t65534\t65534\t65534",
    "Gid:\t65534\t65534\t65534\t65534",
    "Groups:\t1 7 ",
    "CapInh:\t0000000000000420",
    "CapPrm:\t0000000000000420",
    "CapEff:\t0000000000000420",
    "CapBnd:\t0000000000000420",
    "CapAmb:\t0000000000000420",
    "NoNewPrivs:\t1",
    "core 0 0",
    "nofile 100 200",
    "as 976562",
    "nice 7",
    "oom 1000",
    "cwd /",
  };

  /** What a shell prints about itself; the limit on memory is in KiB. */
  private static final String SAYS =
      "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs)' /proc/self/status; echo core $(ulimit -Sc)"
          + " $(ulimit -Hc); echo nofile $(ulimit -Sn) $(ulimit -Hn); echo as $(ulimit -v);"
          + " echo nice $(nice); echo oom $(cat /proc/self/oom_score_adj); echo cwd $(pwd)";

  /** Binds the port that it is given, prints that, and answers each connection. */
  private static final String SERVER =
      """
      import java.net.*;
      class Server {
        public static void main(String[] args) throws Exception {
          try (var server = new ServerSocket(Integer.parseInt(args[0]), 9, InetAddress.getLoopbackAddress())) {
            System.out.println("bound");
            while (true) {
              try (var client = server.accept()) {
                client.getOutputStream().write("served".getBytes());
              }
            }
          }
        }
      }
      """;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @ValueSource(strings = {"start", "run", "restart"})
  void aProgramHasGivenUpWhatTheOptionsName(String command) throws Exception {
    Path said = sandbox.file("said");
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(List.of(EVERYTHING));
    words.addAll(List.of("-p", sandbox.file("pid").toString(), "-o", said.toString()));
    words.addAll(List.of("--", "sh", "-c", SAYS));

    Result result = sandbox.daimon(words.toArray(String[]::new));

    assertThat(result.exitCode()).as(result.toString()).isZero();
    sandbox.awaitEnd();
    assertThat(said).content().hasLineCount(EVERYTHING_GIVEN.length);
    assertThat(Files.readAllLines(said)).containsExactly(EVERYTHING_GIVEN);
  }

  /** An earlier limit of the same resource is not even tried. */
  @Test
  void ofOneResourceTheLastLimitCounts() throws Exception {
    Result result =
        sandbox.shell(
            "$daimon run --rlimit nofile=99999999999 --rlimit core=0 --rlimit nofile=10"
                + " sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'");

    assertThat(result).isEqualTo(new Result(0, "10\n10\n0\n", ""));
  }

  @Test
  void keepCapNoneKeepsNoCapability() throws Exception {
    Result result =
        sandbox.shell("$daimon run -u nobody --keep-cap none grep -E '^Cap' /proc/self/status");

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.out().lines())
        .hasSize(5)
        .allMatch(line -> line.endsWith("\t0000000000000000"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-u nobody                       | 65534",
        "-u nobody --groups none         | ''",
        "-u root --groups none           | ''",
        "-u nobody -g daemon             | 1",
        "-u nobody -g daemon --groups 65534 | 65534",
        "-g daemon --groups 7,#4000000000 | 7 4000000000",
      })
  void itsSupplementaryGroupsAreThoseOfTheOption(String options, String groups) throws Exception {
    List<String> words = new ArrayList<>(List.of("run"));
    words.addAll(List.of(options.split(" ", -1)));
    words.addAll(List.of("grep", "^Groups", "/proc/self/status"));

    Result result = sandbox.daimon(words.toArray(String[]::new));

    assertThat(result).isEqualTo(new Result(0, "Groups:\t" + groups + " \n", ""));
  }

  @Test
  void aLimitThatWouldKillTheLauncherAppliesToTheProgramAlone() throws Exception {
    long pid =
        sandbox.start(
            "--rlimit",
            "fsize=0",
            "--rlimit",
            "as=100000000",
            "--rlimit",
            "nofile=8",
            "--rlimit",
            "nproc=1",
            "--rlimit",
            "data=10000000",
            "sleep",
            "60");

    assertThat(Files.readAllLines(Path.of("/proc/" + pid + "/limits")))
        .anySatisfy(line -> assertThat(line).matches("Max file size +0 +0 +bytes *"))
        .anySatisfy(line -> assertThat(line).matches("Max processes +1 +1 +processes *"))
        .anySatisfy(line -> assertThat(line).matches("Max address space +100000000 .*"));
    assertThat(sandbox.daimon("stop", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
  }

  @Test
  void itBindsAPrivilegedPortWithTheOneCapabilityThatItKept() throws Exception {
    int port = privilegedPort();
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path source = Files.writeString(sandbox.file("Server.java"), SERVER);
    Path log = sandbox.file("log");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String[] server = {java, source.toString(), Integer.toString(port)};

    long pid =
        start("pid", log, List.of("-u", "nobody", "--keep-cap", "CAP_NET_BIND_SERVICE"), server);
    Sandbox.await("the server", () -> Files.readString(log).contains("bound"));

    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      assertThat(socket.getInputStream().readAllBytes()).asString().isEqualTo("served");
    }
    assertThat(Sandbox.status(pid, "Uid")).isEqualTo("65534\t65534\t65534\t65534");
    try (DirectoryStream<Path> threads =
        Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path thread : threads) {
        assertThat(Files.readAllLines(thread.resolve("status")))
            .contains("CapEff:\t0000000000000400", "CapBnd:\t0000000000000400");
      }
    }
    assertThat(sandbox.daimon("stop", "-p", sandbox.file("pid").toString()).exitCode()).isZero();

    // Without the capability it cannot bind the port.
    Path other = sandbox.file("other");
    start("pid2", other, List.of("-u", "nobody"), server);
    Sandbox.await("the failure", () -> Files.readString(other).contains("BindException"));
  }

  private long start(String pidFile, Path log, List<String> options, String... program)
      throws Exception {
    List<String> words = new ArrayList<>(List.of("start", "-o", log.toString()));
    words.addAll(List.of("-p", sandbox.file(pidFile).toString()));
    words.addAll(options);
    words.addAll(List.of(program));
    assertThat(sandbox.daimon(words.toArray(String[]::new))).isEqualTo(new Result(0, "", ""));
    return Sandbox.pid(sandbox.file(pidFile));
  }

  private static int privilegedPort() throws IOException {
    for (int port = 1023; ; port--) {
      try (ServerSocket _ = new ServerSocket(port)) {
        return port;
      } catch (BindException taken) {
        assertThat(port).isGreaterThan(1);
      }
    }
  }

  /** Executes a command with a new session keyring that has a key in it. */
  private static final String KEYRING =
      """
      import ctypes, os, platform, sys
      join, add = (250, 248) if platform.machine() == 'x86_64' else (219, 217)
      libc = ctypes.CDLL(None)
      libc.syscall(join, 1, None)
      assert libc.syscall(add, b'user', b'daimon-secret', b'x', 1, -3) > 0
      os.execvp(sys.argv[1], sys.argv[1:])
      """;

  /** The first row is what setpriv, su and runuser leave; in the others the user is ordinary. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "setpriv --reuid=65534 --regid=65534 --clear-groups | 20 true",
        "$daimon run -u nobody                               | 0 false",
        "$daimon run -u nobody --keep-cap net_bind_service   | 400 false",
        "$daimon start -u nobody -p $dir/pid -o /dev/stdout  | 0 false",
      })
  @Tag("python3")
  @Tag("attack")
  void rootsInheritableCapabilitiesAndSessionKeyringAreNotInherited(String as, String left)
      throws Exception {
    String says =
        "echo $(grep CapInh /proc/self/status | sed 's/.*\\t0*\\(.\\)/\\1/')"
            + " $(if grep -q daimon-secret /proc/keys; then echo true; else echo false; fi)";
    Path output = sandbox.file("said");
    Result result =
        sandbox.shell(
            "exec setpriv --inh-caps=+kill python3 -c \"$1\" "
                + as.replace("/dev/stdout", output.toString())
                + " sh -c \"$2\"",
            KEYRING,
            says);

    assertThat(result.exitCode()).as(result.toString()).isZero();
    sandbox.awaitEnd();
    String said = Files.exists(output) ? Files.readString(output) : result.out();
    assertThat(said).isEqualTo(left + "\n");
  }

  @Test
  @Tag("attack")
  void theProgramCanWriteNoFileOfRoots() throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");

    long pid =
        sandbox.start(
            "-u",
            "nobody",
            "-l",
            sandbox.file("lock").toString(),
            "-o",
            sandbox.file("out").toString(),
            "-e",
            sandbox.file("err").toString(),
            "--keep-cap",
            "net_bind_service",
            "--rlimit",
            "core=0",
            "sleep",
            "60");

    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(sandbox.directory())) {
      for (Path file : files) {
        Map<String, Object> status =
            Files.readAttributes(file, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
        boolean writable = ((int) status.get("mode") & 022) != 0;
        assertThat(writable).as(file.toString()).isFalse();
        names.add(file.getFileName() + " of " + status.get("uid"));
      }
    }
    // The guard file belongs to the command: only root can lock it again.
    assertThat(names)
        .containsExactlyInAnyOrder(
            "pid of 65534", "lock of 65534", "out of 65534", "err of 65534", "pid.guard of 0");
    try (DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/" + pid + "/fd"))) {
      for (Path descriptor : open) {
        if (!Files.readSymbolicLink(descriptor).equals(Path.of("/dev/null"))) {
          assertThat(Files.getAttribute(descriptor, "unix:uid")).isEqualTo(65534);
        }
      }
    }
    Result found =
        sandbox.run(
            List.of(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "find",
                sandbox.directory().toString(),
                "-user",
                "root",
                "-writable"),
            Map.of());
    assertThat(found).isEqualTo(new Result(0, "", ""));
  }

  /** A root directory with programs and nothing else, in a new mount namespace. */
  private Result inRoot(String... words) throws Exception {
    Path root = sandbox.file("root");
    if (!Files.exists(root)) {
      Files.createDirectories(root.resolve("usr"));
      Files.createDirectory(root.resolve("inside"));
      for (String name : List.of("bin", "lib", "lib64")) {
        Files.createSymbolicLink(root.resolve(name), Path.of("usr/" + name));
      }
    }
    List<String> command =
        new ArrayList<>(List.of("unshare", "--mount", "--propagation", "private"));
    command.addAll(
        List.of("sh", "-euc", "mount --bind /usr \"$0/usr\"; exec \"$@\"", root.toString()));
    command.add(Sandbox.DAIMON.toString());
    command.addAll(List.of(words));
    return sandbox.run(command, Map.of());
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void theRootDirectoryIsForTheProgramAloneNotForTheFiles(String command) throws Exception {
    Path log = sandbox.file("log");
    Path pidFile = sandbox.file("pid");

    Result result =
        inRoot(
            command,
            "--chroot",
            sandbox.file("root").toString(),
            "-c",
            "/inside",
            "-u",
            "nobody",
            "--rlimit",
            "core=0",
            "-p",
            pidFile.toString(),
            "-o",
            log.toString(),
            "sh",
            "-c",
            "pwd; echo /*; id -u; [ -e /proc/self ] || echo no proc; echo $$");

    assertThat(result).isEqualTo(new Result(0, "", ""));
    sandbox.awaitEnd();
    List<String> said = Files.readAllLines(log);
    assertThat(said.subList(0, 4))
        .containsExactly("/inside", "/bin /inside /lib /lib64 /usr", "65534", "no proc");
    assertThat(pidFile).hasContent(said.get(4));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-- sh -c true                | 0  | ''",
        "-c /inside -- sh -c true     | 0  | ''",
        "-c /tmp -- sh -c true        | 71 | --chdir: open /tmp: No such file or directory (ENOENT, 2)",
        "-- DIR/script                | 66 | DIR/script: No such file or directory (ENOENT, 2)",
        "-- ./script                  | 66 | ./script: No such file or directory (ENOENT, 2)",
        "-- /inside/script            | 66 | /inside/script: its interpreter /opt/sh: No such file or directory (ENOENT, 2)",
        "-- no-such-program           | 66 | no-such-program: not found in PATH",
      })
  void programAndDirectoryAreCheckedInTheNewRootDirectory(
      String words, int exitCode, String message) throws Exception {
    sandbox.script("script", "#!/bin/sh");
    assertThat(inRoot("--version").exitCode()).isZero();
    Files.copy(
        sandbox.script("inner", "#!/opt/sh"),
        sandbox.file("root/inside/script"),
        java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
    String directory = sandbox.directory().toString();
    for (String command : List.of("start --dry-run", "run --dry-run", "start")) {
      List<String> all = new ArrayList<>(List.of(command.split(" ", -1)));
      all.addAll(List.of("--chroot", sandbox.file("root").toString()));
      all.addAll(List.of(words.replace("DIR", directory).split(" ", -1)));

      Result result = inRoot(all.toArray(String[]::new));

      assertThat(result.exitCode()).as(result.toString()).isEqualTo(exitCode);
      assertThat(result.err())
          .isEqualTo(
              message.isEmpty() ? "" : "daimon: " + message.replace("DIR", directory) + "\n");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--chroot /no/such               | 71 | --chroot: chroot /no/such: No such file or directory (ENOENT, 2)",
        "--chroot /etc/passwd            | 71 | --chroot: chroot /etc/passwd: Not a directory (ENOTDIR, 20)",
        "-u nobody --groups daemon,nosuch | 67 | unknown group: nosuch",
        "-u nobody --groups 4294967295   | 67 | group id out of range: 4294967295",
      })
  void optionsThatCannotWorkAreReportedBeforeAnythingIsDone(
      String options, int exitCode, String message) throws Exception {
    Path pidFile = sandbox.file("pid");
    for (String command : List.of("start", "run", "restart")) {
      List<String> words = new ArrayList<>(List.of(command, "-p", pidFile.toString()));
      words.addAll(List.of(options.split(" ", -1)));
      words.add("true");

      Result result = sandbox.daimon(words.toArray(String[]::new));

      assertThat(result).isEqualTo(new Result(exitCode, "", "daimon: " + message + "\n"));
      assertThat(sandbox.directory()).isEmptyDirectory();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--nice -20             | setpriority -20: Permission denied (EACCES, 13)",
        "--oom-score-adj -1000  | write /proc/self/oom_score_adj -1000: Permission denied (EACCES, 13)",
        "--rlimit core=5:10     | prlimit core=5:10: Operation not permitted (EPERM, 1)",
        "--chroot /             | chroot /: Operation not permitted (EPERM, 1)",
        "--keep-cap kill        | capset CAP_KILL: Operation not permitted (EPERM, 1)",
      })
  void anOrdinaryUserIsRefusedWhatNeedsARight(String options, String message) throws Exception {
    for (String command : List.of("start", "run")) {
      Result result = asNobody(command + " " + options + " true");

      String option = options.substring(0, options.indexOf(' '));
      assertThat(result).isEqualTo(new Result(77, "", "daimon: " + option + ": " + message + "\n"));
    }
  }

  /** That is no missing right to change the root directory, so it is a failed call, 71. */
  @Test
  void aRootDirectoryThatTheUserMayNotEnterIsAnError() throws Exception {
    Path closed = Files.createDirectory(sandbox.file("closed"));
    TestUser.output("chmod", "700", closed.toString());

    Result result = asNobody("start --chroot " + closed + " true");

    assertThat(result)
        .isEqualTo(
            new Result(
                71,
                "",
                "daimon: --chroot: chroot " + closed + ": Permission denied (EACCES, 13)\n"));
  }

  @Test
  void anOrdinaryUserCanGiveUpWhatNeedsNoRight() throws Exception {
    Result result =
        asNobody(
            "run --nice 19 --oom-score-adj 1000 --no-new-privs --rlimit core=2:3 grep NoNewPrivs"
                + " /proc/self/status");

    assertThat(result).isEqualTo(new Result(0, "NoNewPrivs:\t1\n", ""));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-u nobody                        | 0  | 'Groups:\t7 '",
        "-u nobody --nice 19              | 0  | 'Groups:\t7 '",
        "-u nobody --groups 7             | 0  | 'Groups:\t7 '",
        "-u nobody --groups 7 --nice 19   | 0  | 'Groups:\t7 '",
        "-u nobody --groups none          | 77 | ''",
        "-u nobody --groups 7,8           | 77 | ''",
        "-g nogroup --groups none --nice 19 | 77 | ''",
      })
  void aUserMayNameOnlyTheGroupsThatTheProcessHasAlready(
      String options, int exitCode, String groups) throws Exception {
    Result result = asNobody("--groups=7", "run " + options + " grep ^Groups /proc/self/status");

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(exitCode);
    assertThat(result.out().strip()).isEqualTo(groups.strip());
    assertThat(result.err().contains("setgroups")).isEqualTo(exitCode == 77);
  }

  private Result asNobody(String words) throws Exception {
    return asNobody("--clear-groups", words);
  }

  private Result asNobody(String groups, String words) throws Exception {
    List<String> command = new ArrayList<>(List.of("prlimit", "--core=4:5"));
    command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", groups));
    command.add(sandbox.publicDaimon().toString());
    command.addAll(List.of(words.split(" ", -1)));
    return sandbox.run(command, Map.of());
  }

  @Test
  void aDryRunPrintsEveryOption() throws Exception {
    List<String> words = new ArrayList<>(List.of("start", "--dry-run"));
    words.addAll(List.of(EVERYTHING));
    words.addAll(List.of("--chroot", "/", "true"));

    Result result = sandbox.daimon(words.toArray(String[]::new));

    assertThat(result.err()).isEmpty();
    assertThat(result.out().lines())
        .contains(
            "identity: uid 65534, gid 65534, groups [1 7]",
            "rlimit: core=0",
            "rlimit: nofile=100:200",
            "rlimit: as=1000000000",
            "oom-score-adj: 1000",
            "nice: 7",
            "no-new-privs: yes",
            "keep-cap: [CAP_KILL, CAP_NET_BIND_SERVICE]",
            "chroot: /");
  }
}
