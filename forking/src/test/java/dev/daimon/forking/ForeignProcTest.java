package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.Answers;
import dev.daimon.testing.ChildJvm;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Where {@code /proc} is of another PID namespace, and an id in it another process. */
class ForeignProcTest {
  private static final String FOREIGN =
      "open /proc: Operation not permitted (EPERM, 1); it is of another PID namespace";

  @Test
  @Tag("root")
  void aStartReturnsWhileTheProgramRuns() throws Exception {
    assertThat(run(Starts.class))
        .containsExactly("spawned", "in a session", "alive: true true", "ended: true true");
  }

  /** The strangers with the ids of the children have executed nothing. */
  static final class Starts {
    public static void main(String[] args) throws Exception {
      Child child = Running.sleeper().spawn();
      System.out.println("spawned");
      Child other = Running.sleeper().newSession().spawn();
      System.out.println("in a session");
      try (Detached daemon = Running.sleeper().detach(022);
          Detached orphan = Running.sleeper().detachInSession(022)) {
        System.out.println("alive: " + daemon.isAlive() + " " + orphan.isAlive());
        end(Child.adopt(daemon.pid()));
        end(Child.adopt(orphan.pid()));
        System.out.println("ended: " + !daemon.isAlive() + " " + !orphan.isAlive());
      }
      end(child);
      end(other);
    }
  }

  @Test
  @Tag("root")
  void whatOtherProcessesAreIsUnknown() throws Exception {
    assertThat(run(Questions.class))
        .containsExactly(
            "contain: false",
            "list: " + FOREIGN,
            "signal: " + FOREIGN,
            "environment: " + FOREIGN,
            "descriptors: " + FOREIGN,
            "own descriptors: true");
  }

  static final class Questions {
    public static void main(String[] args) throws Exception {
      Child child = Running.sleeper().spawn();
      Answers.print("contain", () -> Descendants.contain(child.pid()));
      Answers.print("list", Descendants::list);
      Answers.print("signal", () -> Descendants.signal(Signal.KILL));
      Answers.print("environment", () -> Environment.of(child.pid()).entries().size());
      Answers.print("descriptors", () -> Descriptors.inheritedFrom(child.pid()).length);
      Answers.print("own descriptors", () -> Descriptors.list().length > 3);
      end(child);
    }
  }

  private static void end(Child child) throws PosixException {
    child.signal(Signal.KILL);
    ExitStatus _ = child.waitFor();
  }

  private static List<String> run(Class<?> main) throws Exception {
    return ChildJvm.of(main).startedBy(ChildJvm.WITH_FOREIGN_PROC).run().lines();
  }
}
