package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The completions have the commands and options of the command's own tables. */
class CompletionTest {
  private static final Path SHARE =
      Path.of(System.getProperty("daimon.root"), "cli/src/main/dist/share");

  private static final String BEGIN = "# table:begin\n";
  private static final String END = "# table:end\n";

  /** With {@code -Ddaimon.write.reference=true} it writes the table instead. */
  @Test
  void bashHasTheTable() throws Exception {
    assertTable(SHARE.resolve("bash-completion/completions/daimon"), Completions.bash());
  }

  /** Likewise. */
  @Test
  void zshHasTheTable() throws Exception {
    assertTable(SHARE.resolve("zsh/site-functions/_daimon"), Completions.zsh());
  }

  /** Likewise. */
  @Test
  void fishHasTheTable() throws Exception {
    assertTable(SHARE.resolve("fish/vendor_completions.d/daimon.fish"), Completions.fish());
  }

  private static void assertTable(Path file, String table) throws Exception {
    String text = Files.readString(file);
    int begin = text.indexOf(BEGIN) + BEGIN.length();
    int end = text.indexOf(END);
    assertThat(end).as("the place between the markers in " + file).isGreaterThanOrEqualTo(begin);
    String expected = text.substring(0, begin) + table + text.substring(end);

    if (Boolean.getBoolean("daimon.write.reference")) {
      Files.writeString(file, expected);
    }

    assertThat(Files.readString(file))
        .as(
            file
                + "; to write it anew: ./mvnw verify -pl cli -am -Dtest='OptionsReferenceTest,"
                + "CompletionTest,ManualTest' -Dsurefire.failIfNoSpecifiedTests=false -DskipITs"
                + " -Ddaimon.write.reference=true")
        .isEqualTo(expected);
  }
}
