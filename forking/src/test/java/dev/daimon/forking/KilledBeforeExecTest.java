package dev.daimon.forking;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.posix.UserChange;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A child that somebody kills before it has become the program is no start. */
class KilledBeforeExecTest {
  @TempDir Path directory;

  private static final ResourceLimit NO_CORE = ResourceLimit.parse("core=0");

  /** The ways to start a program. */
  enum Way {
    SPAWN,
    SPAWN_IN_A_SESSION,
    SPAWN_WITH_LIMITS,
    SPAWN_AS_USER,
    DETACH,
    DETACH_WITHOUT_SWEEP,
    DETACH_WITH_LIMITS,
    DETACH_AS_USER;

    private boolean detaches() {
      return name().startsWith("DETACH");
    }

    /** Returns the process id. */
    long start(Program program) throws IOException {
      return switch (this) {
        case SPAWN -> program.spawn().pid();
        case SPAWN_IN_A_SESSION -> program.newSession().spawn().pid();
        case SPAWN_WITH_LIMITS -> program.limit(NO_CORE).spawn().pid();
        case SPAWN_AS_USER -> program.become(oneself()).spawn().pid();
        case DETACH -> detach(program);
        case DETACH_WITHOUT_SWEEP -> detach(program.closeOtherDescriptors(false));
        case DETACH_WITH_LIMITS -> detach(program.limit(NO_CORE));
        case DETACH_AS_USER -> detach(program.become(oneself()));
      };
    }

    /** It takes no right, and the same steps. */
    private static UserChange oneself() {
      long user = Integer.toUnsignedLong(Credentials.fsuid());
      return new UserChange(OptionalLong.of(user), OptionalLong.empty());
    }

