package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The user and groups of the program: {@code --user} and {@code --group}. */
@Tag("root")
class UserIT {
  /** A user id that no account has. */
  private static final String NOBODYS = "3000000123";

  private static final int CANNOT_TELL = 4;
  private static final int NO_PERMISSION = 77;
  private static final int NO_USER = 67;
  private static final int NO_PROGRAM = 66;
  private static final int SYSTEM = 71;
  private static final int CANNOT_CREATE = 73;

  @RegisterExtension static final TestUser USER = new TestUser("dmuser");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aUserAloneImpliesItsGroupAndSupplementaryGroups(String command) throws Exception {
    String status = saidBy(command, List.of("-u", USER.name()), "cat", "/proc/self/status");

    assertIds(status, USER.uid(), USER.gid());
    assertThat(groups(status)).isEqualTo(sorted(TestUser.output("id", "-G", USER.name())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aUserNumberMeansTheSameAsTheName(String command) throws Exception {
    String status = saidBy(command, List.of("-u", "#" + USER.uid()), "cat", "/proc/self/status");

    assertIds(status, USER.uid(), USER.gid());
    assertThat(groups(status)).isEqualTo(sorted(TestUser.output("id", "-G", USER.name())));
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aGroupAloneReplacesTheSupplementaryGroupsAndLeavesTheUser(String command) throws Exception {
    long group = gidOf(USER.group("a"));

    String status =
        saidBy(
            List.of("setpriv", "--groups=0,4,5"),
            command,
            List.of("-g", USER.group("a")),
            "cat",
            "/proc/self/status");

    assertIds(status, 0, group);
    assertThat(groups(status)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aUserWithAGroupIsInThatGroupAndStaysAMemberOfItsOthers(String command) throws Exception {
    List<String> both = List.of("-u", USER.name(), "-g", USER.group("a"));

    String status = saidBy(command, both, "cat", "/proc/self/status");

    long group = gidOf(USER.group("a"));
    assertIds(status, USER.uid(), group);
    assertThat(groups(status)).isEqualTo(sorted(group + " " + gidOf(USER.group("b"))));
  }

  @ParameterizedTest
  @CsvSource({
    "start, 3000000123",
    "start, #3000000123",
    "run, 3000000123",
    "run, #3000000123",
  })
  void aNumberWithoutAnAccountHasTheGroupOfThatNumberAndNoOther(String command, String user)
      throws Exception {
    String status = saidBy(command, List.of("-u", user), "cat", "/proc/self/status");

    assertIds(status, Long.parseLong(NOBODYS), Long.parseLong(NOBODYS));
    assertThat(groups(status)).isEmpty();
  }

  @Test
  void aNumberWithoutAnAccountTakesTheGroupThatIsGiven() throws Exception {
    List<String> both = List.of("-u", NOBODYS, "-g", "#4000000456");

    String status = saidBy("start", both, "cat", "/proc/self/status");

    assertIds(status, Long.parseLong(NOBODYS), 4_000_000_456L);
    assertThat(groups(status)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void noCapabilityIsLeft(String command) throws Exception {
    String status = saidBy(command, List.of("-u", USER.name()), "cat", "/proc/self/status");

    for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapAmb")) {
      assertThat(line(status, set)).as(set).matches("0+");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void homeUserAndLogNameFollowTheUser(String command) throws Exception {
    String environment = saidBy(command, List.of("-u", USER.name()), "env");

    assertThat(environment.lines())
        .contains("HOME=" + TestUser.HOME, "USER=" + USER.name(), "LOGNAME=" + USER.name());
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aVariableOfTheOptionOverridesTheUsersOwn(String command) throws Exception {
    List<String> options = List.of("-E", "HOME=/mine", "-E", "LOGNAME", "-u", USER.name());

    String environment = saidBy(command, options, "env");

    assertThat(environment.lines())
        .contains("HOME=/mine", "USER=" + USER.name(), "LOGNAME=")
        .doesNotContain("HOME=" + TestUser.HOME);
  }

  @Test
  void aGroupAloneLeavesTheEnvironmentAsItIs() throws Exception {
    String environment =
        saidBy(
            List.of("env", "HOME=/as/before", "USER=before", "LOGNAME=before"),
            "start",
            List.of("-g", USER.group("a")),
            "env");

    assertThat(environment.lines()).contains("HOME=/as/before", "USER=before", "LOGNAME=before");
  }

  @ParameterizedTest
  @CsvSource({
    "start, -u, root",
    "start, -g, root",
    "start, -u, #0",
    "start, -u, 3000000123",
    "run, -u, root",
    "run, -g, root",
  })
  void anOrdinaryUserCannotBecomeAnother(String command, String option, String name)
      throws Exception {
    Path directory = directoryOf("nobody");
    Path pidFile = directory.resolve("pid");

    ProcessSandbox.Result result =
        asNobody(command, option, name, "-p", pidFile.toString(), "touch", directory + "/ran");

    assertThat(result.exitCode()).isEqualTo(NO_PERMISSION);
    assertOneLine(result);
    assertThat(directory).isEmptyDirectory();
  }

  @ParameterizedTest
  @CsvSource({
    "start, -u nobody",
    "start, -u 65534",
    "start, -g nogroup",
    "start, -u nobody -g nogroup",
    "run, -u nobody",
    "run, -g #65534",
  })
  void becomingTheSameUserNeedsNoRight(String command, String options) throws Exception {
    Path directory = directoryOf("nobody");
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(List.of(options.split(" ", -1)));
    words.addAll(List.of("-o", directory + "/log", "id", "-u"));

    ProcessSandbox.Result result = asNobody(words.toArray(String[]::new));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitEnd();
    assertThat(directory.resolve("log")).hasContent("65534");
  }

  @ParameterizedTest
  @CsvSource({
    "-u, no-such-user",
    "-g, no-such-group",
    "-u, #nobody",
    "-u, #",
    "-u, -1",
    "-u, 4294967295",
    "-g, 4294967296",
    "-u, 99999999999999999999",
  })
  void aUserOrGroupThatDoesNotExistIsNamed(String option, String name) throws Exception {
    Path pidFile = sandbox.file("pid");
    for (String command : List.of("start", "run")) {
      ProcessSandbox.Result result =
          sandbox.daimon(
              command,
              option,
              name,
              "-p",
              pidFile.toString(),
              "touch",
              sandbox.file("ran").toString());

      assertThat(result.exitCode()).as(result.err()).isEqualTo(NO_USER);
      assertOneLine(result);
      assertThat(result.err()).contains(name);
      assertThat(sandbox.directory()).isEmptyDirectory();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void everyNewFileBelongsToTheUser(String command) throws Exception {
    List<String> names = List.of("pid", "lock", "out", "err");

    ProcessSandbox.Result result =
        sandbox.daimon(
            command,
            "-u",
            USER.name(),
            "-p",
            sandbox.file("pid").toString(),
            "-l",
            sandbox.file("lock").toString(),
            "-o",
            sandbox.file("out").toString(),
            "-e",
            sandbox.file("err").toString(),
            "true");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    for (String name : names) {
      assertThat(ownerOf(sandbox.file(name))).isEqualTo(USER.uid() + ":" + USER.gid() + " 644");
    }
  }

  @Test
  void existingFilesInADirectoryOfRootsAreHandedOver() throws Exception {
    Path log = Files.writeString(sandbox.file("log"), "before\n");
    Path pidFile = Files.writeString(sandbox.file("pid"), "4194304\n");

    ProcessSandbox.Result result =
        sandbox.daimon(
            "start",
            "-u",
            USER.name(),
            "-a",
            "-o",
            log.toString(),
            "-p",
            pidFile.toString(),
            "echo",
            "after");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitEnd();
    assertThat(log).hasContent("before\nafter");
    assertThat(ownerOf(log)).isEqualTo(USER.uid() + ":" + USER.gid() + " 644");
    assertThat(ownerOf(pidFile)).isEqualTo(USER.uid() + ":" + USER.gid() + " 644");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void afterAFailedStartFilesOfRootsStillBelongToRoot(String command) throws Exception {
    Path pidFile = Files.writeString(sandbox.file("pid"), "4194304\n");
    Path lock = Files.writeString(sandbox.file("lock"), "kept\n");
    Path log = Files.writeString(sandbox.file("log"), "before\n");

    ProcessSandbox.Result result =
        sandbox.shell(
            ("$daimon " + command + " -u " + USER.name())
                + " -p $dir/pid -l $dir/lock -o $dir/log -e $dir/missing/err touch $dir/ran");

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertOneLine(result);
    for (Path file : List.of(pidFile, lock, log)) {
      assertThat(ownerOf(file)).as(file.toString()).isEqualTo("0:0 644");
    }
    assertThat(pidFile).hasContent("4194304");
    assertThat(lock).hasContent("kept");
    assertThat(log).hasContent("before");
    assertThat(sandbox.file("ran")).doesNotExist();
  }

  @Test
  void aGroupAloneChangesTheGroupOfTheFilesAlone() throws Exception {
    Path log = sandbox.file("log");

    ProcessSandbox.Result result =
        sandbox.daimon("start", "-g", USER.group("a"), "-o", log.toString(), "true");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(ownerOf(log)).isEqualTo("0:" + gidOf(USER.group("a")) + " 644");
  }

  @ParameterizedTest
  @CsvSource({"root, user", "user, root"})
  void aPidfileWithoutALockAndALogMayBeInDirectoriesOfDifferentOwners(
      String ownerOfPidfile, String ownerOfLog) throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path pidFile = directoryOf("root".equals(ownerOfPidfile) ? "root" : USER.name(), "p", "pid");
    Path log = directoryOf("root".equals(ownerOfLog) ? "root" : USER.name(), "l", "log");

    ProcessSandbox.Result result =
        sandbox.daimon(
            "start",
            "-u",
            USER.name(),
            "--no-lock",
            "-p",
            pidFile.toString(),
            "-o",
            log.toString(),
            "sleep",
            "60");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(Sandbox.status(Sandbox.pid(pidFile), "Name")).isEqualTo("sleep");
    assertThat(ownerOf(pidFile)).isEqualTo(USER.uid() + ":" + USER.gid() + " 644");
    assertThat(ownerOf(log)).isEqualTo(USER.uid() + ":" + USER.gid() + " 644");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aProgramThatOnlyTheUserMayExecuteRuns(String command) throws Exception {
    Path program = program(directoryOf(USER.name()), "r-x------", USER.name());

    assertThat(saidBy(command, List.of("-u", USER.name()), program.toString()).strip())
        .isEqualTo("it ran");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aProgramThatTheUserMayNotExecuteIsNotRunByRootEither(String command) throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path program = program(directoryOf("root"), "rwx------", "root");
    Path log = Files.writeString(sandbox.file("log"), "before");

    ProcessSandbox.Result result =
        sandbox.daimon(command, "-u", USER.name(), "-o", log.toString(), program.toString());

    assertThat(result.exitCode()).isEqualTo(NO_PROGRAM);
    assertOneLine(result);
    assertThat(result.err()).contains(program.toString());
    assertThat(log).hasContent("before");
  }

  @Test
  void theProgramIsLookedUpInPathAsTheUser() throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path hidden = directoryOf("root", "hidden", "bin");
    Files.createDirectory(hidden);
    Sandbox.openToAll(hidden.getParent(), "rwx------");
    program(hidden, "rwxr-xr-x", "root");
    Path visible = directoryOf(USER.name());
    Path program = program(visible, "r-x------", USER.name());
    Files.writeString(program, "#!/bin/sh\necho the right one\n");

    String said =
        saidBy(
            List.of("env", "PATH=" + hidden + ":" + visible + ":" + System.getenv("PATH")),
            "start",
            List.of("-u", USER.name()),
            "program");

    assertThat(said.strip()).isEqualTo("the right one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void theWorkingDirectoryIsCheckedAsTheUser(String command) throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path directory = directoryOf("root", "closed", "").toAbsolutePath();
    Sandbox.openToAll(directory, "rwx------");
    Path ran = sandbox.file("ran");

    ProcessSandbox.Result result =
        sandbox.daimon(
            command, "-u", USER.name(), "-c", directory.toString(), "touch", ran.toString());

    assertThat(result.exitCode()).isEqualTo(SYSTEM);
    assertOneLine(result);
    assertThat(result.err()).contains(directory.toString()).contains("EACCES");
    assertThat(ran).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aWorkingDirectoryThatOnlyTheUserMayEnterIsEntered(String command) throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path directory = directoryOf(USER.name());
    Sandbox.openToAll(directory, "rwx------");

    String said = saidBy(command, List.of("-u", USER.name(), "-c", directory.toString()), "pwd");

    assertThat(said.strip()).isEqualTo(directory.toString());
  }

  @Test
  void aRestartCreatesTheGuardWhereOnlyTheUserMay() throws Exception {
    Path directory = directoryOf(USER.name());

    ProcessSandbox.Result result =
        sandbox.daimon(
            "restart", "-u", USER.name(), "-p", directory.resolve("x.pid").toString(), "true");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", "daimon: it was not running\n"));
    assertThat(ownerOf(directory.resolve("x.guard")))
        .isEqualTo(USER.uid() + ":" + USER.gid() + " 600");
  }

  @Test
  void aPidfileOfAThirdUserIsNotTakenOver() throws Exception {
    Path pidFile = Files.writeString(directoryOf(USER.name()).resolve("x.pid"), "1\n");
    Sandbox.openToAll(pidFile, "rw-rw-rw-");
    TestUser.output("chown", "65534", pidFile.toString());

    ProcessSandbox.Result result =
        sandbox.daimon("start", "-u", USER.name(), "-p", pidFile.toString(), "true");

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertOneLine(result);
    assertThat(result.err()).contains("belongs to user 65534", "user " + USER.uid());
    assertThat(pidFile).hasContent("1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void theGroupMayBeGivenWithTheUser(String command) throws Exception {
    long group = gidOf(USER.group("a"));
    for (String user :
        List.of(USER.name() + ":" + USER.group("a"), "#" + USER.uid() + ":" + group)) {
      assertIds(
          saidBy(command, List.of("-u", user), "cat", "/proc/self/status"), USER.uid(), group);
      Files.deleteIfExists(sandbox.file("said"));
    }
    List<String> same = List.of("-u", USER.name() + ":" + USER.group("a"), "-g", "" + group);
    assertIds(saidBy(command, same, "cat", "/proc/self/status"), USER.uid(), group);
    Files.deleteIfExists(sandbox.file("said"));
    List<String> own = List.of("-u", USER.name() + ":");
    assertIds(saidBy(command, own, "cat", "/proc/self/status"), USER.uid(), USER.gid());
  }

  @Test
  void twoDifferentGroupsAreAUsageError() throws Exception {
    for (String with : List.of(USER.group("a"), "")) {
      ProcessSandbox.Result result =
          sandbox.daimon("start", "-u", USER.name() + ":" + with, "-g", USER.group("b"), "true");

      assertThat(result.exitCode()).isEqualTo(64);
      assertOneLine(result);
    }
    ProcessSandbox.Result unknown = sandbox.daimon("start", "-u", USER.name() + ":nosuch", "true");
    assertThat(unknown.exitCode()).isEqualTo(NO_USER);
    assertThat(unknown.err()).contains("nosuch");
  }

  /** The user can neither remove the pidfile nor write another process id into it. */
  @ParameterizedTest
  @ValueSource(strings = {"start", "restart"})
  void withPidfileOwnerRootThePidfileStaysRootsAndStopControlsIt(String command) throws Exception {
    List<String> files =
        List.of("-p", sandbox.file("pid").toString(), "-l", sandbox.file("lock").toString());
    List<String> words = new ArrayList<>(List.of(command, "-u", USER.name()));
    words.addAll(files);
    words.addAll(List.of("-o", sandbox.file("log").toString()));
    words.addAll(List.of("--pidfile-owner", "root", "sleep", "1000"));

    assertThat(sandbox.daimon(words.toArray(new String[0])).exitCode()).isZero();

    long pid = Sandbox.pid(sandbox.file("pid"));
    assertThat(Sandbox.status(pid, "Uid")).startsWith(USER.uid() + "\t");
    for (String name : List.of("pid", "lock", "pid.guard")) {
      assertThat(ownerOf(sandbox.file(name))).startsWith("0:0 ");
    }
    assertThat(ownerOf(sandbox.file("log"))).startsWith(USER.uid() + ":");
    assertThat(sandbox.daimon("status", "-p", sandbox.file("pid").toString()).exitCode()).isZero();
    assertThat(sandbox.daimon("stop", "-p", sandbox.file("pid").toString()))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.file("pid")).doesNotExist();
  }

  /** It has root's pidfile open, and its lock, which it gives up before it is ready. */
  @ParameterizedTest
  @ValueSource(strings = {"start", "restart"})
  @Tag("python3")
  void aDaemonThatNamesAnotherProcessBeforeItIsReadyIsNotControlled(String command)
      throws Exception {
    Process victim = sandbox.prepare(List.of("sleep", "1000"), Map.of()).start();
    Path pidFile = sandbox.file("pid");
    String script =
        "import os, signal, socket, sys, time\n"
            + "lock = next(int(f) for f in os.listdir('/proc/self/fd')"
            + " if os.path.realpath('/proc/self/fd/' + f) == sys.argv[1])\n"
            + "while os.pread(lock, 20, 0).strip() != str(os.getpid()).encode(): time.sleep(.01)\n"
            + "os.ftruncate(lock, 0)\n"
            + "os.pwrite(lock, (sys.argv[2] + '\\n').encode(), 0)\n"
            + "os.close(lock)\n"
            + "a = os.environ['NOTIFY_SOCKET']\n"
            + "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
            + "s.sendto(b'READY=1', '\\0' + a[1:] if a[0] == '@' else a)\n"
            + "signal.pause()\n";

    ProcessSandbox.Result result =
        sandbox.daimon(
            command,
            "-u",
            USER.name(),
            "-p",
            pidFile.toString(),
            "--pidfile-owner",
            "root",
            "--ready",
            "notify",
            "--",
            "python3",
            "-c",
            script,
            pidFile.toString(),
            Long.toString(victim.pid()));

    assertThat(result.exitCode()).as(result.toString()).isZero();
    Sandbox.await("the lock to go", () -> !Sandbox.isListedAsLocked(pidFile));
    assertThat(sandbox.daimon("stop", "--pid-only", "-p", pidFile.toString()).exitCode())
        .isEqualTo(CANNOT_TELL);
    assertThat(victim.isAlive()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run", "start --dry-run", "start --no-lock"})
  void inADirectoryOfAUsersThePidfileCannotStayRoots(String command) throws Exception {
    Path pidFile = directoryOf(USER.name()).resolve("pid");
    List<String> words = new ArrayList<>(List.of(command.split(" ", -1)));
    words.addAll(List.of("-u", USER.name(), "-p", pidFile.toString(), "--pidfile-owner", "root"));
    words.addAll(List.of("touch", sandbox.file("ran").toString()));

    ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(CANNOT_CREATE);
    assertOneLine(result);
    assertThat(result.err()).contains("root's");
    assertThat(pidFile.getParent()).isEmptyDirectory();
    assertThat(sandbox.file("ran")).doesNotExist();
  }

  private String saidBy(String command, List<String> options, String... program) throws Exception {
    return saidBy(List.of(), command, options, program);
  }

  /** Returns what a program prints that is started with these options. */
  private String saidBy(
      List<String> prefix, String command, List<String> options, String... program)
      throws Exception {
    List<String> words = new ArrayList<>(prefix);
    words.addAll(List.of(Sandbox.DAIMON.toString(), command));
    words.addAll(options);
    Path log = sandbox.file("said");
    if ("start".equals(command)) {
      words.addAll(List.of("-o", log.toString()));
    }
    words.add("--");
    words.addAll(List.of(program));
    ProcessSandbox.Result result = sandbox.run(words, Map.of());
    assertThat(result.err()).isEmpty();
    assertThat(result.exitCode()).isZero();
    if ("run".equals(command)) {
      return result.out();
    }
    sandbox.awaitEnd();
    return Files.readString(log);
  }

  /** As an {@code ssh-agent} does, it makes itself one that nobody but root may examine. */
  @Test
  @Tag("python3")
  void aUserControlsADaemonThatMayNotBeExaminedByItsRecord() throws Exception {
    Path directory = directoryOf("nobody");
    String pidFile = directory.resolve("pid").toString();
    String script =
        "import ctypes, socket; ctypes.CDLL(None).prctl(4, 0);"
            + " s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); s.accept()";

    assertThat(asNobody("start", "-p", pidFile, "--", "python3", "-c", script).exitCode()).isZero();
    Path listing = Path.of("/proc/" + Files.readString(Path.of(pidFile)).strip() + "/fd");
    Sandbox.await("prctl", () -> (int) Files.getAttribute(listing, "unix:uid") == 0);

    assertThat(asNobody("status", "-p", pidFile).exitCode()).isZero();
    assertThat(asNobody("signal", "-p", pidFile, "CONT").exitCode()).isZero();
    Path guard = directory.resolve("pid.guard");
    byte[] record = Files.readAllBytes(guard);
    Files.write(guard, new byte[0]);
    assertThat(asNobody("stop", "-p", pidFile).exitCode()).as("without the record").isEqualTo(4);
    Files.write(guard, record);
    assertThat(asNobody("stop", "-p", pidFile)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(Path.of(pidFile)).doesNotExist();
  }

  private ProcessSandbox.Result asNobody(String... words) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    command.add(sandbox.publicDaimon().toString());
    command.addAll(List.of(words));
    return sandbox.run(command, Map.of());
  }

  /** Creates a directory that belongs to this user. */
  private Path directoryOf(String user) throws Exception {
    return directoryOf(user, "of-" + user, "").toAbsolutePath();
  }

  private Path directoryOf(String user, String name, String file) throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path directory = Files.createDirectory(sandbox.file(name));
    TestUser.output("chown", user, directory.toString());
    return file.isEmpty() ? directory : directory.resolve(file);
  }

  private static Path program(Path directory, String permissions, String owner) throws Exception {
    Path program = directory.resolve("program");
    Files.writeString(program, "#!/bin/sh\necho it ran\n");
    TestUser.output("chown", owner, program.toString());
    Sandbox.openToAll(program, permissions);
    return program;
  }

  private static String ownerOf(Path path) throws Exception {
    return TestUser.output("stat", "-c", "%u:%g %a", path.toString());
  }

  private static long gidOf(String group) throws Exception {
    return Long.parseLong(TestUser.output("getent", "group", group).split(":", -1)[2]);
  }

  /** The real, effective, saved and file system id, all equal. */
  private static void assertIds(String status, long uid, long gid) {
    assertThat(line(status, "Uid")).isEqualTo(String.join("\t", nCopies(uid)));
    assertThat(line(status, "Gid")).isEqualTo(String.join("\t", nCopies(gid)));
  }

  private static List<String> nCopies(long id) {
    return Stream.generate(() -> Long.toString(id)).limit(4).toList();
  }

  private static List<String> groups(String status) {
    return sorted(line(status, "Groups"));
  }

  private static List<String> sorted(String words) {
    return Arrays.stream(words.split("\\s+", -1)).filter(w -> !w.isEmpty()).sorted().toList();
  }

  private static String line(String status, String name) {
    return status
        .lines()
        .filter(line -> line.startsWith(name + ":"))
        .map(line -> line.substring(name.length() + 1).strip())
        .findFirst()
        .orElseThrow();
  }

  private static void assertOneLine(ProcessSandbox.Result result) {
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").endsWith("\n").hasLineCount(1);
  }
}
