package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a started program is: a daemon. */
class StartIT {
  private static final int PPID = 4;
  private static final int SESSION = 6;
  private static final int TTY = 7;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @Test
  void theProgramIsAChildOfInitInASessionItDoesNotLead() throws Exception {
    Path pidFile = sandbox.file("pid");

    Sandbox.Result result = sandbox.daimon("start", "-p", pidFile.toString(), "sleep", "60");

    assertThat(result).isEqualTo(new Sandbox.Result(0, "", ""));
    long pid = Sandbox.pid(pidFile);
    assertThat(Sandbox.stat(pid, PPID)).isEqualTo(1);
    assertThat(Sandbox.stat(pid, SESSION)).isNotEqualTo(pid).isNotEqualTo(ownSession());
    assertThat(Sandbox.stat(pid, TTY)).isZero();
    assertThat(Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd"))).isEqualTo(Path.of("/"));
    assertThat(Sandbox.status(pid, "Umask")).isEqualTo("0022");
  }

  private static long ownSession() throws Exception {
    return Sandbox.stat(ProcessHandle.current().pid(), SESSION);
  }
}