    private static long detach(Program program) throws IOException {
      try (Detached detached = program.detach(022)) {
        return detached.pid();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  @Tag("strace")
  void theStartFailsAndNothingIsLeft(Way way) throws Exception {
    Path ran = directory.resolve("ran");

    // strace may have words of its own about the death.
    String out =
        ChildJvm.of(Killed.class)
            .startedBy("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=execve")
            .startedBy("-P", "/bin/touch", "-e", "inject=execve:delay_enter=3600000000")
            .run(way, ran)
            .out();

    assertThat(out).isEqualTo("posix_spawn /bin/touch EINTR\nECHILD\n");
    assertThat(ran).doesNotExist();
  }

  /** Kills the program that is about to be executed. */
  static final class Killed {
    public static void main(String[] args) throws Exception {
      Program program = Program.at(Path.of("/bin/touch")).arguments(args[1]);
      try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
        Callable<Long> start = () -> Way.valueOf(args[0]).start(program);
        Future<Long> starting = thread.submit(start);
        long child = awaitChild(ThisProcess.id());
        if (Way.valueOf(args[0]).detaches()) {
          child = awaitChild(child);
        }
        // Read before the kill: a dead child has no tracer, and 0 would be this process's group.
        long strace = Long.parseLong(Proc.status(Long.toString(child), "TracerPid"));
        Signals.kill((int) child, Signal.KILL.number());
        // What strace halts dies when that lets go of it.
        Command.kill("KILL", strace);
        System.out.println(outcome(starting));
      }
      int left = Processes.waitpid(-1, new int[1], Processes.WNOHANG | Processes.__WALL);
      System.out.println(Errno.of(-left).name());
    }

    private static String outcome(Future<Long> starting) throws InterruptedException {
      try {
        return "started " + starting.get();
      } catch (java.util.concurrent.ExecutionException failed) {
        return failed.getCause() instanceof PosixException failure
            ? failure.call() + " " + failure.subject() + " " + failure.errno().name()
            : failed.toString();
      }
    }

    private static long awaitChild(long parent) throws IOException {
      while (true) {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
          for (Path process : all) {
            if (stat(process.getFileName().toString(), PPID) == parent) {
              return Long.parseLong(process.getFileName().toString());
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "SPAWN, true",
    "SPAWN, false",
    "SPAWN_IN_A_SESSION, true",
    "SPAWN_WITH_LIMITS, true",
    "SPAWN_AS_USER, true",
    "DETACH, true",
    "DETACH_WITHOUT_SWEEP, true",
    "DETACH_WITH_LIMITS, true",
    "DETACH_AS_USER, true",
  })
  @Tag("root")
  void noneThatIsSaidToHaveStartedHasNot(Way way, boolean session) throws Exception {
    // In a PID namespace of its own: whatever has the next process id there is the test's. Without
    // a session of its own there, this process has no group that it could name.
    ChildJvm jvm = ChildJvm.of(RandomKills.class);
    jvm.startedBy("unshare", "--pid", "--fork", "--mount-proc");
    if (session) {
      jvm.startedBy("setsid");
    }

    String out = jvm.run(way).output();

    assertThat(out).matches("killed [1-9][0-9]*, started [1-9][0-9]*");
  }

  /** Kills programs at every moment of their start; those that have started stay as zombies. */
  static final class RandomKills {
    private static final int ROUNDS = 300;

    /** The highest process id so far; 0 if nobody is to be killed. */
    private static volatile long last;

    private static volatile long delayNanos;
    private static volatile long found;

    public static void main(String[] args) throws Exception {
      Way way = Way.valueOf(args[0]);
      long highest = way.start(Program.at(Path.of("/bin/true")));
      Thread killer = Thread.ofPlatform().daemon().start(() -> kill(way.detaches()));
      int interrupted = 0;
      int started = 0;
      for (int round = 0; round < ROUNDS; round++) {
        delayNanos = round % 100 * 10_000L;
        found = 0;
        last = highest;
        try {
          long pid = way.start(Program.at(Path.of("/bin/true")));
          last = 0;
          if (!executed(pid)) {
            throw new AssertionError("it was never executed: " + pid);
          }
          highest = Math.max(highest, pid);
          started++;
        } catch (PosixException failure) {
          last = 0;
          if (!failure.errno().equals(Errno.EINTR)) {
            throw new AssertionError(failure);
          }
          highest = Math.max(highest, found);
          interrupted++;
        }
      }
      killer.interrupt();
      System.out.println("killed " + interrupted + ", started " + started);
    }

    /** Kills the next program as soon as there is one, or a moment later. */
    private static void kill(boolean behindLeader) {
      while (!Thread.interrupted()) {
        long before = last;
        for (long pid = before + 1; before != 0 && pid < before + 6; pid++) {
          int session = Processes.getsid((int) pid);
          if (session >= 0 && (!behindLeader || (session != pid && session > before))) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < delayNanos) {
              Thread.onSpinWait();
            }
            found = pid;
            last = 0;
            Signals.kill((int) pid, Signal.KILL.number());
            break;
          }
        }
      }
    }

    /** The flag PF_FORKNOEXEC is gone, of a zombie too. */
    private static boolean executed(long pid) throws IOException {
      return (stat(Long.toString(pid), FLAGS) & 0x40) == 0;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5})
  void noDescriptorOfTheStartIsLeftInTheProgram(int kept) throws Exception {
    assertThat(ChildJvm.of(Inherited.class).run(kept).output())
        .isEqualTo("[0, 1, 2, " + kept + "]");
  }

  /** With sources of streams beside the number that is kept. */
  static final class Inherited {
    public static void main(String[] args) throws IOException {
      for (int i = 0; i < 5; i++) {
        int _ = Descriptors.openNullDevice().number();
      }
      Program program =
          Running.sleeper()
              .keep(Integer.parseInt(args[0]))
              .standardInput(Redirect.nullDevice())
              .directory(Path.of("/"));
      try (Running running = Running.of(program.detach(022))) {
        System.out.println(running.descriptors().keySet());
      }
    }
  }

  /** Indices of what {@code /proc/PID/stat} says after the name. */
  private static final int PPID = 1;

  private static final int FLAGS = 6;

  private static long stat(String process, int field) throws IOException {
    String line;
    try {
      line = Files.readString(Path.of("/proc", process, "stat"), ISO_8859_1);
    } catch (IOException gone) {
      return 0;
    }
    return Long.parseLong(line.substring(line.lastIndexOf(')') + 2).split(" ", -1)[field]);
  }
}
