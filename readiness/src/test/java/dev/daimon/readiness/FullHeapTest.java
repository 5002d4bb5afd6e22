package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.FullHeap;
import dev.daimon.testing.ProcessSandbox;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Threads in JVMs that have no memory for a moment. */
class FullHeapTest {
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final int ALL = -1;

  private static void fillBut(int memory) {
    if (memory != ALL) {
      FullHeap.fillBut(memory);
    }
  }

  /** A service that is not healthy while there is no memory. */
  static final class Watched implements Watchdog.Manager {
    /** Made while there is memory. */
    private final IllegalStateException sick = new IllegalStateException("sick");

    private static volatile boolean healthy;
    private static volatile boolean checked;
    private static volatile boolean pinged;

    public static void main(String[] args) throws Exception {
      Watched service = new Watched();
      try (Watchdog _ = Watchdog.start(service, 2000, service::check)) {
        // Once with memory.
        awaitCheck();
        healthy = true;
        ProcessSandbox.await("a ping", () -> pinged);
        healthy = false;
        awaitCheck();
        FullHeap.fill();
        awaitCheck();
        awaitCheck();
        FullHeap.free();
        healthy = true;
        pinged = false;
        ProcessSandbox.await("a ping", () -> pinged);
        System.out.println("goes on");
      }
    }

    private boolean check() {
      checked = true;
      if (!healthy) {
        throw sick;
      }
      return true;
    }

    private static void awaitCheck() {
      checked = false;
      while (!checked) {
        Thread.onSpinWait();
      }
    }

    @Override
    public void ping() {
      pinged = true;
    }

    @Override
    public void status(String text) {
      // It is seen by nobody.
    }

    @Override
    public void restoreStatus() {
      // As above.
    }
  }

  @Test
  void theWatchdogGoesOn() throws Exception {
    assertThat(FullHeap.child(Watched.class).run().output()).isEqualTo("goes on");
  }

  /** Closes a descriptor where there is memory for it and where there is ever more, and another. */
  static final class Closes {
    public static void main(String[] args) throws Exception {
      ForeignDescriptors foreign = new ForeignDescriptors();
      close(foreign, ALL);
      for (int memory = 0; memory <= 4096; memory += 128) {
        close(foreign, memory);
      }
      System.out.println("closes");
    }

    private static void close(ForeignDescriptors foreign, int memory) throws Exception {
      int[] first = {open()};
      fillBut(memory);
      try {
        foreign.close(first);
      } catch (OutOfMemoryError scarce) {
        // It may be left to this test.
      }
      if (memory != ALL) {
        // It is full for a while longer, in which the thread begins.
        FullHeap.fill();
      }
      FullHeap.free();
      int second = open();
      foreign.close(new int[] {second});
      ProcessSandbox.await("the close after " + memory + " bytes", () -> !isOpen(second));
      if (isOpen(first[0])) {
        Files.close(first[0]);
      }
    }

    private static int open() throws PosixException {
      return PosixException.check(
          Files.open("/dev/null".getBytes(US_ASCII), Files.O_CLOEXEC, 0), "open", "/dev/null");
    }

    private static boolean isOpen(int descriptor) {
      return Files.fcntl(descriptor, Files.F_GETFD, 0) != -Errno.EBADF.number();
    }
  }

  @Test
  void whatStrangersHaveSentIsClosedLater() throws Exception {
    assertThat(FullHeap.child(Closes.class).run().output()).isEqualTo("closes");
  }

  /** A daemon and its launcher in one. */
  static final class Tells {
    public static void main(String[] args) throws Exception {
      try (LauncherEnd launcher = BothEnds.open("hello".getBytes(UTF_8))) {
        launcher.started(ProcessHandle.current().pid());
        DaemonEnd daemon = Objects.requireNonNull(DaemonEnd.find());
        boolean _ = tells(launcher, daemon, ALL);
        int failed = 0;
        for (int memory = 0; memory <= 1024; memory += 32) {
          failed += tells(launcher, daemon, memory) ? 0 : 1;
        }
        System.out.println(failed > 0);
      }
    }

    /** Tells a status where so much memory is left, and another; returns whether both came. */
    private static boolean tells(LauncherEnd launcher, DaemonEnd daemon, int memory)
        throws Exception {
      fillBut(memory);
      try {
        daemon.status("first");
      } catch (OutOfMemoryError scarce) {
        // It may be lost.
      }
      FullHeap.free();
      daemon.status("second");
      boolean both = false;
      Optional<Message> told = launcher.receive(LONG);
      while (told.isPresent() && !told.get().equals(new Message.Status("second"))) {
        both = true;
        told = launcher.receive(LONG);
      }
      if (told.isEmpty()) {
        throw new AssertionError("nothing is told after " + memory + " bytes");
      }
      return both;
    }
  }

  @Test
  void theNextStatusIsTold() throws Exception {
    assertThat(FullHeap.child(Tells.class).run().output()).isEqualTo("true");
  }
}
