package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.privileges.Identity;
import dev.daimon.testing.ProcessSandbox.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Missing directories of the files: {@code --mkdir}. */
class MkdirIT {
  private static final int CANNOT_CREATE = 73;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private String pid;
  private String log;

  @BeforeEach
  void name() {
    pid = sandbox.file("run/app/x.pid").toString();
    log = sandbox.file("log/app/x.log").toString();
  }

  @Test
  void theyAreMadeWithTheModeThatTheUmaskLeaves() throws Exception {
    String guard = sandbox.file("run/app/x.guard").toString();
    Result result =
        sandbox.shell(
            "$daimon start --mkdir -m 027 -p $1 -o $2 -- sleep 1000 && $daimon stop -p $1"
                + " && stat -c '%a %n' $dir/run $dir/run/app $dir/log $dir/log/app; ls $3",
            pid, log, guard);

    Path dir = sandbox.directory();
    assertThat(result)
        .isEqualTo(
            new Result(
                0,
                "750 %s/run\n750 %s/run/app\n750 %s/log\n750 %s/log/app\n%s\n"
                    .formatted(dir, dir, dir, dir, guard),
                ""));
  }

  @Test
  void aStartThatFailsLeavesNone() throws Exception {
    Result result =
        sandbox.daimon(
            "start", "--mkdir", "-p", pid, "-o", log, "--wait", "60s", "--", "sh", "-c", "exit 3");

    assertThat(result.exitCode()).isEqualTo(70);
    assertThat(sandbox.directory()).isEmptyDirectory();

    Files.createFile(sandbox.file("log"));
    result = sandbox.daimon("start", "--mkdir", "-p", pid, "-o", log, "--", "sleep", "1000");
    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err())
        .hasLineCount(1)
        .startsWith("daimon: --stdout: " + log + ": its directory cannot be made: ")
        .contains(sandbox.file("log/app") + ": Not a directory");
    assertThat(sandbox.file("run")).doesNotExist();
  }

  @Test
  void aDryRunNamesThemAndMakesNone() throws Exception {
    Result result =
        sandbox.daimon("start", "--mkdir", "--dry-run", "-p", pid, "-o", log, "--", "sleep", "9");

    assertThat(result.err()).isEmpty();
    assertThat(result.out().lines().filter(line -> line.startsWith("mkdir: ")))
        .containsExactly(
            "mkdir: " + sandbox.file("run"),
            "mkdir: " + sandbox.file("run/app"),
            "mkdir: " + sandbox.file("log"),
            "mkdir: " + sandbox.file("log/app"));
    assertThat(sandbox.directory()).isEmptyDirectory();

    Files.createFile(sandbox.file("log"));
    result =
        sandbox.daimon("start", "--mkdir", "--dry-run", "-p", pid, "-o", log, "--", "sleep", "9");
    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err()).contains("--stdout: " + log + ": its directory cannot be made");
  }

  @Test
  void aRestartThatCannotMakeThemStopsNothing() throws Exception {
    long daemon = sandbox.start("--", "sleep", "1000");
    Files.createFile(sandbox.file("log"));
    String pidFile = sandbox.file("pid").toString();

    Result result =
        sandbox.daimon("restart", "--mkdir", "-p", pidFile, "-o", log, "--", "sleep", "1001");

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(ProcessHandle.of(daemon)).isPresent();
    Files.delete(sandbox.file("log"));
    result = sandbox.daimon("restart", "--mkdir", "-p", pidFile, "-o", log, "--", "sleep", "1001");
    assertThat(result).isEqualTo(new Result(0, "", ""));
    assertThat(Sandbox.pid(sandbox.file("pid"))).isNotEqualTo(daemon);
    assertThat(Path.of(log)).exists();
  }

  @Test
  void twoStartsAtOnceHaveThemBoth() throws Exception {
    Result result =
        sandbox.shell(
            """
            for i in 1 2 3 4 5; do
              $daimon start --mkdir -p $dir/$i/a/x.pid -o $dir/$i/l/x.log -- sleep 1000 & one=$!
              $daimon start --mkdir -p $dir/$i/a/y.pid -o $dir/$i/l/y.log -- sleep 1000 & other=$!
              wait $one || exit 1; wait $other || exit 1
              $daimon stop -p $dir/$i/a/x.pid && $daimon stop -p $dir/$i/a/y.pid || exit 1
            done
            """);

    assertThat(result).isEqualTo(new Result(0, "", ""));
  }

  /** Root, and a user of its own. */
  @Nested
  @Tag("root")
  class OfAUser {
    private static final String USER = "#3000000124";
    private static final long UID = 3_000_000_124L;

    @BeforeEach
    void open() throws Exception {
      Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    }

    @ParameterizedTest
    @CsvSource({"user, 3000000124", "root, 0"})
    void rootMakesThemForTheOwnerOfTheFile(String owner, String pidFilesOwner) throws Exception {
      Result result =
          sandbox.shell(
              "umask 077; $daimon start --mkdir -u $1 --pidfile-owner $2 -p $3 -o $4 -- sleep 1000"
                  + " && stat -c '%u %g %a' $dir/run $dir/run/app $3 $dir/log $dir/log/app $4",
              USER, owner, pid, log);

      String his = UID + " " + UID + " 755\n";
      String pids = pidFilesOwner + " " + pidFilesOwner + " 755\n";
      assertThat(result)
          .isEqualTo(
              new Result(
                  0,
                  pids + pids + pids.replace("755", "644") + his + his + his.replace("755", "644"),
                  ""));
    }

    @Test
    void aStartThatFailsLeavesNoneOfTheUsers() throws Exception {
      Files.createDirectory(sandbox.file("log"));
      Files.setAttribute(sandbox.file("log"), "unix:uid", (int) UID);

      Result result =
          sandbox.shell(
              "$daimon start --mkdir -u $1 -p $2 -o $3 --wait 60s -- sh -c 'exit 3' 2>/dev/null;"
                  + " echo $?; find $dir",
              USER,
              pid,
              log);

      assertThat(result.out())
          .isEqualTo("70\n" + sandbox.directory() + "\n" + sandbox.file("log") + "\n");
    }

    /** A directory that everybody may write to, and what a stranger has put there. */
    @ParameterizedTest
    @CsvSource({
      "'ln -s /etc $1', root",
      "'ln -s /etc $1', user",
      "'ln -s nowhere $1', root",
      "'ln -s nowhere $1', user",
      "'mkdir -m 755 $1', root",
      "'mkdir -m 755 $1', user",
      "'mkdir -m 777 $1', root",
    })
    void whatAStrangerHasPutThereIsNotUsed(String stranger, String user) throws Exception {
      Path tmp = Files.createDirectory(sandbox.file("run"));
      Sandbox.openToAll(tmp, "rwxrwxrwx");
      Files.setAttribute(tmp, "unix:mode", 01777);
      Path there = tmp.resolve("app");
      Result prepared =
          sandbox.shell(
              "setpriv --reuid=7001 --regid=7001 --clear-groups sh -c \"$1\" sh $2",
              stranger,
              there.toString());
      assertThat(prepared.exitCode()).isZero();
      List<String> before = entries(there);

      Result result =
          sandbox.daimon(
              "start",
              "--mkdir",
              "-u",
              user.equals("root") ? "root" : USER,
              "-p",
              there.resolve("a/b/x.pid").toString(),
              "--",
              "sleep",
              "1000");

      assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
      assertThat(result.err()).hasLineCount(1).startsWith("daimon: --pidfile: ");
      assertThat(entries(there)).isEqualTo(before);
      assertThat(Files.exists(Path.of("/etc/a"))).isFalse();
    }

    private static List<String> entries(Path there) {
      String[] names = there.toFile().list();
      return names == null ? List.of() : List.of(names);
    }
  }

  @Test
  void anOrdinaryUserMakesThemWhereHeMay() throws Exception {
    Path daimon = sandbox.publicDaimon();
    boolean root = Identity.effectiveUser() == 0;
    Path home = Files.createDirectory(sandbox.file("home"));
    if (root) {
      Files.setAttribute(home, "unix:uid", 65534);
    }
    String as = root ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
    Result result =
        sandbox.shell(
            ("%s$1 start --mkdir -p $dir/home/a/b/x.pid -- sleep 1000 && %s$1 stop -p"
                    + " $dir/home/a/b/x.pid; %s$1 start --mkdir -p /proc/a/x.pid -- sleep 1000")
                .formatted(as, as, as),
            daimon.toString());

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err())
        .startsWith(
            "daimon: --pidfile: /proc/a/x.pid: its directory cannot be made: mkdir /proc/a: ");
    assertThat(home.resolve("a/b")).isDirectory();
  }
}
