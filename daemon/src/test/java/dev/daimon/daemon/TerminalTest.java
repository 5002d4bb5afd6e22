package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import dev.daimon.testing.Typist;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The status line of a launcher, which only a terminal gets. */
class TerminalTest {
  /** Returns to the beginning of the line, and clears it. */
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
          // Longer than a second, because the status line shows the time.
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
    // A shell that stays would die of Ctrl-C itself, whatever becomes of the launcher; and whoever
    // runs this in the background has signals ignored.
    String command =
        "exec env --default-signal=INT " + quoted(facade.java(List.of(), Talks.class, how));
    return List.of("script", "-qec", command, "/dev/null");
  }

  private static String quoted(List<String> words) {
    return "'" + String.join("' '", words) + "'";
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

  /** Runs in the foreground as another user, as do its children. */
  static final class Types {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.dropPrivileges();
        Path typist = Path.of(args[0]).resolve("typist");
        int _ = new ProcessBuilder(typist.toString()).inheritIO().start().waitFor();
        Set<String> filters = new TreeSet<>();
        for (String thread : Objects.requireNonNull(new File("/proc/self/task").list())) {
          filters.add(Proc.status("self/task/" + thread, "Seccomp"));
        }
        System.out.println("filters " + filters);
      }
    }
  }

  @Test
  @Tag("root")
  @Tag("cc")
  @Tag("attack")
  void whoeverRootBecomesInTheForegroundDoesNotTypeIntoRootsShell() throws Exception {
    facade.forEveryone();
    Path typist = Typist.compiled(facade.directory());
    List<String> words = facade.java(List.of(), Types.class, "foreground", "user=1", "group=1");
    String shell = quoted(words) + "; echo said; read line; echo \"read: $line\"";

    Process terminal = facade.start(List.of("script", "-qec", shell, "/dev/null"));
    ProcessSandbox.await(
        "the program's end", () -> Files.readString(facade.file("out")).contains("said"));
    terminal.getOutputStream().write("by root\n".getBytes(StandardCharsets.US_ASCII));
    terminal.getOutputStream().flush();

    assertThat(terminal.waitFor()).isZero();
    assertThat(typist).exists();
    assertThat(facade.file("out"))
        .content()
        .contains(Typist.REFUSED, "filters [2]", "read: by root")
        .doesNotContain(Typist.LINE);
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
