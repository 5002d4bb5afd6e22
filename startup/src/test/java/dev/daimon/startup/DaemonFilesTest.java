package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.privileges.Identity;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the facade needs; the rest is tested by the command, which does the same things. */
class DaemonFilesTest {
  @TempDir Path directory;
  private Path pid;
  private Path lock;
  private Path out;
  private Path err;

  private final List<String> steps = new ArrayList<>();

  @BeforeEach
  void name() {
    pid = directory.resolve("pid");
    lock = directory.resolve("lock");
    out = directory.resolve("out");
    err = directory.resolve("err");
  }

  @Test
  void theLocksAndTheOutputFilesAreThoseOfTheirPaths() throws Exception {
    DaemonFiles files = opened(new FileSet(pid, true, lock, out, err, false));

    assertThat(files.pidFileLock()).returns(pid, SingletonLock::path);
    assertThat(files.lockFileLock()).returns(lock, SingletonLock::path);
    assertThat(files.lockDescriptors())
        .containsExactly(files.lockFileLock().descriptor(), files.pidFileLock().descriptor());
    assertThat(leadsTo(files.standardOutput())).isEqualTo(out);
    assertThat(leadsTo(files.standardError())).isEqualTo(err);
    assertThat(steps)
        .containsExactly("locked " + lock, "locked " + pid, "opened " + out, "opened " + err);
    files.release();
  }

  @Test
  void relativePathsLeadToTheWorkingDirectoryInEveryLocale() throws Exception {
    assertThat(ChildJvm.of(Relative.class).inUndecodableDirectory(directory).run().lines())
        .containsExactly("2 missing", "opened", "pid is the lock file by another name");
  }

  static final class Relative {
    public static void main(String[] args) throws IOException {
      MadeDirectories made = new MadeDirectories();
      System.out.println(MadeDirectories.missingAbove(Path.of("a/b/pid")).size() + " missing");
      made.makeAbove(Path.of("a/b/pid"), null);
      Path pid = Path.of("a/b/pid");
      Path out = Path.of("a/b/out");
      DaemonFiles files = open(new FileSet(pid, true, null, out, null, true));
      files.prepare();
      files.release();
      // By its bytes.
      System.out.println(Files.exists(made.paths().getLast().resolve("out")) ? "opened" : "none");
      try {
        open(new FileSet(pid, true, pid, null, null, true));
      } catch (StartException refused) {
        System.out.println(
            String.valueOf(refused.getMessage()).contains(" by another name")
                ? "pid is the lock file by another name"
                : refused.getMessage());
      }
    }

    private static DaemonFiles open(FileSet set) {
      DaemonFiles files = new DaemonFiles(set, null, _ -> {});
      files.open();
      return files;
    }
  }

  @Test
  void whatADaemonDoesNotHaveIsNull() {
    DaemonFiles files = opened(new FileSet(null, true, null, null, null, false));

    assertThat(files.pidFileLock()).isNull();
    assertThat(files.lockFileLock()).isNull();
    assertThat(files.standardOutput()).isNull();
    assertThat(files.standardError()).isNull();
    assertThat(files.lockDescriptors()).isEmpty();
    assertThat(files.pendingChowns()).isEmpty();
  }

  @Test
  void nothingIsEmptiedBeforeItIsPrepared() throws Exception {
    Files.writeString(pid, "12\n");
    Files.writeString(out, "old");
    DaemonFiles files = opened(new FileSet(pid, true, null, out, out, true));
    files.applyPendingChowns();
    assertThat(pid).hasContent("12\n");
    assertThat(out).hasContent("old");

    files.prepare();

    assertThat(pid).isEmptyFile();
    assertThat(out).isEmptyFile();
    files.release();
  }

  @Test
  void anOutputFileKeepsWhatItHolds() throws Exception {
    Files.writeString(out, "why it crashed");
    DaemonFiles files = opened(new FileSet(null, true, null, out, out, false));

    files.prepare();

    assertThat(out).hasContent("why it crashed");
    files.release();
  }

  @Test
  void aReleaseLeavesEverythingToTheDaemonWhichHasTheSameOpenFiles() throws Exception {
    DaemonFiles files = opened(new FileSet(pid, true, lock, out, err, false));
    files.prepare();
    files.writePid(4242);
    try (Descriptor daemons = files.pidFileLock().descriptor().duplicate();
        Descriptor alsoDaemons = files.lockFileLock().descriptor().duplicate()) {
      files.release();
      files.undo(new IOException("too late"));

      assertThat(Proc.openIn(directory)).containsExactlyInAnyOrder(pid.toString(), lock.toString());
      assertThat(leadsTo(daemons)).isEqualTo(pid);
      assertThat(leadsTo(alsoDaemons)).isEqualTo(lock);
      assertThat(SingletonLock.isHeld(pid)).isTrue();
      assertThat(SingletonLock.isHeld(lock)).isTrue();
      assertThat(pid).hasContent("4242\n");
      assertThat(out).exists();
      assertThat(err).exists();
    }
    assertThat(SingletonLock.isHeld(pid)).isFalse();
    assertThat(SingletonLock.isHeld(lock)).isFalse();
  }

