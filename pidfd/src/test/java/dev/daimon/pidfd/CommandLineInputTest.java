package dev.daimon.pidfd;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.NearlyValid;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code /proc/PID/cmdline}, which a program may overwrite. */
@Tag("torture")
class CommandLineInputTest {
  @Test
  void wordsAreWhatStandsBetweenNuls() throws Exception {
    NearlyValid.of(
            "sh\0-c\0date\0", "web: worker\0\0\0", "a\0\0b\0", "", "f\u00c3\u00bcr\0\u00ff\0")
        .check(input -> {
          String text = new String(input, UTF_8);
          String bare = text.replaceAll("\0+\\z", "");
          List<String> words = ProcessInfo.words(NearlyValid.text(input));
          assertThat(words).isEqualTo(bare.isEmpty() ? List.of() : List.of(bare.split("\0", -1)));
          return words.size() > 1;
        });
  }
}
