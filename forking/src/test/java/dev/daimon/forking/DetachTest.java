package dev.daimon.forking;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link Program#detach} starts, as {@code /proc} shows it; one character is one byte. */
class DetachTest {
  private static final String WITHOUT = "-Ddev.daimon.posix.without=";

  /** Indices of what {@code /proc/PID/stat} says after the name. */
  private static final int PPID = 1;

  private static final int PGRP = 2;
  private static final int SESSION = 3;
  private static final int TTY = 4;

  @TempDir Path directory;

  @Test
  void itIsNoChildAndItsSessionIsNewAndNotLedByIt() throws IOException {
    Detached detached = Running.sleeper().detach(022);
    try (Running running = Running.of(detached)) {
      long session = detached.session();
      assertThat(session).isNotIn(detached.pid(), (long) Processes.getsid(0));
      assertThat(stat(running.pid(), SESSION)).isEqualTo(session);
      assertThat(stat(running.pid(), PGRP)).isEqualTo(session);
      assertThat(stat(running.pid(), PPID)).isNotIn(ThisProcess.id(), session);
      assertThat(detached)
          .hasToString("/bin/sleep, process " + detached.pid() + " in session " + session);
    }
  }

  @Test
  void anOrphanIsNoChildAndInANewGroupOfThisSession() throws IOException {
    Detached orphan = Running.sleeper().detachInSession(027);
    try (Running running = Running.of(orphan)) {
      assertThat(stat(running.pid(), SESSION)).isEqualTo(Processes.getsid(0));
      assertThat(orphan.session()).isEqualTo(Processes.getsid(0));
      assertThat(stat(running.pid(), PGRP)).isEqualTo(orphan.group());
      assertThat(orphan.group()).isNotEqualTo(stat(ThisProcess.id(), PGRP));
      assertThat(stat(running.pid(), PPID)).isNotIn(ThisProcess.id(), orphan.group());
      assertThat(Integer.parseInt(running.status("Umask"), 8)).isEqualTo(027);
      assertThat(orphan.isAlive()).isTrue();
    }
  }

  @Test
  void aSignalThatItIsToIgnoreIsIgnoredAndNoOther() throws IOException {
    Program program = Running.sleeper().ignore(Signal.PIPE);
    try (Running spawned = Running.start(program);
        Running detached = Running.of(program.detach(022))) {
      for (Running running : List.of(spawned, detached)) {
        assertThat(Long.parseLong(running.status("SigIgn"), 16))
            .isEqualTo(1L << (Signal.PIPE.number() - 1));
      }
    }
  }

  @Test
  void itHasNoControllingTerminalWhereThisJvmHasOne() throws Exception {
    List<String> lines =
        ChildJvm.of(Terminal.class)
            .startedBy(
                "sh", "-c", "exec script -qec \"$(printf \"'%s' \" \"$@\")\" /dev/null", "sh")
            .run()
            .lines();

    assertThat(Long.parseLong(lines.get(0))).isNotZero();
    assertThat(Long.parseLong(lines.get(1))).isZero();
  }

