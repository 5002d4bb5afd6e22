package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class SignalPropertyTest {
  /** Every text in capitals that names a signal, and its number. */
  static final Map<String, Integer> SIGNALS = new TreeMap<>();

  static {
    for (int i = 1; i <= 64; i++) {
      put(i, Integer.toString(i), "%02d".formatted(i), Signal.of(i).name().substring(3));
    }
    put(34, "RTMIN");
    put(64, "RTMAX");
    for (int i = 0; i <= 30; i++) {
      put(34 + i, "RTMIN+" + i, "RTMIN+%02d".formatted(i));
      put(64 - i, "RTMAX-" + i, "RTMAX-%02d".formatted(i));
    }
    put(6, "IOT");
    put(17, "CLD");
    put(29, "IO");
    put(31, "UNUSED");
  }

  private static void put(int number, String... names) {
    for (String name : names) {
      SIGNALS.put(name, number);
      SIGNALS.put("SIG" + name, number);
    }
  }

  @Property
  void everySignalIsReadFromItsNumberAndItsNameInAnyCase(
      @ForAll @IntRange(min = 1, max = 64) int number, @ForAll int capitals) {
    Signal signal = Signal.of(number);
    String name = mixed(signal.name(), capitals);
    assertThat(Signal.parse(name)).isEqualTo(signal);
    assertThat(Signal.parse(name.substring(3))).isEqualTo(signal);
    assertThat(Signal.parse(Integer.toString(number))).isEqualTo(signal);
    assertThat(Signal.parse(Signal.parse(name).name())).isEqualTo(signal);
  }

  @Property
  void nothingElseIsASignal(@ForAll("almostSignals") String text) {
    Integer number = SIGNALS.get(text.toUpperCase(Locale.ROOT));
    if (number == null || !text.chars().allMatch(c -> c < 128)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Signal.parse(text))
          .withMessage("not a signal: " + text);
    } else {
      assertThat(Signal.parse(text).number()).isEqualTo(number);
    }
  }

  /** A text that names a signal, with something put in its place somewhere. */
  @Provide
  Arbitrary<String> almostSignals() {
    Arbitrary<String> piece =
        Arbitraries.strings().withChars("0136SIGRTMNAXHUPsigımaxſ +-\u0000\u0661").ofMaxLength(2);
    return Arbitraries.of(SIGNALS.keySet())
        .flatMap(name ->
            Arbitraries.integers()
                .between(0, name.length())
                .flatMap(from ->
                    Arbitraries.integers()
                        .between(from, name.length())
                        .flatMap(to ->
                            piece.map(between ->
                                name.substring(0, from) + between + name.substring(to)))));
  }

  /** The text with each letter in the case that a bit says. */
  private static String mixed(String text, int capitals) {
    StringBuilder mixed = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      mixed.append((capitals >> i & 1) == 0 ? Character.toLowerCase(c) : c);
    }
    return mixed.toString();
  }
}
