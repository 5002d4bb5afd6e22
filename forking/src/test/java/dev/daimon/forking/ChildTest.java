package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.OwnChildren;
import dev.daimon.posix.call.Processes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChildTest {
  @Test
  void waitingTwiceTellsTheSameEnd() throws IOException {
    Child child = shell("exit 3");

    assertThat(child.waitFor().exitCode()).hasValue(3);
    assertThat(child.waitFor().exitCode()).hasValue(3);
  }

  @Test
  void manyThreadsThatWaitAllLearnTheEnd() throws Exception {
    Child child = Running.sleeper().spawn();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<ExitStatus>> waiting = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        waiting.add(threads.submit((Callable<ExitStatus>) child::waitFor));
      }
      child.signal(Signal.TERM);
      for (Future<ExitStatus> end : waiting) {
        assertThat(end.get().signal()).hasValue(Signal.TERM);
      }
    }
  }

  @Test
  void aSignalArrives() throws IOException {
    Child child = Running.sleeper().spawn();

    child.signal(Signal.of(40));

    assertThat(child.waitFor().signal()).hasValue(Signal.of(40));
  }

  @Test
  void aSignalAfterTheEndDoesNothing() throws IOException {
    Child child = shell("exit 0");
    assertThat(Processes.awaitEnd((int) child.pid())).isZero();

    child.signal(Signal.KILL);
    assertThat(child.waitFor().exitCode()).as("it had ended already").hasValue(0);
    child.signal(Signal.KILL);
  }

  @Test
  void aChildThatSomebodyElseReapedIsAnError() throws IOException {
    Child child = shell("exit 0");
    int pid = (int) child.pid();
    assertThat(Processes.waitpid(pid, new int[1], 0)).isEqualTo(pid);

    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(child::waitFor)
          .isInstanceOfSatisfying(
              PosixException.class,
              lost -> {
                assertThat(lost.errno()).isEqualTo(Errno.ECHILD);
                assertThat(lost).hasMessageContaining(Integer.toString(pid));
              });
    }
  }

  @Test
  void aPidThatIsKnownToBeLostGetsNoSignal() throws IOException {
    Child child = shell("exit 0");
    assertThat(Processes.waitpid((int) child.pid(), new int[1], 0)).isPositive();
    assertThatThrownBy(child::waitFor).isInstanceOf(PosixException.class);

    // It is nobody's now, and may be anybody's next: kill would say ESRCH.
    child.signal(Signal.KILL);
  }

  @Test
  void aChildThatIsAdoptedAgainIsStillTheFirstOnes() throws IOException {
    Child first = Running.sleeper().spawn();
    Child second = Child.adopt(first.pid());

    first.signal(Signal.TERM);

    assertThat(second.waitFor().signal()).hasValue(Signal.TERM);
    second.signal(Signal.KILL);
    assertThatThrownBy(first::waitFor).hasMessageContaining("ECHILD");
  }

  /** As a {@code PidFd} does. */
  @Test
  void aChildThatDaimonHasReapedElsewhereGetsNoSignal() throws IOException {
    Child child = shell("exit 0");
    assertThat(Processes.waitpid((int) child.pid(), new int[1], 0)).isPositive();

    // Its id may be anybody's by now: kill would say ESRCH.
    child.signal(Signal.KILL);
  }

  @RepeatedTest(20)
  void aSignalThatRacesTheEndNeverFails() throws Exception {
    Child child = shell("exit 0");
    Thread signaller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                for (int i = 0; i < 200; i++) {
                  child.signal(Signal.CONT);
                }
              } catch (PosixException failure) {
                throw new AssertionError(failure);
              }
            });
    Throwable[] failures = new Throwable[1];
    signaller.setUncaughtExceptionHandler((_, failure) -> failures[0] = failure);

    assertThat(child.waitFor().exitCode()).hasValue(0);
    signaller.join();
    assertThat(failures[0]).isNull();
  }

  @Test
  void aChildStartedByOthersIsAdopted() throws IOException {
    Child original = Running.sleeper().spawn();

    Child adopted = Child.adopt(original.pid());
    adopted.signal(Signal.TERM);

    assertThat(adopted.pid()).isEqualTo(original.pid());
    assertThat(adopted.waitFor().signal()).hasValue(Signal.TERM);
    assertThat(adopted).hasToString("/proc/" + adopted.pid() + ", process " + adopted.pid());
  }

  @Test
  void anAdoptedChildCountsAsOneThatNobodyElseWaitsFor() throws Exception {
    Process stranger = new ProcessBuilder("sleep", "60").start();
    int pid = (int) stranger.pid();
    assertThat(OwnChildren.mark(pid)).isNull();
    try {
      Child.adopt(pid);

      assertThat(OwnChildren.mark(pid)).isNotNull();
    } finally {
      OwnChildren.remove(pid, OwnChildren.mark(pid));
      stranger.destroyForcibly().waitFor();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, -12345, 1L + Integer.MAX_VALUE, Long.MIN_VALUE})
  void whatStandsForManyProcessesIsNoChild(long pid) {
    assertThatThrownBy(() -> Child.adopt(pid)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void itSaysWhichProgramAndWhichProcessItIs() throws IOException {
    Child child = shell("exit 0");

    assertThat(child).hasToString("/bin/sh, process " + child.pid());
    child.waitFor();
  }

  private static Child shell(String script) throws IOException {
    return Program.at(Path.of("/bin/sh")).arguments("-c", script).spawn();
  }
}