  static final class Terminal {
    public static void main(String[] args) throws IOException {
      System.out.println(stat(ThisProcess.id(), TTY));
      try (Running running = Running.of(Running.sleeper().detach(022))) {
        System.out.println(stat(running.pid(), TTY));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 027, ThisProcess.MAX_UMASK})
  void itsUmaskIsTheOneAskedForAndThisJvmsStays(int umask) throws IOException {
    String own = Proc.status("self", "Umask");
    try (Running running = Running.of(Running.sleeper().detach(umask))) {
      assertThat(Integer.parseInt(running.status("Umask"), 8)).isEqualTo(umask);
      assertThat(Proc.status("self", "Umask")).isEqualTo(own);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, ThisProcess.MAX_UMASK + 1})
  void whatIsNoUmaskIsRefused(int umask) {
    assertThatThrownBy(() -> Running.sleeper().detach(umask))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @EnumSource
  void itHasTheLimitThatIsSetAndThisJvmKeepsItsOwn(Resource resource) throws IOException {
    long[] own = limits(0, resource);
    long hard = ResourceLimit.isAbove(own[1], 1L << 44) ? 1L << 44 : own[1];
    ResourceLimit limit = new ResourceLimit(resource, hard / 2, hard);
    Program program = Running.sleeper().limit(new ResourceLimit(resource, 0, 0)).limit(limit);

    try (Running running = Running.of(program.detach(022))) {
      assertThat(limits(running.pid(), resource)).containsExactly(hard / 2, hard);
      assertThat(limits(0, resource)).containsExactly(own);
    }
    try (Running running = Running.start(program)) {
      assertThat(limits(running.pid(), resource)).containsExactly(hard / 2, hard);
      assertThat(limits(0, resource)).containsExactly(own);
    }
  }

  private static long[] limits(long process, Resource resource) {
    long[] limits = new long[2];
    assertThat(Limits.getrlimit((int) process, resource.number(), limits)).isZero();
    return limits;
  }

  @Test
  void aLimitThatItMayNotHaveIsToldAndNothingRuns() throws Exception {
    Path ran = directory.resolve("ran");

    assertThat(ChildJvm.of(TooHigh.class).startedBy("prlimit", "--core=0").run(ran).lines())
        .containsExactly("prlimit core=0:1 EPERM", "gone");
  }

  /** Without the right to raise it, whoever runs the tests. */
  static final class TooHigh {
    public static void main(String[] args) throws Exception {
      int _ = Capabilities.capset(0, 0);
      try {
        Detached _ = Running.sleeper().limit(ResourceLimit.parse("core=0:1")).detach(022);
      } catch (PosixException refused) {
        System.out.println(refused.call() + " " + refused.subject() + " " + refused.errno().name());
      }
      boolean child = Processes.waitpid(-1, new int[1], Processes.WNOHANG | Processes.__WALL) >= 0;
      System.out.println(child ? "left" : "gone");
    }
  }

  @Test
  void aLimitedProgramStartsLikeAnyOther() throws Exception {
    // Less memory than this JVM has in use.
    Path log = directory.resolve("log");
    Path script = executable("script", "ulimit -v; ulimit -n; pwd; echo $1 $0; cat");

    Detached detached =
        Program.at(script)
            .arguments("argument")
            .directory(directory)
            .standardInput(Redirect.nullDevice())
            .standardOutput(Redirect.truncate(log))
            .standardError(Redirect.truncate(log))
            .limit(ResourceLimit.parse("as=102400000"))
            .limit(ResourceLimit.parse("nofile=20"))
            .detach(022);
    Running.awaitEnd(detached.pid());
    detached.close();

    assertThat(Files.readAllLines(log))
        .containsExactly("100000", "20", directory.toString(), "argument " + script);
  }

  private Path executable(String name, String script) throws IOException {
    Path file = Files.writeString(directory.resolve(name), script);
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void noSignalIsIgnoredOrBlockedThereAndNothingChangesHere() throws Exception {
    List<String> lines =
        ChildJvm.of(SignalStates.class)
            .startedBy(
                "nohup",
                "env",
                "--block-signal=USR1,RTMIN",
                "--ignore-signal=CHLD,TTOU,RTMAX",
                "--default-signal=PIPE")
            .run()
            .lines();

    // HUP, CHLD, TTOU and the last real-time signal; USR1.
    assertThat(Long.parseUnsignedLong(lines.get(0), 16))
        .as("the parent's")
        .matches(ignored -> (ignored & 0x8000_0000_0021_0001L) == 0x8000_0000_0021_0001L);
    assertThat(Long.parseUnsignedLong(lines.get(1), 16) & 0x200).isEqualTo(0x200);
    assertThat(lines.subList(2, 4)).containsOnly("0000000000000000");
    assertThat(lines.get(4)).as("the session's id is kept all the same").startsWith("Z");
    assertThat(lines.get(5)).as("and the reason is told").isEqualTo("ENOENT");
    assertThat(lines.subList(6, 8)).as("the parent's again").isEqualTo(lines.subList(0, 2));
  }

  static final class SignalStates {
    public static void main(String[] args) throws IOException {
      System.out.println(Proc.status("thread-self", "SigIgn"));
      System.out.println(Proc.status("thread-self", "SigBlk"));
      Detached detached = Running.sleeper().detach(022);
      try (Running running = Running.of(detached)) {
        System.out.println(running.status("SigIgn"));
        System.out.println(running.status("SigBlk"));
        System.out.println(Proc.status(Long.toString(detached.session()), "State"));
      }
      try {
        Program.at(Path.of("/no/such")).detach(022);
      } catch (PosixException missing) {
        System.out.println(missing.errno().name());
      }
      System.out.println(Proc.status("thread-self", "SigIgn"));
      System.out.println(Proc.status("thread-self", "SigBlk"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "posix_spawn_file_actions_addclosefrom_np", "close_range"})
  void everyDescriptorThatIsNotKeptIsClosed(String without) throws Exception {
    assertThat(ChildJvm.of(Leaky.class).option(WITHOUT + without).run().lines())
        .containsExactly("[0, 1, 2]", "[0, 1, 2, 500, 503]", "true");
  }

  static final class Leaky {
    public static void main(String[] args) throws IOException {
      for (int i = 0; i < 1000; i++) {
        Descriptors.unmarkCloseOnExec(DescriptorsTest.nullDevice(100).number());
      }
      int[] before = Descriptors.list();
      try (Running running = Running.of(Running.sleeper().detach(022))) {
        System.out.println(running.descriptors().keySet());
      }
      try (Running running = Running.of(Running.sleeper().keep(503).keep(500).detach(022))) {
        System.out.println(running.descriptors().keySet());
      }
      System.out.println(Arrays.equals(before, Descriptors.list()));
    }
  }

  @Test
  void everythingElseIsAsForASpawn() throws IOException {
    Path in = Files.writeString(directory.resolve("in"), "given\n");
    Path out = Files.writeString(directory.resolve("out"), "old\n");
    Path err = Files.writeString(directory.resolve("err"), "old\n");
    byte[] path = in.toString().getBytes(ISO_8859_1);
    try (Descriptor input =
        Descriptor.adopt(
            dev.daimon.posix.call.Files.open(path, dev.daimon.posix.call.Files.O_RDONLY, 0))) {
      Program program =
          Program.at(Path.of("/bin/sh"))
              .name("an \u00ffodd name".getBytes(ISO_8859_1))
              .arguments("-c", "cat; pwd; env; echo err >&2; exec sleep 120")
              .environment(EnvironmentTest.environment("A=\u00ff", "B="))
              .directory(directory)
              .standardInput(Redirect.to(input))
              .standardOutput(Redirect.truncate(out))
              .standardError(Redirect.append(err));
      Detached detached = program.detach(022);
      awaitLine(err, "err");
      try (Running running = Running.of(detached)) {
        assertThat(running.workingDirectory()).isEqualTo(directory.toRealPath());
      }
    }
    assertThat(Files.readAllLines(out, ISO_8859_1))
        .startsWith("given", directory.toRealPath().toString())
        .contains("A=\u00ff", "B=");
    assertThat(err).hasContent("old\nerr\n");
  }

  @Test
  void itsNameIsThePathOrAnyOther() throws IOException {
    Program named = Running.sleeper().name("an \u00ffodd name".getBytes(ISO_8859_1));
    try (Running path = Running.of(Running.sleeper().detach(022));
        Running name = Running.of(named.detach(022))) {
      assertThat(path.commandLine()).containsExactly("/bin/sleep", "120");
      assertThat(name.commandLine()).containsExactly("an \u00ffodd name", "120");
    }
  }

  @Test
  void whatCannotBeExecutedIsAnErrorAndNothingStays() throws IOException {
    Path plain = Files.createFile(directory.resolve("plain"));

    assertFails(Program.at(Path.of("/no/such")), Errno.ENOENT, "/no/such");
    assertFails(Program.at(plain), Errno.EACCES, plain.toString());
    assertFails(
        Program.at(Path.of("/bin/true")).arguments("x".repeat(1 << 20)), Errno.E2BIG, "/bin/true");
    assertFails(Running.sleeper().keep(3999), Errno.EBADF, "/bin/sleep");
  }

  private static void assertFails(Program program, Errno errno, String subject) throws IOException {
    String mask = Proc.status("thread-self", "SigBlk");
    assertThatThrownBy(() -> program.detach(022))
        .isInstanceOfSatisfying(
            PosixException.class,
            failure -> {
              assertThat(failure.call()).isEqualTo("posix_spawn");
              assertThat(failure.subject()).isEqualTo(subject);
              assertThat(failure.errno()).isEqualTo(errno);
            });
    assertThat(reapAny()).as("nothing is left to wait for").isNotPositive();
    assertThat(Proc.status("thread-self", "SigBlk")).isEqualTo(mask);
  }

  @Test
  void aFormatTheKernelDoesNotKnowIsRunByTheShell() throws IOException {
    Path script = Files.writeString(directory.resolve("script"), "echo $0 $1; exec sleep 120\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path out = Files.createFile(directory.resolve("out"));

    Detached detached =
        Program.at(script).arguments("a").standardOutput(Redirect.append(out)).detach(022);

    awaitLine(out, script + " a");
    Running.of(detached).close();
    assertThat(reapAny()).as("the first attempt's leader").isNotPositive();
  }

  /** The heap is touched, so that a copy of it would be noticed at least by its cost. */
  @Test
  void aBusyJvmWithALargeHeapGoesOnMeanwhile() throws Exception {
    assertThat(ChildJvm.of(Busy.class).option("-Xmx1400m").option("-Xmn50m").run().lines())
        .containsExactly("100 started", "no thread died");
  }

  static final class Busy {
    public static void main(String[] args) throws Exception {
      List<byte[]> heap = new ArrayList<>();
      for (int i = 0; i < 1024; i++) {
        byte[] mebibyte = new byte[1 << 20];
        Arrays.fill(mebibyte, (byte) 1);
        heap.add(mebibyte);
      }
      AtomicBoolean over = new AtomicBoolean();
      List<Callable<Integer>> allocators = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        allocators.add(() -> {
          int length = 0;
          while (!over.get()) {
            length += new byte[100_000].length & 1;
            // Two processors are not enough for all of them and for what is tested.
            LockSupport.parkNanos(5_000_000);
          }
          return length;
        });
      }
      try (ExecutorService threads = Executors.newFixedThreadPool(200)) {
        List<Future<Integer>> running = allocators.stream().map(threads::submit).toList();
        int started = 0;
        for (int i = 0; i < 100; i++) {
          Program.at(Path.of("/bin/true")).detach(022).close();
          started++;
          if (i % 25 == 0) {
            System.gc();
          }
        }
        System.out.println(started + " started");
        over.set(true);
        for (Future<Integer> thread : running) {
          thread.get();
        }
      }
      System.out.println(heap.size() == 1024 ? "no thread died" : "");
    }
  }

  @Test
  void manyInARowLeaveNoZombieAndNoDescriptor() throws Exception {
    assertThat(ChildJvm.of(Many.class).run().lines()).containsExactly("true", "ECHILD");
  }

  static final class Many {
    public static void main(String[] args) throws IOException {
      Program program = Program.at(Path.of("/bin/true")).standardInput(Redirect.nullDevice());
      program.detach(022).close();
      int[] before = Descriptors.list();
      for (int i = 0; i < 500; i++) {
        program.detach(022).close();
      }
      System.out.println(Arrays.equals(before, Descriptors.list()));
      System.out.println(Errno.of(-reapAny()).name());
    }
  }

  @Test
  void twoThreadsDetachAtOnceAndAThirdOneLetsGo() throws Exception {
    List<Future<List<Detached>>> starting = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      for (int i = 0; i < 2; i++) {
        starting.add(
            threads.submit(() -> {
              List<Detached> started = new ArrayList<>();
              for (int j = 0; j < 50; j++) {
                started.add(Running.sleeper().detach(022));
              }
              return started;
            }));
      }
    }
    List<Detached> all = new ArrayList<>();
    for (Future<List<Detached>> started : starting) {
      all.addAll(started.get());
    }

    assertThat(all).extracting(Detached::pid).doesNotHaveDuplicates();
    for (Detached detached : all) {
      try (Running running = Running.of(detached)) {
        assertThat(stat(running.pid(), SESSION)).isEqualTo(detached.session());
      }
    }
    assertThat(reapAny()).isNotPositive();
  }

  @Test
  void aSignalReachesTheWholeGroupAndNobodyWhenAllAreGone() throws IOException {
    Path out = Files.createFile(directory.resolve("out"));
    Detached detached =
        Program.at(Path.of("/bin/sh"))
            .arguments("-c", "sleep 120 & echo $!; wait")
            .standardOutput(Redirect.append(out))
            .detach(022);
    String line = awaitLine(out, "");

    detached.signalGroup(Signal.TERM);
    Running.awaitEnd(detached.pid());
    Running.awaitEnd(Long.parseLong(line));
    detached.signalGroup(Signal.TERM);

    detached.close();
    detached.close();
    assertThatThrownBy(() -> detached.signalGroup(Signal.TERM))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(Long.toString(detached.session()));
  }

  @Test
  void aProgramThatMakesASessionOfItsOwnIsStillKnown() throws IOException {
    Path go = directory.resolve("go");
    String script = "until [ -e " + go + " ]; do sleep 0.01; done; exec setsid sleep 120";
    try (Detached detached = Program.at(Path.of("/bin/sh")).arguments("-c", script).detach(022)) {
      assertThat(detached.isAlive()).isTrue();
      Files.createFile(go);
      while (Processes.getsid((int) detached.pid()) == detached.session()) {
        Thread.onSpinWait();
      }
      try {
        assertThat(detached.isAlive()).isTrue();
      } finally {
        assertThat(Signals.kill((int) detached.pid(), Signal.KILL.number())).isZero();
      }
      Running.awaitEnd(detached.pid());
    }
  }

  @Test
  void whatIsInitsChildIsInitsToTakeAway() throws IOException {
    try (Detached detached = Program.at(Path.of("/bin/true")).detach(022)) {
      assertThat(detached.reap()).isTrue();
    }
  }

  @Test
  void theIdOfTheSessionIsNobodyElsesUntilItIsClosed() throws IOException {
    Detached detached = Program.at(Path.of("/bin/true")).detach(022);
    Path leader = Path.of("/proc/" + detached.session());
    Running.awaitEnd(detached.pid());

    assertThat(Processes.waitpid(-1, new int[1], Processes.WNOHANG))
        .as("whoever waits for just anything")
        .isNotPositive();
    assertThat(Proc.status(leader.getFileName().toString(), "State")).startsWith("Z");
    detached.close();
    assertThat(leader).doesNotExist();
  }

  @Test
  @Tag("strace")
  void aLeaderBlocksEverySignal() throws Exception {
    assertThat(
            ChildJvm.of(ObservedLeader.class)
                .startedBy("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=umask")
                .startedBy("-e", "inject=umask:delay_enter=3600000000")
                .run()
                .out())
        .as("every signal is blocked but KILL and STOP")
        .isEqualTo("fffffffffffbfeff\nended\n");
  }

  /** Looks at the leader, which is about to set its umask. */
  static final class ObservedLeader {
    public static void main(String[] args) throws Exception {
      try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
        Future<Detached> starting =
            thread.submit(() -> Program.at(Path.of("/bin/true")).detach(022));
        long leader = Leaders.await();
        System.out.println(Proc.status(Long.toString(leader), "SigBlk"));
        // Without its tracer it goes on.
        Command.kill("KILL", Long.parseLong(Proc.status(Long.toString(leader), "TracerPid")));
        try (Detached detached = starting.get()) {
          Running.awaitEnd(detached.pid());
          System.out.println("ended");
        }
      }
    }
  }

  @Test
  @Tag("root")
  void aLeaderThatIsKilledTakesTheProgramWithIt() throws Exception {
    // In a PID namespace of its own: whatever has the next process id there is the test's.
    String out =
        ChildJvm.of(KilledLeader.class)
            .startedBy("unshare", "--pid", "--fork", "--mount-proc")
            .run()
            .output();

    assertThat(out).matches("EINTR [1-9][0-9]*, started [1-9][0-9]*, left 0");
  }

  /** Kills leaders and their groups, at every moment of their short lives. */
  static final class KilledLeader {
    private static final int ROUNDS = 400;

    /** The highest process id so far; 0 if nobody is to be killed. */
    private static volatile long last;

    private static volatile long delayNanos;
    private static volatile long killed;

    public static void main(String[] args) throws Exception {
      try (Detached first = Running.sleeper().detach(022)) {
        first.signalGroup(Signal.KILL);
        killed = first.session();
      }
      Thread killer = Thread.ofPlatform().daemon().start(KilledLeader::kill);
      long highest = killed + 1;
      int interrupted = 0;
      int started = 0;
      for (int round = 0; round < ROUNDS; round++) {
        delayNanos = round % 50 * 20_000L;
        last = highest;
        try (Detached detached = Running.sleeper().detach(022)) {
          last = 0;
          detached.signalGroup(Signal.KILL);
          highest = Math.max(highest, detached.pid());
          started++;
        } catch (PosixException failure) {
          assertThatItWasInterrupted(failure);
          highest = Math.max(highest, killed + 1);
          interrupted++;
        }
      }
      killer.interrupt();
      System.out.println("EINTR " + interrupted + ", started " + started + ", left " + left());
    }

    private static void assertThatItWasInterrupted(PosixException killed) {
      if (!killed.errno().equals(Errno.EINTR)) {
        throw new AssertionError(killed);
      }
    }

    /** Kills the next new group as soon as there is one, or a moment later. */
    private static void kill() {
      while (!Thread.interrupted()) {
        long before = last;
        for (long group = before + 1; before != 0 && group < before + 4; group++) {
          if (Signals.kill((int) -group, 0) == 0) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < delayNanos) {
              Thread.onSpinWait();
            }
            killed = group;
            last = 0;
            Signals.kill((int) -group, Signal.KILL.number());
            break;
          }
        }
      }
    }

    /** This process is the namespace's init: all that is left becomes its child. */
    private static int left() throws IOException {
      while (reapAny() >= 0) {
        Thread.onSpinWait();
      }
      return Leaders.processes().size() - 1;
    }
  }

