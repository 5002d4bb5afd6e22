package dev.daimon.signals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Resource;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Signals;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.FullHeap;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Signals come to JVMs of their own, which send them to themselves. */
class SignalEventsTest {
  /** What has been handled, for the main thread to wait for. */
  private static final BlockingQueue<String> HANDLED = new LinkedBlockingQueue<>();

  private static void send(Signal... signals) throws Exception {
    for (Signal signal : signals) {
      Kill.send(ProcessHandle.current().pid(), signal);
    }
  }

  private static void note(Signal signal) {
    HANDLED.add(signal.name());
  }

  private static String handled() throws InterruptedException {
    return String.valueOf(HANDLED.poll(60, TimeUnit.SECONDS));
  }

  private static long count(String thread) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(any -> any.getName().equals(thread))
        .count();
  }

  /** A JVM that ignores nothing, whatever has started these tests. */
  private static ChildJvm child(Class<?> main) {
    return ChildJvm.of(main).startedBy("env", "--default-signal");
  }

  /** Waits until the JVM has told of every signal of that name, which takes a thread for each. */
  private static void awaitTold(Signal signal) throws Exception {
    ProcessSandbox.await("the JVM", () -> count(signal + " handler") == 0);
  }

  static final class OneThread {
    public static void main(String[] args) throws Exception {
      SignalEvents events = new SignalEvents();
      System.out.println(count("daimon-signals"));
      SignalHandler says =
          signal -> {
            Thread own = Thread.currentThread();
            HANDLED.add(
                signal + " " + own.getName() + " " + own.getPriority() + " " + own.isDaemon());
          };
      events.on(Signal.HUP, says).on(Signal.TERM, says);
      System.out.println(count("daimon-signals"));
      send(Signal.HUP);
      System.out.println(handled());
      send(Signal.TERM);
      System.out.println(handled());
      events.close();
      events.close();
      ProcessSandbox.await("the thread's end", () -> count("daimon-signals") == 0);
    }
  }

  @Test
  void handlersRunOnOneOrdinaryThreadThatBeginsWithTheFirstAndEndsWithTheEvents() throws Exception {
    assertThat(child(OneThread.class).run().lines())
        .containsExactly("0", "1", "SIGHUP daimon-signals 5 true", "SIGTERM daimon-signals 5 true");
  }

  static final class Replaced {
    private static volatile boolean over;

    public static void main(String[] args) throws Exception {
      try (SignalEvents events = new SignalEvents().on(Signal.USR1, SignalEventsTest::note)) {
        Thread replacing =
            new Thread(() -> {
              while (!over) {
                replace(events);
              }
            });
        replacing.start();
        for (int i = 0; i < 1000 && !over; i++) {
          send(Signal.USR1);
          over = handled().equals("null");
        }
        System.out.println(over ? "a signal was lost" : "all are handled");
        over = true;
        replacing.join();
      }
    }

    private static void replace(SignalEvents events) {
      try {
        events.on(Signal.USR1, SignalEventsTest::note);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }

  @Test
  void aHandlerIsReplacedWithoutLosingASignal() throws Exception {
    assertThat(child(Replaced.class).run().output()).isEqualTo("all are handled");
  }

  static final class WithoutThread {
    public static void main(String[] args) throws Exception {
      SignalEvents events = new SignalEvents();
      // One process of this user, with all its threads, runs already.
      long[] before = new long[2];
      Limits.getrlimit(0, Resource.NPROC.number(), before);
      Limits.setrlimit(Resource.NPROC.number(), 1, before[1]);
      try {
        events.on(Signal.USR1, SignalEventsTest::note);
      } catch (OutOfMemoryError noThread) {
        System.out.println("no thread");
      }
      Limits.setrlimit(Resource.NPROC.number(), before[0], before[1]);
      events.on(Signal.USR1, SignalEventsTest::note);
      send(Signal.USR1);
      System.out.println(handled());
      events.close();
    }
  }

  @Test
  @Tag("root")
  void afterAThreadWasLackingItWorksAgain(@TempDir Path classes) throws Exception {
    assertThat(
            child(WithoutThread.class)
                .startedBy(ChildJvm.AS_NOBODY)
                .copied(classes)
                .option("-Xlog:disable")
                .run()
                .lines())
        .containsExactly("no thread", "SIGUSR1");
  }

  static final class WithoutMemory {
    private static final Object LOCK = new Object();

    /** Guarded by the lock: whether the handler of USR1 may end. */
    private static boolean go = true;

    private static volatile boolean handled;

    public static void main(String[] args) throws Exception {
      try (SignalEvents events = new SignalEvents()) {
        events.on(Signal.USR1, WithoutMemory::block).on(Signal.USR2, signal -> handled = true);
        Thread runner = thread("daimon-signals");
        // Once with memory.
        handle(events);
        set(false);
        handled = false;
        handle(events);
        FullHeap.fill();
        set(true);
        while (!handled && runner.isAlive()) {
          Thread.onSpinWait();
        }
        FullHeap.free();
        System.out.println(runner.isAlive());
        handled = false;
        send(Signal.USR2);
        ProcessSandbox.await("the handler", () -> handled);
      }
    }

    /** Both arrive, and the JVM has done with them. */
    private static void handle(SignalEvents events) throws Exception {
      send(Signal.USR1);
      System.out.println(handled());
      send(Signal.USR2);
      ProcessSandbox.await("the JVM", () -> handled || events.pending().contains(Signal.USR2));
      awaitTold(Signal.USR1);
      awaitTold(Signal.USR2);
    }

    private static void block(Signal signal) throws InterruptedException {
      note(signal);
      synchronized (LOCK) {
        while (!go) {
          LOCK.wait();
        }
      }
    }

    private static void set(boolean now) {
      synchronized (LOCK) {
        go = now;
        LOCK.notifyAll();
      }
    }

    private static Thread thread(String name) {
      return Thread.getAllStackTraces().keySet().stream()
          .filter(any -> any.getName().equals(name))
          .findAny()
          .orElseThrow();
    }
  }

  @Test
  void aFullHeapDoesNotEndTheThread() throws Exception {
    ChildJvm child = FullHeap.child(WithoutMemory.class).startedBy("env", "--default-signal");

    assertThat(child.run().lines()).containsExactly("SIGUSR1", "SIGUSR1", "true");
  }

  static final class RefusedByMemory {
    private static final int ALL = -1;

    public static void main(String[] args) throws Exception {
      // Once with memory.
      boolean _ = on(ALL);
      int failed = 0;
      for (int memory = 0; memory <= 768; memory += 16) {
        failed += on(memory) ? 0 : 1;
      }
      System.out.println(failed > 0);
    }

    /**
     * Registers a second handler where so much memory is left; returns whether there was enough.
     */
    private static boolean on(int memory) throws Exception {
      boolean registered = true;
      try (SignalEvents _ = new SignalEvents().on(Signal.USR1, SignalEventsTest::note);
          SignalEvents second = new SignalEvents()) {
        SignalHandler handler = SignalEventsTest::note;
        if (memory != ALL) {
          FullHeap.fillBut(memory);
        }
        try {
          second.on(Signal.USR1, handler);
        } catch (OutOfMemoryError refused) {
          registered = false;
        }
        FullHeap.free();
      }
      if (HandlerTable.isRegistered(Signal.USR1)) {
        throw new AssertionError("a handler is left that had " + memory + " bytes");
      }
      return registered;
    }
  }

  @Test
  void aHandlerThatThereIsNoMemoryForIsNotRegistered() throws Exception {
    assertThat(FullHeap.child(RefusedByMemory.class).run().output()).isEqualTo("true");
  }

  static final class Every {
    public static void main(String[] args) throws Exception {
      StringBuilder handled = new StringBuilder();
      try (SignalEvents events = new SignalEvents()) {
        for (int number = 1; number <= Signal.MAX_NUMBER; number++) {
          try {
            events.on(Signal.of(number), SignalEventsTest::note);
          } catch (IllegalArgumentException refused) {
            continue;
          }
          send(Signal.of(number));
          handled.append(handled()).append(' ');
        }
      }
      System.out.println(handled);
    }
  }

  @Test
  void everySignalCanBeHandledThatTheJvmDoesNotLiveBy() throws Exception {
    assertThat(child(Every.class).run().output())
        .isEqualTo(
            "SIGHUP SIGINT SIGABRT SIGUSR1 SIGUSR2 SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT"
                + " SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGVTALRM SIGPROF SIGWINCH SIGPOLL"
                + " SIGPWR SIGSYS");
  }

  @ParameterizedTest
  @CsvSource({
    "KILL, SIGKILL can be neither caught",
    "STOP, SIGSTOP can be neither caught",
    "ILL, SIGILL is for a fault",
    "TRAP, SIGTRAP is for a fault",
    "BUS, SIGBUS is for a fault",
    "FPE, SIGFPE is for a fault",
    "SEGV, SIGSEGV is for a fault",
    "PIPE, SIGPIPE is swallowed by the JVM",
    "XFSZ, SIGXFSZ is swallowed by the JVM",
    "QUIT, SIGQUIT makes the JVM print its threads; -Xrs frees it for native code alone",
    "32, SIG32 cannot be handled in Java",
    "RTMIN, SIGRTMIN cannot be handled in Java",
    "RTMAX-2, SIGRTMIN+28 cannot be handled in Java",
  })
  void whatTheJvmKeepsForItselfIsRefusedWithTheReason(String name, String message)
      throws Exception {
    try (SignalEvents events = new SignalEvents()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> events.on(Signal.parse(name), signal -> {}))
          .withMessageStartingWith(message);
    }
    assertThat(count("daimon-signals")).isZero();
  }

  static final class Reduced {
    public static void main(String[] args) throws Exception {
      try (SignalEvents events = new SignalEvents()) {
        for (Signal signal : List.of(Signal.USR1, Signal.TERM, Signal.QUIT)) {
          try {
            events.on(signal, SignalEventsTest::note);
          } catch (IllegalArgumentException refused) {
            System.out.println(refused.getMessage());
          }
        }
      }
      System.out.println(Dispositions.current().caught().contains(Signal.USR1));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"--default-signal", "--ignore-signal=HUP,INT,TERM"})
  void aJvmWithXrsTellsOfNoSignalAndIsRefused(String before) throws Exception {
    String refused = "a JVM with -Xrs reports no signal: start it without that option";
    assertThat(ChildJvm.of(Reduced.class).startedBy("env", before).option("-Xrs").run().lines())
        .containsExactly(
            refused,
            refused,
            "SIGQUIT makes the JVM print its threads; -Xrs frees it for native code alone",
            "false");
  }

  static final class Ordered {
    public static void main(String[] args) throws Exception {
      CountDownLatch go = new CountDownLatch(1);
      try (SignalEvents events = new SignalEvents()) {
        events.on(
            Signal.HUP,
            signal -> {
              note(signal);
              go.await();
            });
        for (Signal signal : List.of(Signal.USR1, Signal.WINCH, Signal.SYS)) {
          events.on(signal, SignalEventsTest::note);
        }
        send(Signal.HUP);
        System.out.println(handled());
        for (Signal signal : List.of(Signal.WINCH, Signal.USR1, Signal.HUP)) {
          send(signal);
          ProcessSandbox.await("the JVM", () -> events.pending().contains(signal));
        }
        // The JVM has taken note of each when this returns, and tells of the highest one last.
        for (String name : List.of("USR1", "HUP", "WINCH", "USR1", "SYS")) {
          sun.misc.Signal.raise(new sun.misc.Signal(name));
        }
        ProcessSandbox.await("the JVM", () -> events.pending().contains(Signal.SYS));
        for (Signal signal : List.of(Signal.USR1, Signal.HUP, Signal.WINCH)) {
          awaitTold(signal);
        }
        System.out.println(events.pending());
        go.countDown();
        System.out.println(handled() + handled() + handled() + handled());
        send(Signal.USR1);
        System.out.println(handled() + " " + HANDLED);
      }
    }
  }

  @Test
  void theyRunInOrderAndASignalCountsOnceUntilItsHandlerBegins() throws Exception {
    assertThat(child(Ordered.class).run().lines())
        .containsExactly(
            "SIGHUP",
            "[SIGWINCH, SIGUSR1, SIGHUP, SIGSYS]",
            "SIGWINCHSIGUSR1SIGHUPSIGSYS",
            "SIGUSR1 []");
  }

  static final class Fails {
    public static void main(String[] args) throws Exception {
      switch (args[0]) {
        case "told" ->
            Thread.setDefaultUncaughtExceptionHandler(
                (thread, failure) -> HANDLED.add(thread.getName() + " " + failure));
        case "broken" ->
            Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
              HANDLED.add("broken");
              throw new IllegalStateException("on purpose");
            });
        default -> {}
      }
      try (SignalEvents events = new SignalEvents()) {
        events
            .on(
                Signal.HUP,
                signal -> {
                  note(signal);
                  throw new java.io.IOException("no file");
                })
            .on(
                Signal.USR1,
                signal -> {
                  note(signal);
                  Thread.currentThread().interrupt();
                  throw new StackOverflowError("none");
                })
            .on(Signal.USR2, SignalEventsTest::note);
        for (Signal signal : List.of(Signal.HUP, Signal.USR1, Signal.USR2)) {
          send(signal);
          String line;
          do {
            line = handled();
            System.out.println(line);
          } while (!line.equals(signal.name()));
        }
      }
    }
  }

  @Test
  void whatAHandlerThrowsIsReportedAndTheEventsGoOn() throws Exception {
    assertThat(child(Fails.class).run("told").lines())
        .containsExactly(
            "SIGHUP",
            "daimon-signals java.io.IOException: no file",
            "SIGUSR1",
            "daimon-signals java.lang.StackOverflowError: none",
            "SIGUSR2");
    assertThat(child(Fails.class).run("broken").lines())
        .containsExactly("SIGHUP", "broken", "SIGUSR1", "broken", "SIGUSR2");
  }

  @Test
  void whatNobodyTakesIsPrintedOnStandardError() throws Exception {
    ChildJvm.Result result = child(Fails.class).run("printed");

    assertThat(result.out()).isEqualTo("SIGHUP\nSIGUSR1\nSIGUSR2\n");
    assertThat(result.err())
        .contains(
            "Exception in thread \"daimon-signals\" java.io.IOException: no file",
            "Exception in thread \"daimon-signals\" java.lang.StackOverflowError: none");
  }

  static final class Restores {
    private static final long SA_RESTORER = 0x04000000;

    public static void main(String[] args) throws Exception {
      Signal signal = Signal.parse(args[0]);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
      String before = action(signal);
      try (SignalEvents events = new SignalEvents()) {
        events.on(signal, SignalEventsTest::note);
        send(signal);
        System.out.println(handled());
      }
      System.out.println(action(signal).equals(before));
      if (args.length > 1) {
        send(signal);
        if (args[1].equals("goes on")) {
          System.out.println("sent");
        } else {
          new CountDownLatch(1).await();
        }
      }
    }

    /** With the flags that the kernel has of it, and /proc does not show. */
    private static String action(Signal signal) throws Exception {
      Signals.SignalAction action = new Signals.SignalAction();
      if (Signals.getAction(signal.number(), action) != 0) {
        throw new AssertionError(signal);
      }
      if (!Dispositions.current().caught().contains(signal)) {
        return Dispositions.current().ignored().contains(signal) ? "ignored" : "default";
      }
      Field bytes = Signals.SignalAction.class.getDeclaredField("bytes");
      bytes.setAccessible(true);
      byte[] all = ((byte[]) bytes.get(action)).clone();
      // Handler, flags, restorer, mask. Without its flag, as on AArch64, the restorer is what was
      // on a stack.
      if ((ByteBuffer.wrap(all).order(ByteOrder.nativeOrder()).getLong(8) & SA_RESTORER) == 0) {
        Arrays.fill(all, 16, 24, (byte) 0);
      }
      return Arrays.toString(all);
    }
  }

  @Test
  void afterTheCloseTheDefaultEndsTheProcessAgain() throws Exception {
    ChildJvm.Result result = child(Restores.class).run("USR1", "ends");

    assertThat(result.exit()).isEqualTo(128 + 10);
    assertThat(result.out()).isEqualTo("SIGUSR1\ntrue\n");
  }

  @Test
  void afterTheCloseTheJvmRunsItsShutdownHooksAgain() throws Exception {
    ChildJvm.Result result = child(Restores.class).run("TERM", "ends");

    assertThat(result.exit()).isEqualTo(128 + 15);
    assertThat(result.out()).isEqualTo("SIGTERM\ntrue\nhook\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"HUP", "INT", "TERM", "WINCH"})
  void whatWasIgnoredIsHandledAndThenIgnoredAgain(String signal) throws Exception {
    ChildJvm.Result result =
        child(Restores.class).startedBy("env", "--ignore-signal=" + signal).run(signal, "goes on");

    assertThat(result.lines()).containsExactly("SIG" + signal, "true", "sent", "hook");
  }

  @Test
  void theJvmsOwnHandlerOfUsr2ComesBackWithItsFlags() throws Exception {
    assertThat(child(Restores.class).run("USR2").lines())
        .containsExactly("SIGUSR2", "true", "hook");
  }

  static final class Nested {
    public static void main(String[] args) throws Exception {
      List<SignalEvents> all = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        String name = "abc".substring(i, i + 1);
        all.add(new SignalEvents().on(Signal.USR1, signal -> HANDLED.add(name)));
      }
      StringBuilder order = new StringBuilder();
      send(Signal.USR1);
      order.append(handled());
      // From below: what is on top stays, and does not bring it back.
      all.get(1).close();
      send(Signal.USR1);
      order.append(handled());
      all.get(2).close();
      send(Signal.USR1);
      order.append(handled());
      all.get(0).on(Signal.USR1, signal -> HANDLED.add("d"));
      send(Signal.USR1);
      order.append(handled());
      all.get(0).close();
      System.out.println(order + " " + Dispositions.current().caught().contains(Signal.USR1));
    }
  }

  @Test
  void theLastToRegisterGetsTheSignalAndGivesItBack() throws Exception {
    assertThat(child(Nested.class).run().output()).isEqualTo("ccad false");
  }

  static final class Foreign {
    public static void main(String[] args) throws Exception {
      SignalEvents events = new SignalEvents().on(Signal.USR1, SignalEventsTest::note);
      sun.misc.Signal usr1 = new sun.misc.Signal("USR1");
      sun.misc.SignalHandler _ =
          sun.misc.Signal.handle(usr1, signal -> HANDLED.add("foreign " + signal));
      events.close();
      send(Signal.USR1);
      System.out.println(handled());
    }
  }

  @Test
  void aHandlerThatSomebodyElseHasInstalledMeanwhileStays() throws Exception {
    assertThat(child(Foreign.class).run().output()).isEqualTo("foreign SIGUSR1");
  }

  static final class Again {
    public static void main(String[] args) throws Exception {
      Signal signal = Signal.parse(args[0]);
      try (SignalEvents events = new SignalEvents().on(signal, SignalEventsTest::note)) {
        change(signal, args[1]);
        SignalEvents later = new SignalEvents().on(signal, any -> HANDLED.add("later"));
        send(signal);
        System.out.println(handled());
        later.close();
        send(signal);
        System.out.println(handled());
        events.on(signal, any -> HANDLED.add("again"));
        send(signal);
        System.out.println(handled());
      }
      System.out.println(disposition(signal));
    }

    private static String disposition(Signal signal) throws IOException {
      if (Dispositions.current().caught().contains(signal)) {
        return "caught";
      }
      return Dispositions.current().ignored().contains(signal) ? "ignored" : "default";
    }

    private static void change(Signal signal, String how) throws IOException {
      switch (how) {
        case "ignored" -> Dispositions.ignore(signal);
        case "default" -> Dispositions.reset(signal);
        default -> {
          sun.misc.SignalHandler _ =
              sun.misc.Signal.handle(
                  new sun.misc.Signal(signal.name().substring("SIG".length())),
                  any -> HANDLED.add("foreign"));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "HUP, ignored",
    "HUP, default",
    "HUP, caught",
    "USR1, ignored",
    "USR1, default",
    "USR1, caught",
  })
  void aSignalThatOtherCodeHasTakenIsTakenBackByTheNextHandler(String signal, String taken)
      throws Exception {
    assertThat(child(Again.class).run(signal, taken).lines())
        .containsExactly("later", "SIG" + signal, "again", taken);
  }

  static final class ClosesItself {
    public static void main(String[] args) throws Exception {
      SignalEvents events = new SignalEvents();
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      events
          .on(
              Signal.HUP,
              signal -> {
                begun.countDown();
                go.await();
                events.close();
                note(signal);
              })
          .on(Signal.USR1, SignalEventsTest::note);
      send(Signal.HUP);
      begun.await();
      send(Signal.USR1);
      ProcessSandbox.await("the JVM", () -> !events.pending().isEmpty());
      go.countDown();
      System.out.println(handled());
      ProcessSandbox.await("the thread's end", () -> count("daimon-signals") == 0);
      System.out.println(HANDLED + " " + events.pending());
      try {
        events.on(Signal.HUP, SignalEventsTest::note);
      } catch (IllegalStateException closed) {
        System.out.println(closed.getMessage());
      }
    }
  }

  @Test
  void aHandlerMayCloseItsEventsAndWhatWaitsIsDropped() throws Exception {
    assertThat(child(ClosesItself.class).run().lines())
        .containsExactly("SIGHUP", "[] []", "the signal events are closed");
  }

  static final class Registers {
    public static void main(String[] args) throws Exception {
      try (SignalEvents events = new SignalEvents()) {
        for (Signal signal : Set.of(Signal.HUP, Signal.USR1, Signal.TERM, Signal.WINCH)) {
          events.on(signal, SignalEventsTest::note);
        }
      }
    }
  }

  /** The first native call of a JVM takes as long as its start. */
  @Test
  void theUsualSignalsAreRegisteredWithoutANativeCall(@TempDir Path directory) throws Exception {
    Path log = directory.resolve("classes");
    assertThat(child(Registers.class).option("-Xlog:class+load:file=" + log).run().output())
        .isEmpty();
    assertThat(Files.readString(log))
        .contains("dev.daimon.signals.HandlerTable ")
        .doesNotContain("dev.daimon.posix.call.Libc ", "java.lang.foreign.Linker ");
  }

  @Test
  void nothingIsRegisteredOnceTheyAreClosed() throws Exception {
    SignalEvents events = new SignalEvents();
    events.close();
    assertThatThrownBy(() -> events.on(Signal.USR1, signal -> {}))
        .isInstanceOf(IllegalStateException.class);
    assertThat(Dispositions.current().caught()).doesNotContain(Signal.USR1);
  }

  static final class Blocked {
    public static void main(String[] args) throws Exception {
      try (SignalEvents events = new SignalEvents().on(Signal.USR1, SignalEventsTest::note)) {
        send(Signal.USR1);
        System.out.println(handled());
        ProcessSandbox.await(
            "the thread's wait",
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("daimon-signals"))
                    .allMatch(thread -> thread.getState() == Thread.State.WAITING));
        send(Signal.WINCH);
        events.on(Signal.WINCH, SignalEventsTest::note);
        System.out.println(handled());
        send(Signal.ALRM);
        System.out.println("alive");
      }
    }
  }

  /** ALRM, which nobody handles, stays blocked: it would end the JVM. */
  @Test
  void whatTheProcessWasStartedWithBlockedIsHandled() throws Exception {
    assertThat(
            child(Blocked.class).startedBy("env", "--block-signal=USR1,WINCH,ALRM").run().lines())
        .containsExactly("SIGUSR1", "SIGWINCH", "alive");
  }

  static final class ChildSignal {
    public static void main(String[] args) throws Exception {
      try (SignalEvents _ = new SignalEvents().on(Signal.CHLD, SignalEventsTest::note)) {
        System.out.println(new ProcessBuilder("sh", "-c", "exit 3").start().waitFor());
        System.out.println(handled());
      }
    }
  }

  @Test
  void theJdksFirstStartOfAProcessLeavesTheHandlerOfItsEnd() throws Exception {
    assertThat(child(ChildSignal.class).run().lines()).containsExactly("3", "SIGCHLD");
  }
}
