package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that cannot be opened: one line says why, nothing is lost, and no program has run. */
class FileErrorIT {
  private static final int CANNOT_CREATE = 73;
  private static final int SYSTEM = 71;
  private static final int CANNOT_TELL = 4;
  private static final int PAGE = 4096;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @CsvSource({
    "start, -p",
    "start, -l",
    "start, -o",
    "start, -e",
    "run, -p",
    "run, -l",
    "run, -o",
    "run, -e",
  })
  void aSymbolicLinkIsNotFollowed(String command, String option) throws Exception {
    Path target = Files.writeString(sandbox.file("target"), "precious\n");
    Path link = Files.createSymbolicLink(sandbox.file("link"), target);

    ProcessSandbox.Result result = start(command, option, link);

    assertRefused(result, link, "ELOOP");
    assertThat(result.err()).endsWith("; a symbolic link is not followed\n");
    assertThat(target).hasContent("precious");
    assertThat(link).isSymbolicLink();
  }

  /**
   * Everybody who may read the pidfile may lock it. The other user's program cannot be read, so its
   * directory in {@code /proc} belongs to root.
   */
  @ParameterizedTest
  @CsvSource({"'', rwxr-xr-x", "4194304, rwxr-xr-x", "'', rwxrwxrwt", "4194304, rwxrwxrwt"})
  @Tag("root")
  @Tag("attack")
  void aLockOfAnotherUsersProcessIsNoDaemon(String content, String permissions) throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path directory = Files.createDirectory(sandbox.file("run"));
    boolean shared = permissions.endsWith("t");
    TestUser.output("chmod", shared ? "1777" : "755", directory.toString());
    Path pidFile = Files.writeString(directory.resolve("pid"), content);
    Path program = Files.copy(Path.of("/bin/sleep"), sandbox.file("sleep"));
    Sandbox.openToAll(program, "--x--x--x");
    List<String> command = new ArrayList<>(ChildJvm.AS_NOBODY);
    command.addAll(List.of("flock", "--no-fork", pidFile + "", program.toString(), "1000"));
    long stranger = sandbox.prepare(command, Map.of()).start().pid();
    Sandbox.await("its lock", () -> Sandbox.isListedAsLocked(pidFile));
    Sandbox.await("its program", () -> Sandbox.status(stranger, "Name").equals("sleep"));

    ProcessSandbox.Result result = start("start", "-p", pidFile);

