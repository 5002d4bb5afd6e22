package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that may have a service manager pays for it only if there is one. */
class BeforeUseTest {
  @TempDir Path directory;

  /** Does all of it without a manager. */
  static final class Unmanaged {
    public static void main(String[] args) throws IOException {
      int before = Thread.activeCount();
      try (ServiceNotifier notifier = ServiceNotifier.fromEnvironment()) {
        boolean any =
            notifier.isPresent()
                || notifier.ready()
                || notifier.status("x")
                || notifier.reloading()
                || notifier.stopping()
                || notifier.watchdog(new Check()).isPresent()
                || NewlineNotifier.fromEnvironment("READY_FD").ready();
        System.out.println(any + " " + (Thread.activeCount() - before));
      }
    }
  }

  /** Makes the notifier of a manager that there is, and says nothing. */
  static final class Silent {
    public static void main(String[] args) throws IOException {
      int before = Thread.activeCount();
      ServiceNotifier notifier = ServiceNotifier.fromEnvironment();
      System.out.println(notifier.isPresent() + " " + (Thread.activeCount() - before));
    }
  }

  /** Says one thing. */
  static final class Speaks {
    public static void main(String[] args) throws IOException {
      try (ServiceNotifier notifier = ServiceNotifier.fromEnvironment()) {
        System.out.println(notifier.ready());
      }
    }
  }

  /** A health check that is never called. */
  static final class Check implements BooleanSupplier {
    @Override
    public boolean getAsBoolean() {
      throw new AssertionError();
    }
  }

  /** The classes of this project that a main loads, but for its own. */
  private Set<String> loaded(Class<?> main, String output, String... environment) throws Exception {
    Path log = directory.resolve(main.getSimpleName());
    List<String> command = new ArrayList<>(List.of("env"));
    command.addAll(List.of(environment));
    ChildJvm.Result result =
        ChildJvm.of(main)
            .option("-Xlog:class+load=info:file=" + log + "::filecount=0")
            .startedBy(command)
            .run();
    assertThat(result.output()).isEqualTo(output);
    Set<String> classes = new TreeSet<>();
    for (String line : Files.readAllLines(log)) {
      int start = line.indexOf("dev.daimon.");
      if (start >= 0) {
        String name = line.substring(start, line.indexOf(' ', start));
        if (!name.contains("BeforeUseTest")) {
          classes.add(name);
        }
      }
      // The linker's own, for the first native call.
      assertThat(line).doesNotContain("jdk.internal.foreign.abi.AbstractLinker");
    }
    return classes;
  }

  @Test
  void withoutAManagerNoNativeCallIsMadeAndNoThreadStarted() throws Exception {
    assertThat(loaded(Unmanaged.class, "false 0", "-u", "NOTIFY_SOCKET"))
        .containsExactly(
            "dev.daimon.readiness.NewlineNotifier", "dev.daimon.readiness.ServiceNotifier");
  }

  @Test
  void beforeTheFirstMessageNoNativeCallIsMadeEither() throws Exception {
    assertThat(loaded(Silent.class, "true 0", "NOTIFY_SOCKET=@nobody"))
        .containsExactly("dev.daimon.readiness.ServiceNotifier");
  }

  /** The test above would see a native call. */
  @Test
  void theFirstMessageIsANativeCall() throws Exception {
    try (NotifySocket socket = NotifySocket.open()) {
      Path log = directory.resolve("speaks");
      ChildJvm.Result result =
          ChildJvm.of(Speaks.class)
              .option("-Xlog:class+load=info:file=" + log + "::filecount=0")
              .startedBy("env", "NOTIFY_SOCKET=" + socket.address())
              .run();
      assertThat(result.output()).isEqualTo("true");
      assertThat(log)
          .content()
          .contains("dev.daimon.posix.call.Libc", "jdk.internal.foreign.abi.AbstractLinker")
          .doesNotContain("dev.daimon.readiness.Watchdog");
      socket.receive().orElseThrow().close();
    }
  }

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void aLauncherDoesNotFindItsOwnEnd() throws Exception {
    try (LauncherEnd first = LauncherEnd.open(new byte[0]);
        LauncherEnd _ = LauncherEnd.open(new byte[0])) {
      assertThat(DaemonEnd.find()).isNull();
      first.release();
      first.release();
      assertThat(DaemonEnd.find()).isNull();
    }
  }

  @Test
  void afterAnInvalidMessageTheEndIsReceivedWhenItIsOne() throws Exception {
    try (LauncherEnd launcher = LauncherEnd.open(new byte[0])) {
      int writer = launcher.daemonDescriptors().get(2).number();
      // More than a message has, unless this user has so many pipes that they are small.
      byte[] invalid = new byte[10_000];
      Arrays.fill(invalid, (byte) 0xff);
      assertThat(dev.daimon.posix.call.Files.write(writer, invalid)).isPositive();

      assertThatThrownBy(() -> launcher.receive(Duration.ofMinutes(1)))
          .isInstanceOf(PosixException.class)
          .hasMessageContaining("EINVAL");
      for (int i = 0; i < 5; i++) {
        assertThat(launcher.receive(Duration.ZERO)).as("the end of one that is open").isEmpty();
      }
      launcher.release();
      Optional<Message> last = Optional.empty();
      while (last.isEmpty()) {
        last = launcher.receive(Duration.ofMinutes(1));
      }
      assertThat(last).contains(new Message.Ended());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, 1L << 31, (1L << 32) + 1})
  void aNumberThatIsNoProcessIdIsRefused(long pid) throws Exception {
    try (LauncherEnd launcher = LauncherEnd.open(new byte[0])) {
      assertThatThrownBy(() -> launcher.started(pid))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("not a process id: " + pid);
    }
  }
}
