package dev.daimon.posix.call;

import static dev.daimon.posix.call.ProcessesTest.spawn;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class OwnChildrenTest {
  @Test
  void aChildIsOursFromItsStartUntilItWasWaitedFor() {
    int pid = spawn("/bin/true");
    assertThat(OwnChildren.mark(pid)).isNotNull();

    Processes.awaitEnd(pid);
    assertThat(OwnChildren.mark(pid)).isNotNull();

    assertThat(Processes.waitpid(pid, new int[1], 0)).isEqualTo(pid);
    assertThat(OwnChildren.mark(pid)).isNull();
  }

  @Test
  void aChildOfTheJdkIsNot() throws Exception {
    Process child = new ProcessBuilder("true").start();

    assertThat(OwnChildren.mark((int) child.pid())).isNull();

    child.waitFor();
  }

  @Test
  void aLateMarkTakesNothingFromTheNextProcessOfThatId() {
    int pid = 1 << 30;
    OwnChildren.add(pid);
    Object first = OwnChildren.mark(pid);
    OwnChildren.add(pid);
    Object second = OwnChildren.mark(pid);

    OwnChildren.remove(pid, first);
    assertThat(OwnChildren.mark(pid)).isSameAs(second);
    OwnChildren.remove(pid, null);
    assertThat(OwnChildren.mark(pid)).isSameAs(second);

    OwnChildren.remove(pid, second);
    assertThat(OwnChildren.mark(pid)).isNull();
  }
}
