package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.FullHeap;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Waits in JVMs that have no memory for a moment. */
class FullHeapTest {
  private static final int ALL = -1;

  /** How much memory is left while processes end: for none of what an end takes, and ever more. */
  private static final List<Integer> MEMORY = memory();

  private static List<Integer> memory() {
    List<Integer> memory = new ArrayList<>(List.of(ALL));
    for (int left = 0; left <= 4096; left += 256) {
      memory.add(left);
    }
    return memory;
  }

  private static void fillBut(int memory) {
    if (memory != ALL) {
      FullHeap.fillBut(memory);
    }
  }

  /** Says with a line which processes are to end, and with a further one when. */
  static final class Waits {
    private static final InputStream IN = new FileInputStream(FileDescriptor.in);
    private static final OutputStream OUT = new FileOutputStream(FileDescriptor.out);

    public static void main(String[] args) throws Exception {
      for (int memory : MEMORY) {
        await(memory);
      }
      ProcessSandbox.await("the watcher's end", () -> Watched.epolls().isEmpty());
      System.out.println("over");
    }

    private static void await(int memory) throws Exception {
      try (Children children = new Children();
          PidFd first = PidFd.open(children.sleeper());
          PidFd second = PidFd.open(children.sleeper());
          PidFd third = PidFd.open(children.sleeper())) {
        Thread waits = new Thread(() -> awaitExit(first));
        waits.start();
        CompletableFuture<PidFd> ended = second.ended();
        CompletableFuture<ExitInfo> exited = third.exited();
        ProcessSandbox.await("all to wait", () -> Watched.registrations() == 3);
        System.out.println(first.pid() + " " + second.pid() + " " + third.pid());
        fillBut(memory);
        OUT.write('\n');
        int _ = IN.read();
        if (memory != ALL) {
          // It is full for a while longer, in which the watcher learns of the ends.
          FullHeap.fill();
        }
        FullHeap.free();
        ProcessSandbox.await(
            "the waits with " + memory + " bytes",
            () -> !waits.isAlive() && ended.isDone() && exited.isDone());
      }
    }

    private static void awaitExit(PidFd process) {
      try {
        process.awaitExit();
      } catch (Exception | Error failure) {
        // It need not succeed.
        return;
      }
    }
  }

  @Test
  void nobodyWaitsForEver() throws Exception {
    Process jvm = FullHeap.child(Waits.class).start();
    try (BufferedReader out = jvm.inputReader();
        OutputStream in = jvm.getOutputStream()) {
      String line;
      for (int i = 0; i < MEMORY.size(); i++) {
        line = String.valueOf(out.readLine());
        assertThat(out.readLine()).as(line).isEmpty();
        for (String pid : line.split(" ", -1)) {
          ProcessHandle.of(Long.parseLong(pid)).orElseThrow().destroyForcibly();
          ProcessSandbox.await("the end of " + pid, () -> isOver(pid));
        }
        in.write('\n');
        in.flush();
      }
      assertThat(out.readLine()).isEqualTo("over");
    } finally {
      jvm.destroyForcibly().waitFor();
    }
  }

  private static boolean isOver(String pid) {
    try {
      return Proc.status(pid, "State").startsWith("Z");
    } catch (IOException reaped) {
      return true;
    }
  }

  /** Waits that have no memory to begin or to end. */
  static final class Begins {
    public static void main(String[] args) throws Exception {
      try (Children children = new Children();
          PidFd process = PidFd.open(children.sleeper())) {
        // Once with memory, also what a virtual thread does.
        try (PidFd other = PidFd.open(children.sleeper())) {
          CompletableFuture<PidFd> ended = other.ended();
          other.send(Signal.KILL);
          PidFd _ = ended.get(60, TimeUnit.SECONDS);
        }
        boolean _ = begins(process, ALL);
        int failed = 0;
        for (int memory = 0; memory <= 1536; memory += 64) {
          failed += begins(process, memory) ? 0 : 1;
        }
        System.out.println(failed > 0);
        CompletableFuture<PidFd> ended = watched(process);
        process.send(Signal.KILL);
        System.out.println(ended.get(60, TimeUnit.SECONDS) == process);
      }
    }

    /** Returns whether there was memory enough. */
    private static boolean begins(PidFd process, int memory) throws Exception {
      CompletableFuture<PidFd> first = null;
      fillBut(memory);
      try {
        first = process.ended();
      } catch (OutOfMemoryError scarce) {
        // Nothing has begun.
      }
      FullHeap.free();
      boolean begun = first != null && !first.isDone();
      if (first != null) {
        first.cancel(false);
      }
      CompletableFuture<PidFd> second = process.ended();
      fillBut(memory);
      boolean ended = cancel(second);
      FullHeap.free();
      boolean _ = cancel(second);
      watched(process).cancel(false);
      return begun && ended;
    }

    /** A wait that is watched. One that begins before the others were told may fail with them. */
    private static CompletableFuture<PidFd> watched(PidFd process) throws Exception {
      List<CompletableFuture<PidFd>> waits = new ArrayList<>(List.of(process.ended()));
      ProcessSandbox.await(
          "a wait that is watched",
          () -> {
            if (waits.getLast().isDone()) {
              waits.add(process.ended());
            }
            return Watched.registrations() == 1 && !waits.getLast().isDone();
          });
      return waits.getLast();
    }

    private static boolean cancel(CompletableFuture<PidFd> future) {
      try {
        return future.cancel(false);
      } catch (OutOfMemoryError scarce) {
        return false;
      }
    }
  }

  @Test
  void aWaitThatThereIsNoMemoryForDoesNotHinderTheNext() throws Exception {
    assertThat(FullHeap.child(Begins.class).run().lines()).containsExactly("true", "true");
  }

  /** Handles that there is no memory to close. */
  static final class Closes {
    public static void main(String[] args) throws Exception {
      try (Children children = new Children()) {
        int process = children.sleeper();
        boolean _ = closes(process, ALL);
        int failed = 0;
        for (int memory = 0; memory <= 1536; memory += 64) {
          failed += closes(process, memory) ? 0 : 1;
        }
        System.out.println(failed > 0);
        ProcessSandbox.await("the watcher's end", () -> Watched.epolls().isEmpty());
        // That of the children.
        System.out.println(Watched.pidfds());
      }
    }

    // Not by try: the close is what is tried.
    @SuppressWarnings("MustBeClosedChecker")
    private static boolean closes(int pid, int memory) throws Exception {
      PidFd process = PidFd.open(pid);
      CompletableFuture<PidFd> ended = process.ended();
      fillBut(memory);
      Throwable failure = close(process);
      FullHeap.free();
      process.close();
      try {
        ended.get(60, TimeUnit.SECONDS);
      } catch (ExecutionException | CancellationException closed) {
        return failure == null;
      }
      throw new AssertionError("the process has not ended");
    }

    private static @Nullable Throwable close(PidFd process) {
      try {
        process.close();
        return null;
      } catch (Exception | Error failure) {
        return failure;
      }
    }
  }

  @Test
  void aHandleThatThereIsNoMemoryToCloseIsClosedByTheNextCall() throws Exception {
    assertThat(FullHeap.child(Closes.class).run().lines()).containsExactly("true", "1");
  }
}
