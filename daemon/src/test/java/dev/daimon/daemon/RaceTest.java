package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Starts that race with an attacker: there is one daemon, or none. Starts that race with each other
 * are in {@link StartStormTest}.
 */
class RaceTest {
  /** The moment varies: more rounds try more moments. */
  private static final int ROUNDS = 12;

  @RegisterExtension final Facade facade = new Facade();

  /** A daemon whose launcher or pidfile somebody interferes with, as its arguments say. */
  static final class Meddled {
    static final String STALE = "4194304\n";

    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      Path pidFile = directory.resolve("pid");
      Path launcher = directory.resolve("launcher");
      String how = args[1];
      if (Daemonizer.stage() == Stage.LAUNCHER) {
        Files.writeString(launcher, Long.toString(ProcessHandle.current().pid()));
        if ("deletes when it is locked".equals(how)) {
          Thread.ofPlatform().daemon().start(() -> deleteWhenEmptied(pidFile));
        }
      }
      DaemonConfig config = DaemonConfig.builder().pidFile(pidFile).build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        switch (how) {
          case "deletes" -> Files.delete(pidFile);
          case "replaces" -> {
            Files.delete(pidFile);
            Files.writeString(pidFile, "1\n");
          }
          case "kills" -> {
            ProcessHandle victim =
                ProcessHandle.of(Long.parseLong(Files.readString(launcher))).orElseThrow();
            long moment = System.nanoTime() + Long.parseLong(args[2]);
            Thread.ofPlatform().daemon().start(() -> killAt(victim, moment));
          }
          default -> Thread.onSpinWait();
        }
        daemon.ready();
        Files.writeString(directory.resolve("ready"), "yes.");
        new CountDownLatch(1).await();
      }
    }

    /**
     * As soon as its old content is gone, the file is locked, and about to be written; a thread
     * that gets its turn later finds it written, with the daemon not ready yet.
     */
    private static void deleteWhenEmptied(Path pidFile) {
      try {
        while (Files.readString(pidFile).equals(STALE)) {
          Thread.onSpinWait();
        }
        Files.delete(pidFile);
      } catch (IOException failure) {
        throw new IllegalStateException(failure);
      }
    }

    private static void killAt(ProcessHandle victim, long moment) {
      while (System.nanoTime() - moment < 0) {
        Thread.onSpinWait();
      }
      boolean _ = victim.destroyForcibly();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"deletes when it is locked", "deletes", "replaces"})
  void aPidFileThatAStrangerTakesAwayIsAFailure(String how) throws Exception {
    Files.writeString(facade.pidFile(), Meddled.STALE);

    ProcessSandbox.Result result = facade.launch(Meddled.class, how);

    assertThat(result)
        .isEqualTo(
            new ProcessSandbox.Result(
                73,
                "",
                "RaceTest$Meddled: "
                    + facade.pidFile()
                    + " was removed or replaced during the start; the program was stopped again\n"));
    assertThat(facade.processes()).isEmpty();
    if ("replaces".equals(how)) {
      assertThat(facade.pidFile()).hasContent("1\n");
    } else {
      assertThat(facade.pidFile()).doesNotExist();
    }
  }

  /**
   * The daemon runs exactly if {@code ready()} has returned, and if the launcher has exited with 0.
   */
  @Test
  void aLauncherThatIsKilledAsItsDaemonGetsReadyLeavesAllOrNothing() throws Exception {
    Random random = new Random(3);
    for (int round = 0; round < ROUNDS; round++) {
      long nanos = random.nextLong(3_000_000);
      int exitCode = facade.launch(Meddled.class, "kills", Long.toString(nanos)).exitCode();
      String when = "round " + round + ", after " + nanos + " ns: " + exitCode;
      assertThat(exitCode).as(when).isIn(0, 137);
      Path ready = facade.file("ready");
      ProcessSandbox.await(
          when,
          () ->
              facade.processes().isEmpty()
                  || (Files.exists(ready) && Facade.isLocked(facade.pidFile())));
      List<ProcessHandle> daemons = facade.running("java");
      if (daemons.isEmpty()) {
        assertThat(exitCode).as(when).isNotZero();
        assertThat(ready).as(when).doesNotExist();
        assertThat(facade.pidFile()).as(when).doesNotExist();
      } else {
        assertThat(Facade.pid(facade.pidFile())).as(when).isEqualTo(daemons.getFirst().pid());
        daemons.getFirst().destroy();
        facade.awaitEnd();
        Files.delete(ready);
      }
    }
  }

  /** A daemon whose child keeps all that it has inherited, before it is ready. */
  static final class HasAnHeir {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      DaemonConfig config = DaemonConfig.builder().pidFile(directory.resolve("pid")).build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        Child _ =
            Program.at(Path.of("/bin/sleep"))
                .arguments("1000")
                .closeOtherDescriptors(false)
                .spawn();
        Files.writeString(directory.resolve("child"), "started.");
        while (!Files.exists(directory.resolve("go"))) {
          Thread.onSpinWait();
        }
        daemon.ready();
      }
    }
  }

  @Test
  void aDaemonThatDiesBeforeItIsConfirmedIsAFailureAlsoIfAChildHasItsDescriptors()
      throws Exception {
    Process launcher = facade.start(facade.java(List.of(), HasAnHeir.class));
    facade.awaitText("child");
    String daemon = Long.toString(Facade.pid(facade.pidFile()));

    Facade.signal("STOP", launcher.pid());
    ProcessSandbox.await(
        "the launcher's stop",
        () -> Proc.status(Long.toString(launcher.pid()), "State").startsWith("T"));
    Files.writeString(facade.file("go"), "");
    // The daemon closes this file after it has said that it is ready.
    ProcessSandbox.await(
        "the daemon's message",
        () ->
            Proc.descriptors(daemon).values().stream()
                .noneMatch(to -> to.startsWith("/memfd:dev.daimon.readiness")));
    Facade.signal("KILL", Long.parseLong(daemon));
    // All of it: the first thread of a process may have ended before the others.
    ProcessSandbox.await(
        "its end",
        () ->
            Proc.status(daemon, "State").startsWith("Z")
                && Proc.status(daemon, "Threads").equals("1"));
    Facade.signal("CONT", launcher.pid());

    assertThat(launcher.waitFor()).isEqualTo(70);
    assertThat(facade.file("err"))
        .hasContent("RaceTest$HasAnHeir: the daemon was killed by SIGKILL before it was ready");
    assertThat(facade.pidFile()).doesNotExist();
    // The child has got SIGKILL, and nobody waits for its end but this test.
    facade.awaitEnd();
  }
}
