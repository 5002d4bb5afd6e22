package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.testing.NullRule;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What must not be null is named by the call that is given it. */
class NullRuleTest {
  @Test
  void nullIsRefusedByName() throws Exception {
    FileSet set = new FileSet(null, true, null, null, null, false);
    Path x = Path.of("/x");
    Descriptor descriptor = Descriptor.adopt(99);
    NullRule rule =
        new NullRule(
            set,
            new DaemonName("web"),
            new DaemonDirectories(x, x, x, x),
            new MadeDirectories(),
            new IOException("x"),
            new DaemonFiles(set, null, Progress.IGNORED),
            new FilePurposes(),
            ListenSockets.open(List.of(), null, /* locked= */ false),
            new PendingChown(x, descriptor),
            Identity.of("root", null),
            descriptor,
            Signal.HUP);

    assertThat(rule.violations(DaemonFiles.class)).isEmpty();
  }
}
