package dev.daimon.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The examples that a page repeats; all others are taken from the page when they are built. */
class DocumentationIT {
  private static final Pattern MAIN =
      Pattern.compile("// @start region=\"main\"\n(.*?)\n\\s*// @end", Pattern.DOTALL);

  @Test
  void theGuideHasTheExampleOfTheCommandWordForWord() throws Exception {
    String source =
        Files.readString(
            Consumers.ROOT.resolve("command/src/test/java/dev/daimon/command/Example.java"));
    Matcher example = MAIN.matcher(source);

    assertThat(example.find()).isTrue();
    assertThat(Files.readString(Consumers.ROOT.resolve("docs/facade.md")))
        .contains("\n```java\n" + example.group(1).stripIndent().strip() + "\n```\n");
  }
}