  /** The processes in the sessions that this one has made. */
  private static final class Leaders {
    static long await() throws IOException {
      long leader;
      do {
        leader = childThatLeads();
      } while (leader == 0);
      return leader;
    }

    private static long childThatLeads() throws IOException {
      for (long pid : processes()) {
        String[] stat = stat(pid);
        if (number(stat, PPID) == ThisProcess.id() && number(stat, SESSION) == pid) {
          return pid;
        }
      }
      return 0;
    }

    static List<Long> processes() throws IOException {
      try (Stream<Path> entries = Files.list(Path.of("/proc"))) {
        return entries
            .map(entry -> entry.getFileName().toString())
            .filter(name -> name.chars().allMatch(Character::isDigit))
            .map(Long::valueOf)
            .toList();
      }
    }
  }

  /** What the kernel says of a process after its name; nothing but zeros of one that is gone. */
  private static String[] stat(long pid) throws IOException {
    String line;
    try {
      line = Files.readString(Path.of("/proc/" + pid + "/stat"), ISO_8859_1);
    } catch (IOException gone) {
      line = ") 0 0 0 0 0";
    }
    return line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
  }

  private static long number(String[] stat, int field) {
    return Long.parseLong(stat[field]);
  }

  private static long stat(long pid, int field) throws IOException {
    return number(stat(pid), field);
  }

  /** Reaps any child that has ended, one without an exit signal too; there had better be none. */
  private static int reapAny() {
    return Processes.waitpid(-1, new int[1], Processes.WNOHANG | Processes.__WALL);
  }

  /** Waits for a last line that begins so, and returns it. */
  private static String awaitLine(Path file, String start) throws IOException {
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (true) {
      String text = Files.readString(file, ISO_8859_1);
      String line = text.isEmpty() ? "" : text.lines().toList().getLast();
      if (text.endsWith("\n") && line.startsWith(start)) {
        return line;
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError("no line " + start + " in " + text);
      }
      Thread.onSpinWait();
    }
  }
}
