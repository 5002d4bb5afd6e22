package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ProcessStartTest {
  private final Children children = new Children();

  @AfterEach
  void end() {
    children.close();
  }

  @Test
  void itIsTheKernels() throws Exception {
    long self = ProcessHandle.current().pid();

    assertThat(ProcessStart.of(self))
        .contains(new ProcessStart(ProcessSandbox.stat(self, 22), ProcessSandbox.stat(self, 6)));
  }

  @Test
  void aZombieHasOneAndAMissingProcessHasNone() throws Exception {
    int pid = children.sleeper();
    ProcessStart start = ProcessStart.of(pid).orElseThrow();
    try (PidFd child = PidFd.open(pid)) {
      child.send(Signal.KILL);
      child.awaitExit();
      assertThat(ProcessStart.of(pid)).contains(start);

      child.waitFor();
    }

    assertThat(ProcessStart.of(4194304)).isEmpty();
    assertThat(ProcessStart.of(-1)).isEmpty();
  }

  /** Asks for a process that lives, with so many descriptors left. */
  static final class WithoutDescriptors {
    public static void main(String[] arguments) throws Exception {
      Process child = new ProcessBuilder("sleep", "1000").start();
      try (PidFd process = PidFd.open(child.pid())) {
        // What is used then is loaded now.
        System.out.println(ProcessStart.of(child.pid()).isPresent() + " " + process.name());
        PidFd.of(child.toHandle()).close();
        System.out.println(new PosixException("none", "left", Errno.EMFILE).getMessage());
        List<Descriptor> opened = new ArrayList<>();
        int number;
        while ((number = Files.open(new byte[] {'/'}, Files.O_PATH, 0)) >= 0) {
          opened.add(Descriptor.adopt(number));
        }
        tell(() -> ProcessStart.of(child.pid()));
        tell(process::name);
        opened.getFirst().close();
        tell(() -> PidFd.of(child.toHandle()));
      } finally {
        child.destroyForcibly();
      }
    }

    private static void tell(Callable<Object> question) throws Exception {
      try {
        System.out.println(question.call());
      } catch (PosixException failure) {
        System.out.println(failure.errno().name());
      }
    }
  }

  @Test
  void withoutADescriptorLeftNothingIsSaidToHaveEnded() throws Exception {
    assertThat(
            ChildJvm.of(WithoutDescriptors.class)
                .startedBy("prlimit", "--nofile=100:100")
                .run()
                .lines())
        .containsExactly(
            "true sleep",
            "none left: Too many open files (EMFILE, 24)",
            "EMFILE",
            "EMFILE",
            "EMFILE");
  }
}
