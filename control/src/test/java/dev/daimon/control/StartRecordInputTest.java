package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.NearlyValid;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The content of a guard file, which other programs and a full disk may have written. */
@Tag("torture")
class StartRecordInputTest {
  private static final String WHERE =
      "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 pid:[4026531836] time:[4026531834] ";

  private static final String READER = "stdout 4712 123457 logger -t web\n";

  private static final Pattern LINE =
      Pattern.compile(Pattern.quote(WHERE) + "(\\d+) (\\d+) (\\d+) (\\d+)\n.*", Pattern.DOTALL);

  private static final Pattern RECORD =
      Pattern.compile("[0-9a-fA-F-]{36} pid:\\[[^\n]*\n(?:(?:stdout|stderr) [^\n]*\n)*");

  private static final BigInteger HIGHEST = BigInteger.valueOf(Long.MAX_VALUE);

  private static NearlyValid contents() {
    return NearlyValid.of(
        WHERE + "4711 123456 4711 1790000000\n",
        WHERE + "1 0 0 0\n",
        WHERE + "4194304 9223372036854775789 4194304 1790000000\n" + READER,
        WHERE + "4711 123456 4711 1790000000\n" + READER + READER.replace("out", "err"));
  }

  @Test
  void aRecordIsOneOfThisBootWithNumbersInTheirLimits() throws Exception {
    contents()
        .check(input -> {
          String text = NearlyValid.text(input);
          StartRecord record = StartRecord.parse(text, WHERE);
          assertThat(record).isEqualTo(expected(text));
          return record != null;
        });
  }

  private static StartRecord expected(String text) {
    Matcher matcher = LINE.matcher(text);
    if (!matcher.matches()) {
      return null;
    }
    long[] numbers = new long[4];
    for (int i = 0; i < numbers.length; i++) {
      BigInteger number = new BigInteger(matcher.group(i + 1));
      // The last ones before the limit are not needed.
      if (number.add(BigInteger.valueOf(17)).compareTo(HIGHEST) > 0) {
        return null;
      }
      numbers[i] = number.longValueExact();
    }
    boolean valid = numbers[0] > 0 && numbers[0] <= 4194304 && numbers[2] <= 4194304;
    return valid ? new StartRecord(numbers[0], numbers[1], numbers[2], numbers[3]) : null;
  }

  /** Nothing else is overwritten by a start. */
  @Test
  void onlyARecordIsReplaced() throws Exception {
    contents()
        .check(input -> {
          String text = new String(input, StandardCharsets.ISO_8859_1);
          boolean replaceable = text.isEmpty() || RECORD.matcher(text).matches();
          assertThat(StartRecord.isReplaceable(input)).isEqualTo(replaceable);
          return replaceable;
        });
  }
}
