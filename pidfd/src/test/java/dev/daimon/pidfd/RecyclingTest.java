package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Signals;
import dev.daimon.testing.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What handles are for: in a PID namespace, where an id can be given away again at will. */
@Tag("root")
class RecyclingTest {
  @Test
  void aHandleNeverReachesTheNextProcessOfItsIdAsKillDoes() throws Exception {
    assertThat(
            ChildJvm.of(Recycling.class)
                .startedBy("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
                // Its file is named by the process id, which is 1 for every such JVM of the
                // machine.
                .option("-XX:-UsePerfData")
                .run()
                .lines())
        .containsExactly(
            "the id is a bystander's",
            "by the handle: No such process (ESRCH, 3)",
            "by a second handle: No such process (ESRCH, 3)",
            "of Java's handle: No such process (ESRCH, 3)",
            "left open: 0",
            "the handle is dead",
            "the bystander is alive",
            "by the id: the bystander has died of SIGTERM");
  }

  static final class Recycling {
    public static void main(String[] arguments) throws Exception {
      try (Children children = new Children()) {
        int pid = children.sleeper();
        ProcessHandle javas = ProcessHandle.of(pid).orElseThrow();
        try (PidFd handle = PidFd.open(pid);
            PidFd second = PidFd.of(javas)) {
          handle.send(Signal.KILL);
          handle.waitFor();
          try (PidFd bystander = bystander(children, pid)) {
            System.out.println("the id is a bystander's");
            report("by the handle", () -> handle.send(Signal.TERM));
            report("by a second handle", () -> second.send(Signal.TERM));
            int before = Watched.pidfds();
            report("of Java's handle", () -> PidFd.of(javas).send(Signal.TERM));
            System.out.println("left open: " + (Watched.pidfds() - before));
            System.out.println(handle.isAlive() ? "the handle is alive" : "the handle is dead");
            System.out.println(
                bystander.isAlive() ? "the bystander is alive" : "the bystander is dead");

            Signals.kill(pid, Signal.TERM.number());
            System.out.println(
                "by the id: the bystander has died of "
                    + bystander.waitFor().signal().orElseThrow());
          }
        }
      }
    }

    /** A new process with an old id: the one after the last that was given away here. */
    private static PidFd bystander(Children children, int pid) throws Exception {
      while (true) {
        // Any kernel's way within a namespace; a small pid_max would be the whole machine's on
        // kernels before 6.14.
        Files.writeString(Path.of("/proc/sys/kernel/ns_last_pid"), Integer.toString(pid - 1));
        int next = children.sleeper();
        if (next == pid) {
          return PidFd.open(next);
        }
      }
    }

    private interface Call {
      void run() throws PosixException;
    }

    private static void report(String how, Call call) {
      try {
        call.run();
        System.out.println(how + ": it was reached");
      } catch (PosixException refused) {
        System.out.println(how + ": " + refused.errno());
      }
    }
  }
}
