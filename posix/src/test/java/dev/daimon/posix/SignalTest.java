package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SignalTest {
  @ParameterizedTest
  @CsvSource({
    "1, SIGHUP",
    "15, SIGTERM",
    "29, SIGPOLL",
    "31, SIGSYS",
    "32, SIG32",
    "33, SIG33",
    "34, SIGRTMIN",
    "35, SIGRTMIN+1",
    "63, SIGRTMIN+29",
    "64, SIGRTMAX"
  })
  void aSignalIsNamedByTheCLibraryOrByCounting(int number, String name) {
    assertThat(Signal.of(number).number()).isEqualTo(number);
    assertThat(Signal.of(number).name()).isEqualTo(name);
    assertThat(Signal.of(number)).hasToString(name);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65, Integer.MAX_VALUE})
  void aNumberThatIsNoSignalIsRefused(int number) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Signal.of(number))
        .withMessage("not a signal number: " + number);
  }

  @Test
  void signalsOfOneNumberAreEqual() {
    assertThat(Signal.of(15)).isEqualTo(Signal.TERM).hasSameHashCodeAs(Signal.TERM);
    assertThat(Signal.TERM).isNotEqualTo(Signal.KILL).isNotEqualTo(15);
  }

  @ParameterizedTest
  @CsvSource({
    "15, 15",
    "SIG15, 15",
    "sig40, 40",
    "07, 7",
    "RTMIN, 34",
    "SIGRTMIN, 34",
    "rtmin+0, 34",
    "RTMIN+1, 35",
    "SIGRTMIN+30, 64",
    "RTMAX, 64",
    "sigrtmax-0, 64",
    "RTMAX-1, 63",
    "RTMAX-30, 34",
    "IO, 29",
    "SIGPOLL, 29",
    "SIGIOT, 6",
    "cld, 17",
    "Unused, 31",
  })
  void aPersonMayNameASignalInSeveralWays(String text, int number) {
    assertThat(Signal.parse(text)).isEqualTo(Signal.of(number));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0",
        "00",
        "65",
        "99",
        "100",
        "015",
        "-1",
        "+1",
        "1 ",
        "٣",
        "4294967297",
        "SIG",
        "SIG0",
        "SIG65",
        "SIGSIGTERM",
        "TERM ",
        " TERM",
        "TERM\n",
        "TER",
        "TERMS",
        "null",
        "RTMIN+31",
        "RTMIN-1",
        "RTMIN+",
        "RTMIN+-1",
        "RTMIN+100",
        "RTMIN 1",
        "RTMIN35",
        "RTMAX+1",
        "RTMAX-31",
        "RTMAX-",
        "RTMAX--1",
        "SIGſYS",
        "ſIGTERM",
        "sıgterm",
        "ınt",
      })
  void whatIsNoSignalIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Signal.parse(text))
        .withMessage("not a signal: " + text);
  }

  @Test
  void whateverTheShellCallsASignalIsThatSignal() throws Exception {
    List<String> names =
        Command.run("bash", "-c", "for n in {1..31} {34..64}; do kill -l $n; done")
            .lines()
            .toList();
    assertThat(names).hasSize(62).contains("HUP", "IO", "RTMIN", "RTMIN+15", "RTMAX-14", "RTMAX");
    for (int i = 0; i < names.size(); i++) {
      assertThat(Signal.parse(names.get(i)).number()).isEqualTo(i < 31 ? i + 1 : i + 3);
    }
  }

  @Test
  void namesAreReadTheSameInTurkey() throws Exception {
    List<String> lines =
        ChildJvm.of(Turkish.class)
            .option("-Duser.language=tr")
            .option("-Duser.country=TR")
            .run()
            .lines();
    assertThat(lines).containsExactly("false", "SIGINT", "SIGPIPE", "SIGRTMIN+2");
  }

  static final class Turkish {
    @SuppressWarnings("StringCaseLocaleUsage") // To show that it would matter.
    public static void main(String[] arguments) {
      System.out.println("sigint".toUpperCase().equals("SIGINT"));
      System.out.println(Signal.parse("sigint"));
      System.out.println(Signal.parse("pipe"));
      System.out.println(Signal.parse("rtmin+2"));
    }
  }
}
