package dev.daimon.daemon.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.daimon.daemon.config.Settings;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.Progress;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the daemons of the other tests print is kept; what is left of it is seen here. */
class EarlyOutputTest {
  @Test
  void nothingStaysOpenIfItCannotBeKept(@TempDir Path directory) throws Exception {
    Settings settings = new Settings();
    settings.standardError = directory.resolve("log");
    DaemonFiles files = new DaemonFiles(settings.files(), null, Progress.IGNORED);
    files.open();
    files.standardError().close();

    assertThatIllegalStateException().isThrownBy(() -> EarlyOutput.keep(settings, files));

    assertThat(memoryFiles()).isZero();
    files.undo(new IOException("no daemon"));
  }

  private static long memoryFiles() throws IOException {
    return Proc.descriptors("self").values().stream()
        .filter(leadsTo -> leadsTo.startsWith("/memfd:daimon"))
        .count();
  }
}
