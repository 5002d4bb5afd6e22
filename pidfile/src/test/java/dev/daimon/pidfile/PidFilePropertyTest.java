package dev.daimon.pidfile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class PidFilePropertyTest {
  /** What is behind the line feed is not looked at. */
  private static final Pattern FIRST_LINE =
      Pattern.compile("\\s*0*([1-9][0-9]{0,6})[ \\t\\x0B\\f\\r]*(\n.*)?", Pattern.DOTALL);

  private static Path path;

  @BeforeContainer
  static void create() throws IOException {
    path = Files.createTempDirectory("daimon-pidfile").resolve("x.pid");
  }

  @AfterContainer
  static void delete() throws IOException {
    Files.deleteIfExists(path);
    Files.delete(path.getParent());
  }

  @Property
  void everyProcessIdComesBack(@ForAll @LongRange(min = 1, max = 4194304) long pid)
      throws IOException {
    PidFile.at(path).write(pid);
    assertThat(Files.readString(path)).isEqualTo(pid + "\n");
    assertThat(PidFile.at(path).read()).isEqualTo(pid);
  }

  @Property
  void bytesAreAProcessIdOrMalformed(@ForAll @Size(max = 80) byte[] content) throws IOException {
    check(content);
  }

  @Property
  void almostNumbersAreAProcessIdOrMalformed(@ForAll("almostNumbers") String content)
      throws IOException {
    check(content.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Provide
  Arbitrary<String> almostNumbers() {
    return Arbitraries.strings()
        .withChars("0123456789 \t\n\r\f\u000b\u0000\u00a0-+")
        .ofMaxLength(10);
  }

  private static void check(byte[] content) throws IOException {
    Files.write(path, content);
    int seen = Math.min(content.length, 65);
    Matcher line = FIRST_LINE.matcher(new String(content, 0, seen, StandardCharsets.ISO_8859_1));
    boolean whole = line.matches() && (seen <= 64 || line.group(2) != null);
    if (whole && Long.parseLong(line.group(1)) <= 4194304) {
      assertThat(PidFile.at(path).read()).isEqualTo(Long.parseLong(line.group(1)));
    } else {
      assertThatThrownBy(() -> PidFile.at(path).read())
          .isInstanceOf(MalformedPidFileException.class);
    }
  }
}
