package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.daimon.posix.call.PidText.Defect;
import dev.daimon.testing.NearlyValid;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class PidTextPropertyTest {
  /** The grammar: white space, the id, and perhaps further lines. */
  private static final Pattern GRAMMAR =
      Pattern.compile("\\s*0*([1-9][0-9]{0,6})[ \\t\\x0B\\f\\r]*(\n.*)?", Pattern.DOTALL);

  @Property
  void everyProcessIdComesBack(@ForAll @LongRange(min = 1, max = 4194304) long pid) {
    byte[] content = PidText.encode(pid);

    assertThat(content).asString().isEqualTo(pid + "\n");
    assertThat(PidText.parse(content, /* sole= */ true).pid()).isEqualTo((int) pid);
    assertThat(PidText.parseEncoded(content)).isEqualTo((int) pid);
  }

  @Property
  void anotherNumberIsNotEncoded(@ForAll("noProcessIds") long number) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PidText.encode(number))
        .withMessage("not a process id: " + number);
  }

  @Provide
  Arbitrary<Long> noProcessIds() {
    return Arbitraries.longs().filter(number -> number < 1 || number > 4194304);
  }

  @Property
  void bytesAreParsedAsTheGrammarSays(@ForAll @Size(max = 80) byte[] content) {
    check(content);
  }

  @Property
  void almostNumbersAreParsedAsTheGrammarSays(@ForAll("almostNumbers") String content) {
    check(content.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** Some of them longer than a line may be. */
  @Provide
  Arbitrary<String> almostNumbers() {
    Arbitrary<String> text =
        Arbitraries.strings().withChars("0123456789 \t\n\r\f\u000b\u0000\u00a0-+").ofMaxLength(10);
    return Arbitraries.oneOf(
        text, text.map(one -> one + " ".repeat(60)), text.map(one -> one + "\n" + "x".repeat(60)));
  }

  /** Nobody can tell whether that is all. */
  @Test
  void aLineThatIsAllThatIsReadIsNotTheWholeFile() {
    byte[] line = ("0".repeat(63) + "4\n").getBytes(StandardCharsets.US_ASCII);

    assertThat(PidText.parse(line, /* sole= */ false).pid()).isEqualTo(4);
    assertThat(PidText.parse(line, /* sole= */ true).defect()).isEqualTo(Defect.FURTHER_LINES);
    assertThat(PidText.parseEncoded(line)).isZero();
  }

  @Test
  @Tag("torture")
  void nearlyPidfilesAreParsedAsTheGrammarSays() throws Exception {
    NearlyValid.of("1\n", "4711\n", " 042 \n", "4194304\n", "4711\n/var/lib/x\n5432\n", "17\r\n")
        .check(content -> check(content) != 0);
  }

  /** Compares what is parsed with the grammar; returns the process id, or 0 for none. */
  private static long check(byte[] content) {
    byte[] read = Arrays.copyOf(content, Math.min(content.length, PidText.MAX_LINE + 1));
    String text = new String(read, StandardCharsets.ISO_8859_1);
    Matcher line = GRAMMAR.matcher(text);
    boolean whole = line.matches() && (read.length <= PidText.MAX_LINE || line.group(2) != null);
    long pid = whole ? Long.parseLong(line.group(1)) : 0;
    pid = pid > PidText.MAX_PID ? 0 : pid;

    assertThat(PidText.parse(read, /* sole= */ false).pid()).isEqualTo((int) pid);
    assertThat(PidText.parse(read, /* sole= */ false).defect() == null).isEqualTo(pid != 0);
    assertThat(PidText.parse(read, /* sole= */ false).defect() == Defect.EMPTY)
        .isEqualTo(read.length <= PidText.MAX_LINE && text.matches("\\s*"));
    boolean sole = pid != 0 && read.length <= PidText.MAX_LINE && text.matches("\\s*\\d+\\s*");
    assertThat(PidText.parse(read, /* sole= */ true).pid()).isEqualTo(sole ? (int) pid : 0);
    assertThat(PidText.parse(read, /* sole= */ true).defect() == Defect.FURTHER_LINES)
        .isEqualTo(pid != 0 && !sole);
    boolean encoded = read.length <= PidText.MAX_LINE && text.matches("\\d+\n");
    assertThat(PidText.parseEncoded(read)).isEqualTo(encoded ? (int) pid : 0);
    return pid;
  }
}
