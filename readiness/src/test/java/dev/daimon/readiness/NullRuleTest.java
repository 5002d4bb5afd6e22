package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.testing.NullRule;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  /** The daemon's end is not closed: what it would close is the launcher's here. */
  @Test
  void nullIsRefusedByName() throws Exception {
    try (LauncherEnd launcher = BothEnds.open(new byte[0]);
        NotifySocket socket = NotifySocket.open();
        NewlinePipe pipe = NewlinePipe.open()) {
      launcher.started(ProcessHandle.current().pid());
      NullRule rule =
          new NullRule(
              launcher,
              DaemonEnd.find(),
              socket,
              pipe,
              ServiceNotifier.of(Map.of()),
              ListenDescriptors.fromEnvironment(),
              ListenAddress.tcp(1, "name"),
              Descriptor.adopt(99),
              InetAddress.getLoopbackAddress(),
              new Notification(List.of(), 1, 0, null));

      assertThat(rule.violations(LauncherEnd.class)).isEmpty();
    }
  }
}
