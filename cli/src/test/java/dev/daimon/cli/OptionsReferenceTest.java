package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OptionsReferenceTest {
  private static final Path PAGE = Path.of(System.getProperty("daimon.root"), "docs", "command.md");

  private static final String BEGIN = "<!-- options:begin -->\n";
  private static final String END = "<!-- options:end -->\n";

  /** With {@code -Ddaimon.write.reference=true} it writes the reference instead. */
  @Test
  void thePageHasTheOptionsOfTheTable() throws Exception {
    String page = Files.readString(PAGE);
    int begin = page.indexOf(BEGIN) + BEGIN.length();
    int end = page.indexOf(END);
    assertThat(end).as("the place between the markers in " + PAGE).isGreaterThanOrEqualTo(begin);
    String expected =
        page.substring(0, begin) + "\n" + OptionsReference.markdown() + "\n" + page.substring(end);

    if (Boolean.getBoolean("daimon.write.reference")) {
      Files.writeString(PAGE, expected);
    }

    assertThat(Files.readString(PAGE))
        .as(
            "docs/command.md; to write it anew: ./mvnw verify -pl cli -am"
                + " -Dtest=OptionsReferenceTest -Dsurefire.failIfNoSpecifiedTests=false"
                + " -DskipITs -Ddaimon.write.reference=true")
        .isEqualTo(expected);
  }
}
