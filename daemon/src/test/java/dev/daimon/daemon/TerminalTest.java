package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a launcher shows on a terminal, and what it does not show anywhere else. */
class TerminalTest {
  /** Back to the line's beginning, and the rest of it is cleared. */
  private static final String CLEAR = "\r\u001b[K";

  @RegisterExtension final Facade facade = new Facade();

  /** A daemon that says what it is doing. */
  static final class Talks {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      DaemonConfig config = DaemonConfig.builder().pidFile(directory.resolve("pid")).build();
      try (Daemon daemon = Daemonizer.daemonize(config)) {
        daemon.status("warming \u001b[2Jcaches\u0007\n\u009b2J\u202e\u2028");
        switch (args[1]) {
          // Longer than it takes the seconds to change: it is the time itself that is shown.
          case "slowly" -> TimeUnit.MILLISECONDS.sleep(2100);
          case "fails" -> throw daemon.fail(42, "no \u001b[2Jport\u0007\non two lines\u202e\u2028");
          case "never" -> {
            Files.writeString(directory.resolve("waits"), "yes.");
            new CountDownLatch(1).await();
          }
          default -> Thread.onSpinWait();
        }
        daemon.ready();
        new CountDownLatch(1).await();
      }
    }
  }

  /** The launcher on a terminal of its own. */
  private List<String> onTerminal(String how) throws Exception {
    // A shell that stays would die of Ctrl-C itself, whatever becomes of the launcher. Whoever runs
    // the tests may ignore it, and so would the launcher.
    List<String> words = new ArrayList<>(List.of("exec", "env", "--default-signal=INT"));
    for (String word : facade.java(List.of(), Talks.class, how)) {
      words.add("'" + word + "'");
    }
    return List.of("script", "-qec", String.join(" ", words), "/dev/null");
  }

  @Test
  void theStatusAndTheSecondsAreShownAndCleared() throws Exception {
    ProcessSandbox.Result result = facade.run(onTerminal("slowly"), Map.of("LC_ALL", "C.UTF-8"));

    assertThat(result.exitCode()).isZero();
    assertThat(result.out())
        .startsWith(CLEAR + "TerminalTest$Talks: starting (0 s)")
        .contains(
            CLEAR + "TerminalTest$Talks: warming ?[2Jcaches???2J?? (0 s)",
            CLEAR + "TerminalTest$Talks: warming ?[2Jcaches???2J?? (1 s)")
        .endsWith(CLEAR)
        .doesNotContain("\u001b[2J", "\u0007", "\n");
    assertThat(Facade.isLocked(facade.pidFile())).isTrue();
  }

  @Test
  void theReasonOfAFailureComesAfterAClearedLine() throws Exception {
    ProcessSandbox.Result result = facade.run(onTerminal("fails"), Map.of());

    assertThat(result.exitCode()).isEqualTo(42);
    assertThat(result.out())
        .endsWith(CLEAR + "TerminalTest$Talks: no ?[2Jport?\r\non two lines??\r\n");
    assertThat(facade.processes()).isEmpty();
  }

  @Test
  void controlCEndsTheDaemon() throws Exception {
    Process terminal = facade.start(onTerminal("never"));
    assertThat(facade.awaitText("waits")).isEqualTo("yes");

    type(terminal.getOutputStream(), 3);

    assertThat(terminal.waitFor()).isEqualTo(130);
    assertThat(facade.processes()).isEmpty();
    assertThat(facade.pidFile()).doesNotExist();
  }

  @Test
  void aPipeIsToldNothingButErrors() throws Exception {
    assertThat(facade.launch(Talks.class, "slowly"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  private static void type(OutputStream keyboard, int key) throws IOException {
    keyboard.write(key);
    keyboard.flush();
  }
}
