package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ThisProcessTest {
  @Test
  void theIdsAreThoseThatJavaTells() {
    ProcessHandle self = ProcessHandle.current();

    assertThat(ThisProcess.id()).isEqualTo(self.pid());
    assertThat(ThisProcess.parent()).isEqualTo(self.parent().orElseThrow().pid());
  }

  @Test
  void theWordsAreThoseOfTheKernelByteForByte() throws Exception {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (byte[] word : ThisProcess.commandLine()) {
      block.writeBytes(word);
      block.write(0);
    }

    assertThat(block.toByteArray()).isEqualTo(Files.readAllBytes(Path.of("/proc/self/cmdline")));
  }

  @Test
  void aProcessThatLeadsNoGroupLeadsASessionAfterSetsid() throws Exception {
    assertThat(ChildJvm.of(Setsid.class).run().lines())
        .containsExactly("leader false", "done", "leader true", "session true");
  }

  @Test
  void aLeaderOfAGroupIsRefusedAnotherSession() throws Exception {
    assertThat(ChildJvm.of(Setsid.class).startedBy("setsid", "--wait").run().lines())
        .containsExactly("leader true", "setsid EPERM", "leader true", "session true");
  }

  static final class Setsid {
    public static void main(String[] args) {
      System.out.println("leader " + ThisProcess.isGroupLeader());
      try {
        ThisProcess.setsid();
        System.out.println("done");
      } catch (PosixException refused) {
        System.out.println(refused.call() + " " + refused.errno().name());
      }
      System.out.println("leader " + ThisProcess.isGroupLeader());
      System.out.println("session " + (Processes.getsid(0) == ThisProcess.id()));
    }
  }

  @Test
  void theUmaskCountsAtOnceForEveryThreadAndForWhatIsSpawned(@TempDir Path directory)
      throws Exception {
    assertThat(
            ChildJvm.of(Umask.class)
                .startedBy("sh", "-c", "umask 027; exec \"$@\"", "sh")
                .run(directory)
                .lines())
        .containsExactly("before 27", "rw-------", "0077", "before 77", "rw-r-----");
  }

  static final class Umask {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      System.out.println("before " + Integer.toOctalString(ThisProcess.umask(077)));
      Thread.ofPlatform().start(() -> create(directory.resolve("first"))).join();
      Program.at(Path.of("/bin/sh")).arguments("-c", "umask").spawn().waitFor();
      System.out.println("before " + Integer.toOctalString(ThisProcess.umask(027)));
      create(directory.resolve("second"));
    }

    private static void create(Path file) {
      try {
        // Without a mode of its own, which java.nio would take for the last word.
        Files.newOutputStream(file).close();
        System.out.println(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
      } catch (java.io.IOException failure) {
        throw new java.io.UncheckedIOException(failure);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 01000, Integer.MIN_VALUE, Integer.MAX_VALUE})
  void whatIsNoUmaskIsRefused(int mask) {
    assertThatThrownBy(() -> ThisProcess.umask(mask))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("umask");
  }

  @Test
  void aLimitAboveTheHardOneTakesTheRightToRaiseIt() throws Exception {
    assertThat(ChildJvm.of(Allow.class).startedBy("prlimit", "--core=5").run().lines())
        .containsExactly("5 5", "prlimit core=0:6: Operation not permitted (EPERM, 1)", "5 5");
  }

  /** Without that right, whoever runs the tests. */
  static final class Allow {
    public static void main(String[] args) throws IOException {
      int _ = Capabilities.capset(0, 0);
      ThisProcess.allow(ResourceLimit.parse("core=1:5"));
      long[] own = new long[2];
      int _ = Limits.getrlimit(0, Resource.CORE.number(), own);
      System.out.println(own[0] + " " + own[1]);
      try {
        ThisProcess.allow(ResourceLimit.parse("core=0:6"));
      } catch (PosixException refused) {
        System.out.println(refused.getMessage());
      }
      int _ = Limits.getrlimit(0, Resource.CORE.number(), own);
      System.out.println(own[0] + " " + own[1]);
    }
  }

  /** Detaches a program that exits, as the parent of what loses its own. */
  static final class Adopts {
    public static void main(String[] args) throws Exception {
      ThisProcess.adoptOrphans();
      for (String script : args) {
        try (Detached program =
            Program.at(Path.of("/bin/sh")).arguments("-c", script).detach(022)) {
          while (!program.reap()) {
            Thread.onSpinWait();
          }
          System.out.println(program.exitStatus().orElseThrow() + " " + program.isAlive());
        }
      }
    }
  }

  @Test
  void howADetachedProgramEndsIsToldToAProcessThatAdoptsOrphans() throws Exception {
    assertThat(ChildJvm.of(Adopts.class).run("exit 7", "exit 0", "kill -9 $$").lines())
        .containsExactly("exit code 7 false", "exit code 0 false", "signal 9 false");
  }

  /** Fixes its exit code, and ends as the first argument says. */
  static final class FixesItsExitCode {
    public static void main(String[] args) throws Exception {
      Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
      System.out.println(ThisProcess.fixExitCode(Integer.parseInt(args[1])));
      System.out.println(ThisProcess.fixExitCode(99));
      switch (args[0]) {
        case "exits" -> System.exit(5);
        case "halts" -> Runtime.getRuntime().halt(5);
        case "throws" -> throw new IllegalStateException();
        case "returns" -> Thread.onSpinWait();
        default -> {
          Command.kill(args[0], ThisProcess.id());
          new CountDownLatch(1).await();
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "exits,   0,   0,   true true hook",
    "exits,   255, 255, true true hook",
    "halts,   0,   0,   true true",
    "throws,  0,   0,   true true hook",
    "returns, 7,   7,   true true hook",
    "INT,     0,   0,   true true hook",
    "TERM,    0,   0,   true true hook",
    "KILL,    0,   137, true true",
  })
  void anExitCodeThatIsFixedCountsHoweverTheJvmExits(
      String how, String fixed, int exit, String lines) throws Exception {
    ChildJvm.Result result =
        ChildJvm.of(FixesItsExitCode.class)
            .startedBy("env", "--default-signal=INT")
            .run(how, fixed);

    assertThat(result.exit()).isEqualTo(exit);
    assertThat(result.out().lines()).containsExactly(lines.split(" "));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 256})
  void whatIsNoExitCodeIsRefused(int code) {
    assertThatThrownBy(() -> ThisProcess.fixExitCode(code))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("exit code");
  }
}
