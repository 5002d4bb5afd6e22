package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.ProcStat;
import dev.daimon.posix.call.Processes;
import dev.daimon.testing.Answers;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcDirectoryTest {
  @Test
  void aProcessHasItsIdsDirectory() throws PosixException {
    assertThat(ProcDirectory.of(4711)).isEqualTo("/proc/4711");
    assertThat(ProcDirectory.ofAll()).isEqualTo("/proc");
  }

  /** A thread may see another /proc than the others, and all may see theirs later. */
  @Test
  @Tag("root")
  void whereAnIdIsAnotherProcessNoneHasADirectory(@TempDir Path root) throws Exception {
    String foreign =
        "open /proc: Operation not permitted (EPERM, 1); it is of another PID namespace";

    assertThat(
            ChildJvm.of(Namespaces.class).startedBy(ChildJvm.WITH_FOREIGN_PROC).run(root).lines())
        .containsExactly(
            "foreign: " + foreign,
            "its stat: " + foreign,
            "its name: " + foreign,
            "own stat: (java)",
            "mounted: /proc/1",
            "its stat: (java)",
            "its name: java",
            "in another root: " + foreign,
            "beside it: /proc/1",
            "covered: readlink /proc/self: No such file or directory (ENOENT, 2)");
  }

  static final class Namespaces {
    public static void main(String[] args) throws Exception {
      Path inner = Files.createDirectory(Path.of(args[0], "proc"));
      String _ = Command.run("mount", "--bind", "/proc", inner.toString());
      Answers.print("foreign", () -> ProcDirectory.of(1));
      Answers.print("its stat", () -> "(" + ProcStat.of(1).name() + ")");
      Answers.print("its name", () -> ProcFiles.programName(1));
      Answers.print("own stat", () -> "(" + ProcStat.own().name() + ")");
      String _ = Command.run("mount", "-t", "proc", "proc", "/proc");
      Answers.print("mounted", () -> ProcDirectory.of(1));
      Answers.print("its stat", () -> "(" + ProcStat.of(1).name() + ")");
      Answers.print("its name", () -> ProcFiles.programName(1));
      FutureTask<String> elsewhere =
          new FutureTask<>(() -> {
            PosixException.check(Processes.unshareDirectories(), "unshare", "");
            byte[] root = args[0].getBytes(StandardCharsets.UTF_8);
            PosixException.check(Processes.chroot(root), "chroot", "");
            return Answers.of(ProcDirectory::now);
          });
      Thread thread = Thread.ofPlatform().start(elsewhere);
      thread.join();
      System.out.println("in another root: " + elsewhere.get());
      Answers.print("beside it", () -> ProcDirectory.of(1));
      String _ = Command.run("mount", "-t", "tmpfs", "none", "/proc");
      Answers.print("covered", ProcDirectory::now);
    }
  }
}
