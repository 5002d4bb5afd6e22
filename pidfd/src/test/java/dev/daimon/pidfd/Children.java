package dev.daimon.pidfd;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.ProcessEnd;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Spawning;
import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Children that only the test waits for, foreign processes, and the end of all of them. */
final class Children implements AutoCloseable {
  private final List<Integer> pidfds = new ArrayList<>();

  /** Starts a program, by the bare bindings: nothing here waits for it before the end. */
  int spawn(String... argv) throws PosixException {
    try (Spawning spawning = new Spawning()) {
      List<byte[]> bytes =
          Arrays.stream(argv).map(word -> word.getBytes(StandardCharsets.UTF_8)).toList();
      int pid = spawning.spawn(bytes.getFirst(), bytes, List.of());
      PosixException.check(pid, "posix_spawn", argv[0]);
      endLater(pid);
      return pid;
    }
  }

  /** A child that ends by itself. */
  int shell(String script) throws PosixException {
    return spawn("/bin/sh", "-c", script);
  }

  /** A child that goes on. */
  int sleeper() throws PosixException {
    return spawn("/bin/sleep", "1000");
  }

  /** A process that goes on, and is no child: its parent has ended. */
  int foreign() throws IOException, InterruptedException {
    int pid = Integer.parseInt(Command.run("sh", "-c", "sleep 1000 >&- & echo $!"));
    endLater(pid);
    return pid;
  }

  private void endLater(int pid) throws PosixException {
    pidfds.add(PosixException.check(PidFds.open(pid), "pidfd_open", pid));
  }

  @Override
  public void close() {
    for (int pidfd : pidfds) {
      PidFds.sendSignal(pidfd, Signal.KILL.number());
    }
    for (int pidfd : pidfds) {
      Processes.waitid(pidfd, new ProcessEnd(), Processes.WEXITED);
      Files.close(pidfd);
    }
    pidfds.clear();
  }
}