  @Test
  void aFailureThatIsTakenBackLeavesNothing() throws Exception {
    DaemonFiles files = opened(new FileSet(pid, true, lock, out, err, false));
    files.prepare();
    files.writePid(4242);

    files.undo(new IOException("no daemon"));

    assertThat(directory).isEmptyDirectory();
    assertThat(Proc.openIn(directory)).isEmpty();
  }

  @Test
  void aPidFileThatCannotBeRemovedIsToldOfAndUnlocked() throws Exception {
    Path parent = Files.createDirectory(directory.resolve("parent"));
    Path moved = directory.resolve("moved");
    DaemonFiles files = opened(new FileSet(parent.resolve("pid"), true, lock, null, null, false));
    Files.move(parent, moved);
    Files.createSymbolicLink(parent, parent);
    IOException reason = new IOException("no daemon");

    files.undo(reason);

    assertThat(reason.getSuppressed())
        .singleElement()
        .asString()
        .contains("Too many levels of symbolic links");
    assertThat(Proc.openIn(directory)).isEmpty();
    assertThat(SingletonLock.isHeld(moved.resolve("pid"))).isFalse();
    assertThat(lock).doesNotExist();
  }

  @Test
  @Tag("root")
  void anOutputFileThatCannotBeRemovedIsToldOfAndClosed() throws Exception {
    Files.setAttribute(directory, "unix:mode", 0711);
    Path users = Files.createDirectory(directory.resolve("users"));
    Files.setAttribute(users, "unix:uid", 7001);
    Path log = users.resolve("log");
    DaemonFiles files =
        new DaemonFiles(
            new FileSet(null, true, null, log, null, false),
            Identity.of("#7001", "#7001"),
            steps::add);
    files.open();
    Files.setAttribute(users, "unix:mode", 0555);
    IOException reason = new IOException("no daemon");

    files.undo(reason);

    assertThat(reason.getSuppressed())
        .singleElement()
        .asString()
        .contains("unlink " + log + ": Permission denied");
    assertThat(Proc.openIn(directory)).isEmpty();
  }

  @Test
  void whatSomebodyHasClosedDoesNotKeepTheRestFromBeingTakenBack() throws Exception {
    DaemonFiles files = opened(new FileSet(pid, true, lock, out, null, false));
    files.pidFileLock().close();
    IOException reason = new IOException("no daemon");

    files.undo(reason);

    assertThat(reason.getSuppressed())
        .singleElement()
        .asString()
        .contains("the descriptor is closed");
    assertThat(Proc.openIn(directory)).isEmpty();
    assertThat(lock).doesNotExist();
    assertThat(out).doesNotExist();
  }

  @Test
  void aPidFileThatWasThereBeforeStaysAndNamesNobody() throws Exception {
    Files.writeString(pid, "12\n");
    DaemonFiles files = opened(new FileSet(pid, true, null, null, null, false));
    files.writePid(4242);

    files.undo(new IOException("no daemon"));

    assertThat(pid).isEmptyFile();
    assertThat(Proc.openIn(directory)).isEmpty();
  }

  @Test
  void aLockThatSomebodyHoldsMeansAlreadyRunning() throws Exception {
    long self = ProcessHandle.current().pid();
    try (SingletonLock other = SingletonLock.acquire(pid)) {
      String message = "already running: " + pid + " is locked by process " + self;
      assertRefused(Reason.ALREADY_RUNNING, 69, message);
      other.write(self);
      assertRefused(Reason.ALREADY_RUNNING, 69, message);
    }
  }

  /** What a daemon that has died has left has inherited the lock, and not taken it. */
  @Test
  void aChildThatADeadDaemonHasLeftIsNamedWithWhatToDo() throws Exception {
    Process daemon =
        new ProcessBuilder("flock", pid.toString(), "sh", "-c", "echo $$; exec sleep 1000").start();
    ProcessHandle child =
        ProcessHandle.of(Long.parseLong(daemon.inputReader().readLine())).orElseThrow();
    daemon.destroyForcibly().waitFor();
    try {
      Files.writeString(pid, daemon.pid() + "\n");
      assertRefused(
          Reason.ALREADY_RUNNING,
          69,
          "already running: %s is locked by process %d (sleep); process %d, which it names, has ended:"
                  .formatted(pid, child.pid(), daemon.pid())
              + " end what is left of its session with daimon stop --session -p "
              + pid
              + ", or the process by its id");
    } finally {
      child.destroyForcibly();
    }
  }

