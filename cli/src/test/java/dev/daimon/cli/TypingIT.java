package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Typist;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A program that root runs as another user in the foreground has root's terminal. It must not be
 * able to type into root's shell.
 */
@Tag("root")
@Tag("cc")
@Tag("attack")
class TypingIT {
  @RegisterExtension static final TestUser USER = new TestUser("dmtyping");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private String typist = "";

  @BeforeEach
  void compile() throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    typist = Typist.compiled(sandbox.directory()).toString();
  }

  /** Shows that the attack works without Daimon, if the kernel allows it. */
  @Test
  void withoutDaimonTheProgramTypesIntoRootsShell() throws Exception {
    boolean legacy = Typist.isAllowed();

    String said = shell("setpriv --reuid=" + USER.uid() + " --clear-groups " + typist);

    assertThat(said)
        .contains(legacy ? "the shell read: " + Typist.LINE : "the shell read: typed by root");
  }

  @ParameterizedTest
  @ValueSource(strings = {"run", "start -f", "run --no-new-privs"})
  void theProgramOfAnotherUserDoesNot(String command) throws Exception {
    String said = shell(daimon(command));

    assertThat(said).contains(Typist.REFUSED, "the shell read: typed by root");
  }

  /** As in a container without {@code CAP_SYS_ADMIN}, on a kernel that lets programs type. */
  @Test
  void aStartIsRefusedIfTypingCannotBePrevented() throws Exception {
    String weak = "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin ";
    boolean legacy = Typist.isAllowed();

    String said = shell(weak + daimon("run") + "; echo status $?");
    String without = shell(weak + daimon("run --no-new-privs"));

    assertThat(said)
        .contains(
            legacy
                ? "daimon: user " + USER.name() + " could type into this terminal"
                : Typist.REFUSED);
    assertThat(said).contains(legacy ? "status 77" : "status 0");
    assertThat(said).contains("the shell read: typed by root");
    assertThat(without).contains(Typist.REFUSED, "the shell read: typed by root");
  }

  @Test
  void withoutATerminalNothingIsRefused() throws Exception {
    assertThat(
            sandbox
                .shell(
                    "setsid -w $daimon run -u " + USER.name() + " grep Seccomp: /proc/self/status")
                .out()
                .strip())
        .isEqualTo("Seccomp:\t0");
  }

  /** In a new session Ctrl-C would not reach the program. */
  @Test
  void controlCReachesTheProgram() throws Exception {
    Process terminal =
        terminal("exec " + Sandbox.DAIMON + " run -u " + USER.name() + " sleep 1000");
    sandbox.awaitProgram("sleep");

    type(terminal, "\u0003");

    assertThat(terminal.waitFor()).isEqualTo(130);
  }

  private String daimon(String command) {
    return Sandbox.DAIMON + " " + command + " -u " + USER.name() + " " + typist;
  }

  /**
   * Returns the text on the terminal of a shell that runs a command, and then reads a line. It
   * reads a second one, so that it does not end before root has typed.
   */
  private String shell(String command) throws Exception {
    Files.deleteIfExists(sandbox.file("reads"));
    Process terminal =
        terminal(
            command
                + "; touch "
                + sandbox.file("reads")
                + "; read line; echo \"the shell read: $line\"; read line");
    Sandbox.await("the shell to read", () -> Files.exists(sandbox.file("reads")));
    type(terminal, "typed by root\nthe end\n");
    String said = new String(terminal.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    assertThat(terminal.waitFor()).isZero();
    return said;
  }

  private Process terminal(String command) throws IOException {
    return sandbox
        .prepare(List.of("script", "-qec", command, "/dev/null"), Map.of("SHELL", "/bin/sh"))
        .redirectErrorStream(true)
        .start();
  }

  private static void type(Process terminal, String text) throws IOException {
    terminal.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    terminal.getOutputStream().flush();
  }
}
