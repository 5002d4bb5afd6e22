package dev.daimon.daemon;

import dev.daimon.testing.Meddling;
import dev.daimon.testing.StartStorm;
import dev.daimon.testing.Torture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** However many start one program at once, whoever is killed: there is one daemon, or none. */
@Tag("torture")
@Tag("python3")
class StartStormTest {
  private static final int STARTS = Torture.size(64, 8);

  @RegisterExtension final Facade facade = new Facade();

  /** A daemon that says that it is ready, and then writes a file of the name of its last word. */
  static final class Ready {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      DaemonConfig config = DaemonConfig.builder().pidFile(directory.resolve("pid")).build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        daemon.ready();
        Files.writeString(directory.resolve(args[1]), ProcessHandle.current().pid() + ".");
        new CountDownLatch(1).await();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "REMOVES")
  void startsOfOneProgram(Meddling meddling) throws Exception {
    StartStorm.Subject subject =
        new StartStorm.Subject() {
          @Override
          public ProcessBuilder start(String word) throws Exception {
            return facade.prepare(facade.java(List.of(), Ready.class, word), Map.of());
          }

          @Override
          public List<ProcessHandle> launchers(ProcessHandle start) {
            return List.of(start);
          }

          @Override
          public boolean isDaemon(ProcessHandle process, String word) throws IOException {
            Path ready = facade.file(word);
            return Files.exists(ready) && Files.readString(ready).equals(process.pid() + ".");
          }
        };
    StartStorm storm =
        new StartStorm(facade, facade.pidFile(), subject, meddling, /* named= */ false);
    int rounds = Torture.size(meddling == Meddling.OBEYS ? 100 : 20, 2);
    for (int round = 0; round < rounds; round++) {
      List<ProcessHandle> _ = storm.round(STARTS, /* kills= */ round % 2 == 1);
      storm.endDaemons();
    }
    System.out.println("facade, " + storm.figures());
  }
}
