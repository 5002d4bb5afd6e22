package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Processes;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DescendantsTest {
  @Test
  void aChildIsOneAndThisProcessIsNot() throws Exception {
    Process child = new ProcessBuilder("sleep", "1000").start();
    try {
      assertThat(Descendants.contain(child.pid())).isTrue();
      assertThat(Descendants.list()).contains(child.pid()).doesNotContain(ThisProcess.id());
      assertThat(Descendants.contain(ThisProcess.id())).isFalse();
      assertThat(Descendants.contain(ThisProcess.parent())).isFalse();
      assertThat(Descendants.contain(1)).isFalse();
      assertThat(Descendants.contain(4_194_304)).isFalse();
    } finally {
      child.destroyForcibly().waitFor();
    }
    assertThat(Descendants.contain(child.pid())).isFalse();
  }

  /** Starts children that leave their sessions and lose their parents, and ends all of them. */
  static final class Family {
    public static void main(String[] args) throws Exception {
      ThisProcess.adoptOrphans();
      // The grandchildren: an orphan in a session of its own, a stopped one, one that ignores TERM,
      // and a zombie that nobody waits for.
      String script =
          "(setsid sleep 1000 & echo ready >&3) 3>&1;"
              + " sleep 1000 & kill -STOP $!;"
              + " (trap '' TERM; echo ready >&3; while :; do sleep 1000; done) 3>&1 &"
              + " sh -c 'exit 0' & echo ready; exec sleep 1000";
      Process child = new ProcessBuilder("sh", "-c", script).start();
      BufferedReader lines = child.inputReader();
      for (int i = 0; i < 3; i++) {
        String _ = lines.readLine();
      }
      while (Descendants.list().size() < 4) {
        Thread.onSpinWait();
      }
      System.out.println("denied " + Descendants.signal(Signal.TERM, Signal.CONT));
      while (!Descendants.list().isEmpty()) {
        Descendants.signal(Signal.KILL);
      }
      Descendants.reap();
      System.out.println("left " + Descendants.list());
    }
  }

  @Test
  void allAreEndedWhateverTheyDoAgainstIt() throws Exception {
    assertThat(ChildJvm.of(Family.class).run().lines()).containsExactly("denied []", "left []");
  }

  /** Waits for a child, whose id nobody can have then. */
  static final class Reaped {
    public static void main(String[] args) throws PosixException, java.io.IOException {
      Child child = Program.at(Path.of("/bin/true")).spawn();
      while (Descendants.contain(child.pid())) {
        Thread.onSpinWait();
      }
      Descendants.reap();
      System.out.println(ProcessHandle.of(child.pid()).isPresent());
    }
  }

  /** The leader's id is that of a group that may be signalled. */
  static final class Leader {
    public static void main(String[] args) throws java.io.IOException {
      try (Detached detached = Program.at(Path.of("/bin/true")).detach(022)) {
        Descendants.reap();
        System.out.println(ProcessHandle.of(detached.group()).isPresent());
      }
    }
  }

  @Test
  void theLeaderOfADetachedProgramIsNotReaped() throws Exception {
    assertThat(ChildJvm.of(Leader.class).run().lines()).containsExactly("true");
  }

  @Test
  void aChildThatHasEndedLeavesNoZombie() throws Exception {
    assertThat(ChildJvm.of(Reaped.class).run().lines()).containsExactly("false");
  }

  /** Reaps a child while the thread that has started it is about to ask whether it was executed. */
  static final class ReapedEarly {
    public static void main(String[] args) throws Exception {
      try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
        Future<Child> starting = thread.submit(() -> Program.at(Path.of("/bin/true")).spawn());
        while (Processes.anyEnded() <= 0) {
          Thread.onSpinWait();
        }
        Descendants.reap();
        // Without its tracer it goes on.
        Command.kill("KILL", Long.parseLong(Proc.status("self", "TracerPid")));
        starting.get().signal(Signal.KILL);
        System.out.println("no signal");
      }
    }
  }

  @Test
  @Tag("strace")
  void aChildThatWasReapedBeforeItsStartReturnsGetsNoSignal() throws Exception {
    assertThat(
            ChildJvm.of(ReapedEarly.class)
                // Its process group has to be one that it can see.
                .startedBy("setsid", "strace", "-D", "-f", "-qq", "-o", "/dev/null")
                .startedBy("-e", "trace=setpgid")
                .startedBy("-e", "inject=setpgid:delay_enter=3600000000")
                .run()
                .out())
        .as("kill would say ESRCH")
        .isEqualTo("no signal\n");
  }

  /** Starts two children, one of them in a group that does not count. */
  static final class Excluded {
    public static void main(String[] args) throws Exception {
      ThisProcess.adoptOrphans();
      Program sleeper = Program.at(Path.of("/bin/sleep")).arguments("1000");
      try (Detached reader = sleeper.detachInSession(022)) {
        Descendants.exclude(reader.group());
        Child child = sleeper.spawn();
        System.out.println(Descendants.list().equals(List.of(child.pid())));
        System.out.println(Descendants.contain(reader.pid()));
        Descendants.signal(Signal.KILL);
        child.waitFor();
        System.out.println(reader.isAlive());
        reader.signalGroup(Signal.KILL);
        while (!reader.reap()) {
          Thread.onSpinWait();
        }
        System.out.println(reader.exitStatus().orElseThrow().signal().orElseThrow());
      }
    }
  }

  @Test
  void aGroupThatIsExcludedIsNeitherSeenNorSignalled() throws Exception {
    assertThat(ChildJvm.of(Excluded.class).run().lines())
        .containsExactly("true", "false", "true", "SIGKILL");
  }
}
