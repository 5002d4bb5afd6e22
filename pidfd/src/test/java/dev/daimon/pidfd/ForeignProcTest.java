package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.PosixException;
import dev.daimon.testing.Answers;
import dev.daimon.testing.ChildJvm;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Where {@code /proc} is of another PID namespace, and an id in it another process. */
class ForeignProcTest {
  private static final String FOREIGN =
      "open /proc: Operation not permitted (EPERM, 1); it is of another PID namespace";

  @Test
  @Tag("root")
  void noProcessIsDescribedByAnother() throws Exception {
    assertThat(ChildJvm.of(Questions.class).startedBy(ChildJvm.WITH_FOREIGN_PROC).run().lines())
        .containsExactly(
            "alive: true",
            "info: " + FOREIGN,
            "name: ",
            "start: Optional.empty",
            "socket: " + FOREIGN,
            "of Java's handle: " + FOREIGN);
  }

  static final class Questions {
    public static void main(String[] args) throws Exception {
      ProcessHandle self = ProcessHandle.current();
      try (PidFd own = PidFd.open(self.pid())) {
        Answers.print("alive", own::isAlive);
        Answers.print("info", () -> own.info().name());
        Answers.print("name", own::name);
        Answers.print("start", () -> ProcessStart.of(self.pid()));
        Answers.print("socket", () -> own.hasSocket(Set.of(1L)));
        Answers.print("of Java's handle", () -> open(self));
      }
    }

    private static String open(ProcessHandle handle) throws PosixException {
      try (PidFd opened = PidFd.of(handle)) {
        return opened.toString();
      }
    }
  }
}
