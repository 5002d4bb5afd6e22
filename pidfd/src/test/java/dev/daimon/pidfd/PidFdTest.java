package dev.daimon.pidfd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PidFdTest {
  private final Children children = new Children();

  @AfterEach
  void end() {
    children.close();
  }

  @Test
  void aProcessIsOpenedSignalledAndSeenToEnd() throws Exception {
    int pid = children.sleeper();
    try (PidFd process = PidFd.open(pid)) {
      assertThat(process.pid()).isEqualTo(pid);
      assertThat(process).hasToString("process " + pid);
      assertThat(process.isAlive()).isTrue();

      process.send(Signal.TERM);
      process.awaitExit();

      assertThat(process.isAlive()).isFalse();
    }
  }

  @Test
  void aSocketIsFoundInTheProcessThatHasItOpen() throws Exception {
    // Started before the socket is opened, which it would inherit.
    try (PidFd other = PidFd.open(children.sleeper());
        ServerSocket socket = new ServerSocket(0);
        PidFd self = PidFd.open(ProcessHandle.current().pid())) {
      long inode = inode(socket);

      assertThat(self.hasSocket(Set.of(inode))).isTrue();
      assertThat(self.hasSocket(Set.of(inode + 1_000_000_000))).isFalse();
      assertThat(other.hasSocket(Set.of(inode))).isFalse();
      assertThat(self.hasUnixSocket(Set.of(inode))).isFalse();
    }
  }

  private static long inode(ServerSocket socket) throws IOException {
    String port = String.format(":%04X ", socket.getLocalPort());
    try (Stream<String> all = Files.lines(Path.of("/proc/self/net/tcp6"))) {
      String line = all.filter(other -> other.contains(port)).findFirst().orElseThrow();
      return Long.parseLong(line.strip().split(" +", -1)[9]);
    }
  }

  /** As many as anybody may open: five thousand are examined in any case. */
  @Test
  @Tag("attack")
  void amongManyDescriptorsASocketIsSoughtWithinTheTime() throws Exception {
    List<InputStream> crowd = new ArrayList<>();
    try (PidFd self = PidFd.open(ProcessHandle.current().pid())) {
      // An ordinary user may not be allowed that many.
      int many = Math.min(5_000, Proc.mostDescriptors() - 500);
      while (crowd.size() < many) {
        crowd.add(new FileInputStream("/dev/null"));
      }
      try (ServerSocket socket = new ServerSocket(0)) {
        Set<Long> inodes = Set.of(inode(socket));

        assertThat(self.hasSocket(inodes, /* unix= */ false, Long.MAX_VALUE)).isTrue();
        if (many < 5_000) {
          assertThat(self.hasSocket(inodes, /* unix= */ false, 0)).isTrue();
        } else {
          assertThatThrownBy(() -> self.hasSocket(inodes, /* unix= */ false, 0))
              .hasMessageEndingWith("(ETIMEDOUT, 110)");
        }
      }
    } finally {
      for (InputStream file : crowd) {
        file.close();
      }
    }
  }

  @Test
  void aUnixSocketIsToldFromOthers(@TempDir Path directory) throws Exception {
    Path path = directory.resolve("x");
    long[] inode = {0};
    try (PidFd other = PidFd.open(children.sleeper());
        ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        PidFd self = PidFd.open(ProcessHandle.current().pid())) {
      socket.bind(UnixDomainSocketAddress.of(path));
      try (Stream<String> all = Files.lines(Path.of("/proc/self/net/unix"))) {
        all.filter(line -> line.endsWith(" " + path))
            .forEach(line -> inode[0] = Long.parseLong(line.strip().split(" +", -1)[6]));
      }

      assertThat(self.hasUnixSocket(Set.of(inode[0]))).isTrue();
      assertThat(other.hasUnixSocket(Set.of(inode[0]))).isFalse();
    }
  }

  @Test
  void aZombieIsNotAliveButTakesSignalsUntilItWasWaitedFor() throws Exception {
    int pid = children.shell("exit 0");
    try (PidFd process = PidFd.open(pid)) {
      process.awaitExit();
      assertThat(Proc.status(Integer.toString(pid), "State")).startsWith("Z");

      assertThat(process.isAlive()).isFalse();
      process.send(Signal.TERM);
      process.waitFor();

      assertThat(process.isAlive()).isFalse();
      assertThatThrownBy(() -> process.send(Signal.TERM))
          .hasMessage("pidfd_send_signal " + pid + ": No such process (ESRCH, 3)");
    }
  }

  @Test
  void aZombieCanBeOpened() throws Exception {
    int pid = children.shell("exit 3");
    try (PidFd first = PidFd.open(pid)) {
      first.awaitExit();
      try (PidFd second = PidFd.open(pid)) {
        assertThat(second.isAlive()).isFalse();
        assertThat(second.waitFor().exitCode()).hasValue(3);
      }
    }
  }

  @Test
  void aProcessThatIsGoneCannotBeOpened() throws Exception {
    int pid = children.shell("exit 0");
    ProcessHandle handle = ProcessHandle.of(pid).orElseThrow();
    try (PidFd process = PidFd.open(pid)) {
      process.waitFor();
    }

    assertThatThrownBy(() -> PidFd.open(pid))
        .isInstanceOf(PosixException.class)
        .hasMessage("pidfd_open " + pid + ": No such process (ESRCH, 3)");
    assertThatThrownBy(() -> PidFd.of(handle))
        .isInstanceOfSatisfying(
            PosixException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
  }

  @Test
  void theIdOfAThreadIsNoProcess() throws Exception {
    String[] threads = Path.of("/proc/self/task").toFile().list();
    long thread =
        Long.parseLong(
            threads[0].equals("" + ProcessHandle.current().pid()) ? threads[1] : threads[0]);

    assertThatThrownBy(() -> PidFd.open(thread)).isInstanceOf(PosixException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, -1, Long.MIN_VALUE, 1L << 31, (1L << 32) + 1})
  void whatIsNoPidIsRefused(long pid) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PidFd.open(pid))
        .withMessage("not a process id: " + pid);
  }

  @Test
  void theDescriptorIsClosedOnceAndNothingWorksAfterwards() throws Exception {
    int before = Watched.pidfds();
    PidFd process = PidFd.open(ProcessHandle.current().pid());
    assertThat(Watched.pidfds()).isEqualTo(before + 1);

    process.close();
    process.close();

    assertThat(Watched.pidfds()).isEqualTo(before);
    assertThatIllegalStateException().isThrownBy(() -> process.send(Signal.CONT));
    assertThatIllegalStateException().isThrownBy(process::isAlive);
    assertThatIllegalStateException().isThrownBy(process::waitFor);
    assertThatIllegalStateException().isThrownBy(process::awaitExit);
    assertThatIllegalStateException().isThrownBy(process::exited);
    assertThatIllegalStateException().isThrownBy(process::ended);
  }

  @Test
  void aClosedOneIsRefusedAlsoIfTheProcessIsGone() throws Exception {
    PidFd process = PidFd.open(children.sleeper());
    process.send(Signal.KILL);
    process.waitFor();
    process.close();

    assertThatIllegalStateException().isThrownBy(process::name);
    assertThatIllegalStateException().isThrownBy(process::info);
    assertThatIllegalStateException().isThrownBy(() -> process.hasSocket(Set.of(1L)));
    assertThatIllegalStateException().isThrownBy(() -> process.hasUnixSocket(Set.of(1L)));
  }

  @Test
  void aProcessOfJavasHandleIsThatProcess() throws Exception {
    int pid = children.sleeper();
    try (PidFd process = PidFd.of(ProcessHandle.of(pid).orElseThrow())) {
      process.send(Signal.TERM);
      assertThat(process.waitFor().signal()).contains(Signal.TERM);
    }
  }

  @Test
  @Tag("root")
  void anotherUsersProcessMayBeWatchedButNotSignalled(@TempDir Path classes) throws Exception {
    int pid = children.sleeper();

    assertThat(
            ChildJvm.of(Nobody.class)
                .startedBy(ChildJvm.AS_NOBODY)
                .copied(classes)
                .run(pid)
                .lines())
        .containsExactly(
            "true", "pidfd_send_signal " + pid + ": Operation not permitted (EPERM, 1)", "false");
  }

  static final class Nobody {
    public static void main(String[] arguments) throws Exception {
      try (PidFd process = PidFd.open(Long.parseLong(arguments[0]))) {
        System.out.println(process.isAlive());
        process.send(Signal.TERM);
      } catch (NotPermittedException refused) {
        System.out.println(refused.getMessage());
      }
      try (PidFd process = PidFd.open(Long.parseLong(arguments[0]))) {
        System.out.println(process.awaitExit(Duration.ofMillis(1)));
      }
    }
  }
}