  @Test
  @Tag("root")
  void aStrangerThatHasTakenTheLockIsNoDaemonThatRuns() throws Exception {
    Files.setAttribute(directory, "unix:mode", 0711);
    Process ended = new ProcessBuilder("true").start();
    ended.waitFor();
    Files.writeString(pid, ended.pid() + "\n");
    List<String> command = new ArrayList<>(ChildJvm.AS_NOBODY);
    command.addAll(List.of("flock", "--no-fork", pid.toString(), "sh", "-c", "echo; read x"));
    Process stranger = new ProcessBuilder(command).start();
    try {
      assertThat(stranger.inputReader().readLine()).isEmpty();
      assertRefused(
          Reason.CANNOT_TELL,
          4,
          "%s is locked by process %d (sh); process %d, which it names, has ended; another user has"
                  .formatted(pid, stranger.pid(), ended.pid())
              + " taken the lock: end that process, or remove the file");
      assertThat(pid).hasContent(ended.pid() + "\n");
    } finally {
      stranger.getOutputStream().close();
      stranger.waitFor();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'bind 127.0.0.1\n', true, holds something else than a process id",
    "'bind 127.0.0.1\n', false, holds something else than a process id",
    "'12\n/var/lib/postgresql\n', true, has further lines",
    "'12\n/var/lib/postgresql\n', false, has further lines",
  })
  void aFileThatIsNoPidFileIsLeftAsItIs(String content, boolean locked, String reason)
      throws Exception {
    Files.writeString(pid, content);

    FileSet set = new FileSet(pid, locked, null, out, null, false);
    DaemonFiles files = new DaemonFiles(set, null, steps::add);
    assertThatExceptionOfType(StartException.class)
        .isThrownBy(files::open)
        .withMessage(pid + " is no pidfile: it " + reason + "; it is left as it is")
        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.FILE))
        .satisfies(files::undo);
    assertThat(pid).hasContent(content);
    assertThat(directory.toFile().list()).containsExactly("pid");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whomThePidFileNamesIsTold(boolean locked) throws Exception {
    FileSet set = new FileSet(pid, locked, null, null, null, false);
    for (String content : List.of(" ", "12\n")) {
      Files.writeString(pid, content);
      DaemonFiles files = opened(set);
      assertThat(files.namedProcess().pid()).isEqualTo(content.isBlank() ? 0 : 12);
      files.undo(new IOException("no daemon"));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Tag("root")
  void rootOpensNoPidFileThatItsStopWouldNotTrust(boolean locked) throws Exception {
    Path users = Files.createDirectory(directory.resolve("users"));
    Files.setAttribute(users, "unix:uid", 7001);
    Path there = users.resolve("pid");
    DaemonFiles files =
        new DaemonFiles(new FileSet(there, locked, null, null, null, false), null, steps::add);

    assertThatExceptionOfType(StartException.class)
        .isThrownBy(files::open)
        .withMessage(
            there
                + " would not be trusted: others than root may exchange it or a directory above it")
        .satisfies(files::undo);
    assertThat(users).isEmptyDirectory();
  }

  private void assertRefused(Reason reason, int exitCode, String message) {
    assertThatExceptionOfType(StartException.class)
        .isThrownBy(() -> opened(new FileSet(pid, true, null, null, null, false)))
        .withMessage(message)
        .satisfies(e -> assertThat(e.reason()).isEqualTo(reason))
        .satisfies(e -> assertThat(e.exitCode()).isEqualTo(exitCode));
  }

  @Test
  @Tag("root")
  void whatRootOpenedForTheUserIsGivenWhenItIsAskedFor() throws Exception {
    Files.setAttribute(directory, "unix:mode", 0711);
    Path users = Files.createDirectory(directory.resolve("users"));
    Files.setAttribute(users, "unix:uid", 7001);
    Files.createFile(out);
    Path classes = Files.createDirectory(directory.resolve("classes"));

    assertThat(ChildJvm.of(Giving.class).copied(classes).run(directory).lines())
        .containsExactly(
            "pending " + pid + ", true",
            "pending " + out + ", true",
            "lock of 7001, pid of 0, out of 0",
            "lock of 7001, pid of 7001, out of 7001");
  }

  /** Prepares everything before it gives anything, as the facade does. */
  static final class Giving {
    private Giving() {}

    public static void main(String[] arguments) throws IOException {
      Path directory = Path.of(arguments[0]);
      Path pid = directory.resolve("pid");
      Path lock = directory.resolve("users/lock");
      Path out = directory.resolve("out");
      DaemonFiles files =
          new DaemonFiles(
              new FileSet(pid, true, lock, out, out, false),
              Identity.of("#7001", "#7001"),
              step -> {});
      files.open();
      files.prepare();
      for (PendingChown pending : files.pendingChowns()) {
        Path file = leadsTo(pending.descriptor());
        System.out.println("pending " + file + ", " + file.equals(pending.path()));
      }
      print(lock, pid, out);
      files.applyPendingChowns();
      print(lock, pid, out);
    }

    private static void print(Path lock, Path pid, Path out) throws IOException {
      System.out.println(
          "lock of " + owner(lock) + ", pid of " + owner(pid) + ", out of " + owner(out));
    }

    private static Object owner(Path path) throws IOException {
      return Files.getAttribute(path, "unix:uid");
    }
  }

  private DaemonFiles opened(FileSet set) {
    DaemonFiles files = new DaemonFiles(set, null, steps::add);
    files.open();
    return files;
  }

  private static Path leadsTo(Descriptor descriptor) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor.number()));
  }
}
