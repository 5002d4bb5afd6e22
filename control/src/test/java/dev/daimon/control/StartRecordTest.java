package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.forking.Program;
import dev.daimon.locking.LockedFile;
import dev.daimon.posix.VisibleText;
import dev.daimon.testing.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a start records, and which records are believed. */
class StartRecordTest {
  /** Of another boot. */
  private static final String OLDER =
      "00000000-0000-0000-0000-000000000000 pid:[4026531836] time:[4026531834] 5 6 7 8\n";

  @RegisterExtension final Daemons daemons = new Daemons();

  private Path guard() {
    return Guard.beside(daemons.pidFile());
  }

  private static String where() throws Exception {
    return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
        + " "
        + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"))
        + " "
        + Files.readSymbolicLink(Path.of("/proc/self/ns/time"));
  }

  private long modified() throws Exception {
    return Files.getLastModifiedTime(daemons.pidFile()).to(TimeUnit.SECONDS);
  }

  private StartRecord read() {
    return StartRecord.read(guard(), 0).orElse(null);
  }

  @Test
  void itIdentifiesTheDaemon() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");

    StartRecord record = read();

    assertThat(record)
        .isEqualTo(new StartRecord(pid, Daemons.stat(pid, 22), Daemons.stat(pid, 6), modified()));
    assertThat(guard())
        .content()
        .isEqualTo(
            where()
                + " "
                + pid
                + " "
                + record.startTicks()
                + " "
                + record.session()
                + " "
                + modified()
                + "\n");
    assertThat(record.isRunning()).isTrue();
    Daemons.kill(pid);
    assertThat(record.isRunning()).isFalse();
  }

  @Test
  void aProcessThatWasStartedAtAnotherTimeIsNotTheOne() throws Exception {
    long pid = daemons.start("exec sleep 1000", "sleep");
    StartRecord record = new StartRecord(pid, Daemons.stat(pid, 22) - 1, 0, modified());

    assertThat(record.isRunning()).isFalse();
  }

  /**
   * The file's time says nothing: the daemon seems younger than it, or older, as clocks are set.
   */
  @ParameterizedTest
  @ValueSource(longs = {-3600, 3600})
  void anIdThatAnotherProcessHasByNowIsNoDaemon(long seconds) throws Exception {
    Process bystander = daemons.bystander("sleep", "1000");
    long ticks = Daemons.stat(bystander.pid(), 22);
    Files.writeString(daemons.pidFile(), bystander.pid() + "\n");
    Files.setLastModifiedTime(daemons.pidFile(), FileTime.from(Instant.now().plusSeconds(seconds)));

    Files.writeString(
        guard(), where() + " " + bystander.pid() + " " + ticks + " 0 " + modified() + "\n");
    assertThat(daemons.control().status().state()).isEqualTo(State.UNKNOWN);
    assertThatThrownBy(() -> daemons.control().start(daemons.daemon("exec sleep 2000")))
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("--pid-only");

    Files.writeString(
        guard(), where() + " " + bystander.pid() + " " + (ticks - 1) + " 0 " + modified() + "\n");
    assertThat(daemons.control().status().state()).isEqualTo(State.DEAD);
    assertThat(daemons.control().pidOnly().status().state()).isEqualTo(State.DEAD);
    assertThat(daemons.control().start(daemons.daemon("exec sleep 2000"))).isEqualTo(Outcome.STALE);
    assertThat(bystander.isAlive()).isTrue();
  }

  @Test
  void aRestartWritesTheNextOne() throws Exception {
    long first = daemons.start("exec sleep 1000", "sleep");
    daemons.control().restart(daemons.daemon("exec sleep 1000"), StopPolicy.DEFAULT);

    assertThat(read().pid()).isEqualTo(Daemons.pid(daemons.pidFile())).isNotEqualTo(first);
  }

  @Test
  void ofAProgramThatDaemonizesItselfTheDaemonIsWrittenDown() throws Exception {
    StartSpec self =
        StartSpec.self(
            () ->
                daemons.shell(
                    "setsid flock -n d.pid sh -c 'echo $$ >d.pid; exec sleep 1000' & exit 0"),
            Duration.ofMinutes(1));
    daemons.control().start(self);

    long pid = Daemons.pid(daemons.pidFile());
    assertThat(read())
        .isEqualTo(new StartRecord(pid, Daemons.stat(pid, 22), Daemons.stat(pid, 6), modified()));
  }

  /** It stays in this JVM's session, which is not its own. */
  @Test
  void aSessionThatIsNotTheDaemonsOwnIsNotWrittenDown() throws Exception {
    StartSpec self =
        StartSpec.self(
            () -> daemons.shell("flock -n d.pid sh -c 'echo $$ >d.pid; exec sleep 1000' & exit 0"),
            Duration.ofMinutes(1));
    daemons.control().start(self);

    assertThat(read().pid()).isEqualTo(Daemons.pid(daemons.pidFile()));
    assertThat(read().session()).isZero();
  }

  @Test
  void aStartThatFailsLeavesWhatWasThere() throws Exception {
    Daemons.kill(daemons.start("exec sleep 1000", "sleep"));
    String before = Files.readString(guard());
    StartSpec missing = StartSpec.program(() -> Program.at(Path.of("/no/such/program")), 022);

    assertThatThrownBy(() -> daemons.control().start(missing)).hasMessageContaining("/no/such");

    assertThat(guard()).content().isEqualTo(before);
  }

  @Test
  void whatWasWrittenByAStartThatFailsIsPutBack() throws Exception {
    long self = ProcessHandle.current().pid();
    daemons.name(self);
    Files.writeString(guard(), OLDER);
    try (Guard guard = Guard.acquire(guard(), Duration.ZERO)) {
      guard.record(self, daemons.pidFile());
      assertThat(read().pid()).isEqualTo(self);
      guard.takeBack(new IllegalStateException());
    }

    assertThat(guard()).content().isEqualTo(OLDER);
  }

  @Test
  void ofAProcessThatIsGoneNothingIsWrittenDownAndNothingElseStays() throws Exception {
    Files.writeString(guard(), OLDER);
    try (Guard guard = Guard.acquire(guard(), Duration.ZERO)) {
      guard.record(4194304, daemons.pidFile());
    }

    assertThat(guard()).isEmptyFile();
  }

  /** Somebody may take it away at any moment: then the record alone shows that the daemon runs. */
  @ParameterizedTest
  @ValueSource(strings = {"gone", "link"})
  void itIsWrittenDownThoughItsPidfileIsGoneOrAnotherFile(String how) throws Exception {
    long self = ProcessHandle.current().pid();
    if (how.equals("link")) {
      Files.createSymbolicLink(daemons.pidFile(), Path.of("/dev/null"));
    }

    StartRecord record = StartRecord.of(self, daemons.pidFile()).orElseThrow();

    assertThat(record.isRunning()).isTrue();
    assertThat(record.modified()).isZero();
  }

  /** As with {@code --guard} and a wrong path. */
  @ParameterizedTest
  @ValueSource(strings = {"listen 80;\n", "\n", OLDER + "more\n", "link"})
  void whatIsNoRecordIsNotWrittenOver(String content) throws Exception {
    if (content.equals("link")) {
      Files.createLink(guard(), Files.createFile(daemons.file("other")));
    } else {
      Files.writeString(guard(), content);
    }
    String before = Files.readString(guard());
    daemons.start("exec sleep 1000", "sleep");

    assertThat(guard()).content().isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "BOOT 5 6 7 8",
        "BOOT 5 6 7\n",
        "BOOT 5 6 7 8 9\n",
        "BOOT  5 6 7 8\n",
        "BOOT 5 6 -7 8\n",
        "BOOT 0 6 7 8\n",
        "BOOT 4194305 6 7 8\n",
        "BOOT 5 99999999999999999999999 7 8\n",
        "BOOT 5 6 7 x\n",
        "BOOT 5 6 7 8\r\n",
        "BOOT5 6 7 8\n",
        "00000000-0000-0000-0000-000000000000 pid:[4026531836] time:[4026531834] 5 6 7 8\n",
        "5 6 7 8\n"
      })
  void whatIsNoRecordOfThisBootIsNotBelieved(String text) throws Exception {
    Files.writeString(guard(), text.replace("BOOT", where()));

    assertThat(StartRecord.read(guard(), 0)).isEmpty();
  }

  /** Containers share the boot's id, and each counts processes and ticks by itself. */
  @ParameterizedTest
  @ValueSource(strings = {"pid", "time"})
  void whatWasWrittenInAnotherNamespaceIsNotBelieved(String namespace) throws Exception {
    Files.createFile(daemons.pidFile());
    String line = where() + " 5 6 7 8\n";
    Files.writeString(guard(), line);
    assertThat(read()).isEqualTo(new StartRecord(5, 6, 7, 8));

    Files.writeString(guard(), line.replaceFirst(namespace + ":\\[\\d+", namespace + ":[1"));

    assertThat(read()).isNull();
  }

  /** A container that was started again has the same ids, and its daemon may have written anew. */
  @Test
  void whatWasWrittenForAnOlderPidfileSaysNothing() throws Exception {
    long pid = daemons.bystander("sleep", "1000").pid();
    daemons.name(pid);
    for (long older : List.of(0L, 1L)) {
      Files.writeString(guard(), where() + " " + pid + " 1 0 " + (modified() - older) + "\n");

      assertThat(daemons.control().status().state())
          .isEqualTo(older == 0 ? State.DEAD : State.UNKNOWN);
    }
  }

  @Test
  void theLineIsAllThatCounts() throws Exception {
    Files.writeString(guard(), where() + " 5 6 7 8\nfor people");

    assertThat(StartRecord.read(guard(), 0)).contains(new StartRecord(5, 6, 7, 8));
  }

  @Test
  void theReadersAreBehindTheLineAndAnotherProcessIsNone() throws Exception {
    long pid = daemons.bystander("sleep", "1000").pid();
    long ticks = Daemons.stat(pid, 22);
    daemons.name(5);
    String command = "|é\n".repeat(100);
    try (Guard guard = daemons.control().takeGuard().orElseThrow()) {
      guard.record(
          ProcessHandle.current().pid(),
          daemons.pidFile(),
          List.of(
              new OutputReader("stdout", command, pid, ticks, /* running= */ true),
              new OutputReader("stderr", "|cat", pid, ticks, /* running= */ true)));
    }
    String record = Files.readString(guard());
    long self = ProcessHandle.current().pid();
    String shown = VisibleText.line(command).substring(0, 200);

    assertThat(readers(self))
        .containsExactly(
            new OutputReader("stdout", shown, pid, ticks, /* running= */ true),
            new OutputReader("stderr", "|cat", pid, ticks, /* running= */ true));
    assertThat(readers(self + 1)).isEmpty();
    assertThat(StartRecord.isReplaceable(Files.readAllBytes(guard()))).isTrue();

    Files.writeString(guard(), record.replace(" " + Daemons.stat(pid, 22) + " ", " 1 "));
    assertThat(readers(self)).extracting(OutputReader::running).containsExactly(false, false);

    Files.writeString(guard(), record + "stdout\nstdout -1 2 x\nstdout 9 z x\nstderr 3 4");
    assertThat(readers(self)).hasSize(3).last().extracting(OutputReader::running).isEqualTo(false);
    assertThat(StartRecord.isReplaceable(Files.readAllBytes(guard()))).isFalse();
    Daemons.kill(pid);
  }

  private List<OutputReader> readers(long daemon) throws Exception {
    try (LockedFile file = LockedFile.open(daemons.pidFile()).orElseThrow()) {
      return Readers.list(guard(), file, daemon);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nothing", "link", "directory", "FIFO"})
  void whatIsNoRegularFileIsNotBelieved(String what) throws Exception {
    switch (what) {
      case "link" ->
          Files.createSymbolicLink(
              guard(), Files.writeString(daemons.file("x"), where() + " 5 6 7 8\n"));
      case "directory" -> Files.createDirectory(guard());
      case "FIFO" -> Command.run("mkfifo", guard().toString());
      default -> {}
    }

    assertThat(StartRecord.read(guard(), 0)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-rw----", "rw----rw-"})
  void aFileThatOthersMayWriteIsNotBelieved(String mode) throws Exception {
    daemons.start("exec sleep 1000", "sleep");
    assertThat(read()).isNotNull();

    Files.setPosixFilePermissions(guard(), PosixFilePermissions.fromString(mode));

    assertThat(read()).isNull();
  }

  @Test
  @Tag("root")
  void anotherUsersFileIsNotBelievedAndThePidFileOwnersIs() throws Exception {
    Files.writeString(guard(), where() + " 5 6 7 8\n");
    Daemons.give(guard(), Daemons.NOBODY);

    assertThat(StartRecord.read(guard(), 0)).isEmpty();
    assertThat(StartRecord.read(guard(), Daemons.NOBODY)).isPresent();
  }
}
