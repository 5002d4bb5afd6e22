package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.pidfd.PidFd;
import dev.daimon.testing.Answers;
import dev.daimon.testing.ChildJvm;
import java.net.ServerSocket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where {@code /proc} is of another PID namespace, and an id in it another process. */
class ForeignProcTest {
  private static final String FOREIGN =
      "open /proc: Operation not permitted (EPERM, 1); it is of another PID namespace";

  @Test
  @Tag("root")
  void nothingIsSaidOfADaemonByWhatAnotherProcessIs(@TempDir Path directory) throws Exception {
    assertThat(
            ChildJvm.of(Questions.class)
                .startedBy(ChildJvm.WITH_FOREIGN_PROC)
                .run(directory)
                .lines())
        .containsExactly(
            "status: " + FOREIGN,
            "sharing: " + FOREIGN,
            "record: Optional.empty",
            "old record: " + FOREIGN,
            "tcp: " + FOREIGN,
            "unix: " + FOREIGN,
            "file: " + FOREIGN,
            "all: " + FOREIGN);
  }

  /** This process is the daemon. */
  static final class Questions {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      Path pidFile = directory.resolve("x.pid");
      Path socket = directory.resolve("socket");
      Path written = directory.resolve("written");
      long pid = ProcessHandle.current().pid();
      try (SingletonLock lock = SingletonLock.acquire(pidFile);
          LockedFile file = LockedFile.open(pidFile).orElseThrow();
          PidFd process = PidFd.open(pid);
          ServerSocket tcp = new ServerSocket(0);
          ServerSocketChannel unix = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
          WrittenCheck check = new WrittenCheck(new ReadyCondition.Written(written))) {
        lock.write(pid);
        unix.bind(UnixDomainSocketAddress.of(socket));
        Files.createFile(written);
        int port = tcp.getLocalPort();
        Answers.print("status", () -> DaemonControl.of(pidFile).status().reason());
        Answers.print("sharing", () -> RunningDaemon.share(process, file));
        Answers.print("record", () -> StartRecord.of(pid, pidFile));
        Answers.print("old record", () -> StartRecord.of("\n"));
        Answers.print(
            "tcp", () -> isReady(new TcpCheck(new ReadyCondition.Tcp(Optional.empty(), port))));
        Answers.print("unix", () -> isReady(new UnixCheck(new ReadyCondition.Unix(socket))));
        Answers.print("file", () -> check.isReady(pid));
        Answers.print("all", Processes::all);
      }
    }

    private static boolean isReady(ReadyCheck check) throws Exception {
      try (check) {
        return check.isReady(ProcessHandle.current().pid());
      }
    }
  }
}
