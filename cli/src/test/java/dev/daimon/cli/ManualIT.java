package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a reader of manuals makes of the distribution's pages. */
@Tag("mandoc")
class ManualIT {
  private static final Path MAN = Sandbox.DAIMON.resolve("../../share/man").normalize();

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  static Stream<String> pages() throws IOException {
    return Manual.pages().keySet().stream();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void thePagesAreWellFormed(String page) throws Exception {
    // From the folder that the names of other pages begin in.
    ProcessSandbox.Result lint =
        sandbox.shell("cd \"$1\" && mandoc -Tlint -Wwarning \"$2\"", MAN.toString(), page);

    assertThat(lint).isEqualTo(new ProcessSandbox.Result(0, "", ""));
  }

  /** What is typed is shown as it is typed, so that it can be copied. */
  @Test
  void aPageShowsItsTextAsItIs() throws Exception {
    String page =
        sandbox.shell("mandoc -Tutf8 -Owidth=120 \"$1\"", MAN + "/man1/daimon-start.1").out();

    // Bold type is a letter upon itself, italics are a letter upon an underscore.
    assertThat(page.replaceAll(".\\x08", ""))
        .contains("daimon-start, daimonize - daemonize a program")
        .contains("    daimon start web --save -u www -- /usr/bin/web --port 8080\n")
        .contains(" -o '|rotatelogs /var/log/web.%Y-%m-%d 86400' -- ")
        .containsPattern("\n +-p, --pidfile PATH\n +write the daemon.s pid to this file")
        .doesNotContain("`", "<!--", "**", "](");
  }

  /** By the folder in {@code MANPATH}; daimonize is another name of a page. */
  @Test
  void theReaderFindsThePages() throws Exception {
    for (String name : List.of("daimon", "daimon-stop", "daimonize", "daimon.conf")) {
      ProcessSandbox.Result found =
          sandbox.run(List.of("mman", "-w", name), Map.of("MANPATH", MAN.toString()));

      assertThat(found.out())
          .matches(Pattern.quote(MAN + "/man") + "[15]/\\Q" + name + "\\E\\.[15]\n");
    }
    assertThat(
            sandbox
                .run(List.of("mman", "-Tascii", "daimonize"), Map.of("MANPATH", MAN.toString()))
                .out())
        .contains("DAIMON-START(1)");
  }
}