    if (shared) {
      assertThat(result.exitCode()).isEqualTo(CANNOT_TELL);
      assertThat(result.err())
          .startsWith("daimon: " + pidFile + " is locked by process " + stranger + " (sleep)")
          .endsWith("another user has taken the lock: end that process, or remove the file\n");
      assertThat(pidFile).hasContent(content);
    } else {
      assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
      assertThat(Sandbox.isListedAsLocked(pidFile)).isFalse();
    }
    assertThat(ProcessHandle.of(stranger)).isPresent();
  }

  /** As when {@code -p} is typed in place of {@code -o}. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "start",
        "run",
        "restart",
        "start --self",
        "start --no-lock",
        "start --dry-run",
        "run --no-lock",
        "run --dry-run",
        "start --no-lock --dry-run"
      })
  void aFileThatIsNoPidfileIsNotTouched(String command) throws Exception {
    Path file = sandbox.file("redis.conf");
    for (String content : List.of("bind 127.0.0.1\n", "0\n", "4194304\n/var/lib/postgresql\n")) {
      Files.writeString(file, content);

      List<String> words = new ArrayList<>(List.of(command.split(" ", -1)));
      words.addAll(List.of("-p", file.toString(), "--", "sleep", "1000"));
      ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

      assertThat(result.exitCode()).as(result.toString()).isEqualTo(CANNOT_CREATE);
      assertThat(result.err()).startsWith("daimon: --pidfile: " + file + " is no pidfile: it ");
      assertThat(result.out()).isEmpty();
      assertThat(file).hasContent(content);
      sandbox.awaitEnd();
    }
    assertThat(sandbox.directory().toFile().list()).containsExactly("redis.conf");
  }

  /** As for a daemon that closes its lock, as sshd does: a second one would overwrite its pid. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "start",
        "run",
        "restart",
        "start --self",
        "start --no-lock",
        "start --dry-run",
        "run --dry-run",
        "start --no-lock --dry-run"
      })
  void nothingIsStartedOverAProcessThatMayBeTheDaemon(String command) throws Exception {
    Process daemon = sandbox.prepare(List.of("sleep", "1000"), Map.of()).start();
    Path file = Files.writeString(sandbox.file("pid"), daemon.pid() + "\n");

    List<String> words = new ArrayList<>(List.of(command.split(" ", -1)));
    words.addAll(List.of("-p", file.toString(), "--", "sleep", "2000"));
    ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(CANNOT_TELL);
    assertThat(result.err()).contains("names process " + daemon.pid() + " (sleep), which runs, ");
    assertThat(file).hasContent(daemon.pid() + "\n");
    assertThat(sandbox.processes()).hasSize(1);
  }

  /** A pidfile that {@code start} accepts must be one that {@code stop} accepts. */
  @ParameterizedTest
  @ValueSource(strings = {"start", "run", "start --no-lock", "start --dry-run"})
  @Tag("root")
  void rootStartsNothingByAPidfileThatAnotherUserCanExchange(String command) throws Exception {
    Path users = Files.createDirectory(sandbox.file("users"));
    Files.setAttribute(users, "unix:uid", 7001);

    List<String> words = new ArrayList<>(List.of(command.split(" ", -1)));
    words.addAll(List.of("-p", users.resolve("pid").toString(), "--", "sleep", "1000"));
    ProcessSandbox.Result result = sandbox.daimon(words.toArray(new String[0]));

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err())
        .isEqualTo(
            "daimon: --pidfile: %s/pid would not be trusted: others than root may exchange it or a directory"
                    .formatted(users)
                + " above it\n");
    assertThat(users).isEmptyDirectory();
    sandbox.awaitEnd();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aPidfileWithoutALockReplacesNothingButAFile(String command) throws Exception {
    Path link = Files.createSymbolicLink(sandbox.file("link"), sandbox.file("target"));
    Path fifo = sandbox.file("fifo");
    TestUser.output("mkfifo", fifo.toString());

    assertRefused(start(command, "--no-lock", "-p", link), link, "ELOOP");
    assertRefused(start(command, "--no-lock", "-p", fifo), fifo, "not a regular file");
    assertThat(link).isSymbolicLink();
    assertThat(Files.getAttribute(fifo, "unix:mode")).isEqualTo(0010644);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o", "-e"})
  void aDanglingLinkCreatesNothing(String option) throws Exception {
    Path link = Files.createSymbolicLink(sandbox.file("link"), sandbox.file("target"));

    assertRefused(start("start", option, link), link, "ELOOP");
    assertThat(sandbox.file("target")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"start, -o", "start, -e", "run, -o", "run, -e"})
  void aFifoThatNobodyReadsIsReportedAsOne(String command, String option) throws Exception {
    Path fifo = sandbox.file("fifo");
    TestUser.output("mkfifo", fifo.toString());

    ProcessSandbox.Result result = start(command, option, fifo);

    assertRefused(result, fifo, "ENXIO");
    assertThat(result.err()).endsWith("; nobody reads this FIFO, or it is a socket\n");
  }

  @ParameterizedTest
  @CsvSource({"start, -p", "start, -l", "start, -o", "start, -e", "run, -p", "run, -l", "run, -o"})
  void aDirectoryIsNoFile(String command, String option) throws Exception {
    Path directory = Files.createDirectory(sandbox.file("directory"));

    assertRefused(start(command, option, directory), directory, "EISDIR");
  }

  @Test
  void aDirectoryIsNoPidfileWithoutALockEither() throws Exception {
    Path directory = Files.createDirectory(sandbox.file("directory"));

    assertRefused(start("start", "--no-lock", "-p", directory), directory, "EISDIR");
    assertThat(sandbox.directory()).isDirectoryNotContaining("glob:**.daimon*");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o", "-e"})
  void aMissingDirectoryIsNotCreated(String option) throws Exception {
    Path missing = sandbox.file("missing/file");

    assertRefused(start("start", option, missing), missing, "ENOENT");
    assertThat(missing.getParent()).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o", "-e"})
  void aFileInPlaceOfTheDirectoryIsNamed(String option) throws Exception {
    Path file = Files.writeString(sandbox.file("file"), "a file");

    assertRefused(start("start", option, file.resolve("pid")), file.resolve("pid"), "ENOTDIR");
    assertThat(file).hasContent("a file");
  }

  /** The exit code is 73, as for every file: 77 is for missing rights to change identity. */
  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o", "-e"})
  @Tag("root")
  void aDirectoryWithoutWritePermissionIsNamed(String option) throws Exception {
    Path directory = Files.createDirectory(sandbox.file("directory"));

    ProcessSandbox.Result result = asNobody(option, directory.resolve("file"));

    assertRefused(result, directory.resolve("file"), "EACCES");
    assertThat(directory).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o", "-e"})
  @Tag("root")
  void aFileWithoutWritePermissionStaysAsItIs(String option) throws Exception {
    Path file = Files.writeString(sandbox.file("file"), "precious\n");

    assertRefused(asNobody(option, file), file, "EACCES");
    assertThat(file).hasContent("precious");
  }

  @ParameterizedTest
  @CsvSource({"-p, false", "-l, false", "-o, false", "-p, true", "-l, true", "-o, true"})
  @Tag("root")
  void aReadOnlyFileSystemIsNamed(String option, boolean exists) throws Exception {
    try (Mount mount = new Mount(sandbox.file("mount"), "size=64k")) {
      Path file = mount.directory().resolve("file");
      if (exists) {
        Files.writeString(file, "precious\n");
      }
      mount.makeReadOnly();

      assertRefused(start("start", option, file), file, "EROFS");
      if (exists) {
        assertThat(file).hasContent("precious");
      } else {
        assertThat(file).doesNotExist();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  @Tag("root")
  void aFullDiskIsFoundBeforeTheProgramRuns(String command) throws Exception {
    try (Mount mount = new Mount(sandbox.file("mount"), "nr_blocks=4")) {
      mount.fill();
      Path pidFile = mount.directory().resolve("pid");
      Path log = Files.writeString(sandbox.file("log"), "precious\n");

      assertRefused(start(command, "-o", log.toString(), "-p", pidFile), pidFile, "ENOSPC");
      assertThat(log).hasContent("precious");
      assertThat(pidFile).doesNotExist();
    }
  }

  @Test
  @Tag("root")
  void aFullDiskIsFoundBeforeTheProgramRunsWithoutALockToo() throws Exception {
    try (Mount mount = new Mount(sandbox.file("mount"), "nr_blocks=4")) {
      mount.fill();
      Path pidFile = mount.directory().resolve("pid");

      assertRefused(start("start", "--no-lock", "-p", pidFile), pidFile, "ENOSPC");
      assertThat(mount.directory()).isDirectoryNotContaining("glob:**{pid,.daimon*}");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p", "-l", "-o"})
  @Tag("root")
  void aDiskWithoutRoomForAnotherFileIsNamed(String option) throws Exception {
    try (Mount mount = new Mount(sandbox.file("mount"), "nr_inodes=2")) {
      Files.writeString(mount.directory().resolve("other"), "precious\n");
      Path file = mount.directory().resolve("file");

      assertRefused(start("start", option, file), file, "ENOSPC");
      assertThat(mount.directory().resolve("other")).hasContent("precious");
    }
  }

  /** The space of the old content is enough for the new pid. */
  @Test
  @Tag("root")
  void onAFullDiskThePidIsWrittenToTheOldPidfile() throws Exception {
    try (Mount mount = new Mount(sandbox.file("mount"), "nr_blocks=4")) {
      Path pidFile = Files.writeString(mount.directory().resolve("pid"), "4194304\n");
      Path log = Files.writeString(mount.directory().resolve("log"), "precious\n");
      mount.fill();

      ProcessSandbox.Result result = start("start", "-a", "-o", log.toString(), "-p", pidFile);

      assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
      sandbox.awaitEnd();
      assertThat(log).hasContent("precious");
      assertThat(Sandbox.pid(pidFile)).isGreaterThan(1);
    }
  }

  /** The last of several files cannot be opened: those before it are as they were. */
  @Test
  void filesThatWereOpenedBeforeTheFailureAreRestored() throws Exception {
    Path log = Files.writeString(sandbox.file("log"), "precious\n");
    Path stale = Files.writeString(sandbox.file("stale"), "4194304\n");
    Path missing = sandbox.file("missing/err");

    ProcessSandbox.Result result =
        start(
            "start",
            "-p",
            stale.toString(),
            "-l",
            sandbox.file("lock").toString(),
            "-o",
            log.toString(),
            "-e",
            missing);

    assertRefused(result, missing, "ENOENT");
    assertThat(log).hasContent("precious");
    assertThat(stale).hasContent("4194304");
    assertThat(sandbox.file("lock")).doesNotExist();
  }

  /** Only the exec itself fails, when all files are written: the program is open for writing. */
  @ParameterizedTest
  @ValueSource(strings = {"run --no-lock", "run", "start --no-lock", "start", "start -f"})
  void noPidfileNamesAProgramWhoseExecutionFailed(String command) throws Exception {
    Path pidFile = sandbox.file("pid");
    for (String before : List.of("", "4194304\n")) {
      Files.deleteIfExists(pidFile);
      if (!before.isEmpty()) {
        Files.writeString(pidFile, before);
      }

      ProcessSandbox.Result result =
          sandbox.shell(
              "cp /bin/touch $dir/program; exec 3>>$dir/program;"
                  + (" $daimon " + command + " -p $dir/pid $dir/program $dir/ran"));

      assertThat(result.exitCode()).as(result.err()).isEqualTo(SYSTEM);
      assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("ETXTBSY");
      sandbox.awaitEnd();
      assertThat(sandbox.file("ran")).doesNotExist();
      assertThat(Files.exists(pidFile) ? Files.readString(pidFile) : "").isIn("", before);
    }
  }

  /** Starts a program that would create a file. */
  private ProcessSandbox.Result start(String command, Object... options) throws Exception {
    return sandbox.run(words(Sandbox.DAIMON, command, options), Map.of());
  }

  private ProcessSandbox.Result asNobody(Object... options) throws Exception {
    Path daimon = sandbox.publicDaimon();
    List<String> words =
        new ArrayList<>(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    words.addAll(words(daimon, "start", options));
    return sandbox.run(words, Map.of());
  }

  private List<String> words(Path daimon, String command, Object... options) {
    List<String> words = new ArrayList<>(List.of(daimon.toString(), command));
    for (Object option : options) {
      words.add(option.toString());
    }
    words.addAll(List.of("--", "touch", sandbox.file("ran").toString()));
    return words;
  }

  private void assertRefused(ProcessSandbox.Result result, Path path, String errno)
      throws Exception {
    assertThat(result.exitCode()).as(result.err()).isEqualTo(CANNOT_CREATE);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("daimon: ")
        .hasLineCount(1)
        .contains(path.toString())
        .contains(errno);
    sandbox.awaitEnd();
    assertThat(sandbox.file("ran")).doesNotExist();
  }

  /** A small file system, mounted for one test. */
  private record Mount(Path directory) implements AutoCloseable {
    Mount(Path directory, String options) throws Exception {
      this(Files.createDirectory(directory));
      TestUser.output("mount", "-t", "tmpfs", "-o", options, "tmpfs", directory.toString());
    }

    void makeReadOnly() throws Exception {
      TestUser.output("mount", "-o", "remount,ro", directory.toString());
    }

    void fill() throws Exception {
      Path rest = directory.resolve("rest");
      while (directory.toFile().getFreeSpace() > 0) {
        Files.write(rest, new byte[PAGE], StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      }
    }

    @Override
    public void close() throws IOException {
      try {
        TestUser.output("umount", "--lazy", directory.toString());
      } catch (InterruptedException interrupted) {
        throw new IOException(interrupted);
      }
    }
  }
}
