package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.control.ReadyCondition.Tcp;
import dev.daimon.posix.Signal;
import dev.daimon.startup.StartException;
import dev.daimon.testing.NearlyValid;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Values of options. What is accepted is what a second grammar accepts; what is refused is a usage
 * error with a message of one line.
 */
@Tag("torture")
class ValuesInputTest {
  private static final Pattern TIME = Pattern.compile("([0-9]{1,9})(ms|s|m|h)?");
  private static final String PORT = "0*([1-9][0-9]{0,4})";
  private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  private static final String IPV4 = BYTE + "(?:\\." + BYTE + "){3}";

  /** An address is one if the JDK says so; only how it is written is looked at here. */
  private static final Pattern TCP =
      Pattern.compile("tcp:(?:(?:" + IPV4 + "|\\[[0-9A-Fa-f:.%\\w]+]):)?([0-9]{1,5})");

  @Test
  void times() throws Exception {
    NearlyValid.of("10s", "500ms", "2m", "1h", "30", "999999999h", "007s")
        .check(input -> {
          String text = NearlyValid.text(input);
          Matcher matcher = TIME.matcher(text);
          Duration time = CommandLine.duration(text);
          assertThat(time != null).isEqualTo(matcher.matches());
          if (time == null) {
            return false;
          }
          String unit = matcher.group(2) == null ? "s" : matcher.group(2);
          long millis =
              Long.parseLong(matcher.group(1))
                  * List.of(1, 1000, 60_000, 3_600_000)
                      .get(List.of("ms", "s", "m", "h").indexOf(unit));
          assertThat(time).isEqualTo(Duration.ofMillis(millis));
          return true;
        });
  }

  /** The value of one option of a start. */
  private static void check(
      CommandOption option,
      Predicate<String> grammar,
      Function<Request, Object> value,
      Function<String, Object> meaning,
      String... samples)
      throws Exception {
    NearlyValid.of(samples)
        .check(input -> {
          String text = NearlyValid.text(input);
          // No argument of a program has a NUL.
          if (text.indexOf('\0') >= 0) {
            return false;
          }
          boolean valid = grammar.test(text);
          try {
            Request request = request(option + "=" + text);
            assertThat(valid).isTrue();
            assertThat(value.apply(request)).isEqualTo(meaning.apply(text));
          } catch (StartException refused) {
            assertThat(valid).isFalse();
            assertOneLine(refused);
          }
          return valid;
        });
  }

  private static Request request(String... options) {
    String[] words = Arrays.copyOf(options, options.length + 2);
    words[options.length] = "--";
    words[options.length + 1] = "/bin/true";
    return StartOptions.request(Command.START, CommandLine.parse(Command.START, List.of(words)));
  }

  private static void assertOneLine(StartException refused) {
    assertThat(refused.exitCode()).isEqualTo(64);
    assertThat(refused.getMessage()).isNotEmpty();
  }

  @Test
  void umask() throws Exception {
    check(
        CommandOption.UMASK,
        text -> text.matches("0?[0-7]{1,3}"),
        request -> request.umask,
        text -> Integer.parseInt(text, 8),
        "022",
        "0",
        "777",
        "0027",
        "7");
  }

  @Test
  void niceness() throws Exception {
    check(
        CommandOption.NICE,
        text -> isNumber(text, -20, 19),
        request -> request.niceness,
        Integer::valueOf,
        "0",
        "-20",
        "19",
        "5",
        "-1");
  }

  @Test
  void outOfMemoryScore() throws Exception {
    check(
        CommandOption.OOM_SCORE_ADJ,
        text -> isNumber(text, -1000, 1000),
        request -> request.oomScoreAdjust,
        Integer::valueOf,
        "0",
        "-1000",
        "1000",
        "17",
        "-300");
  }

  @Test
  void descriptors() throws Exception {
    check(
        CommandOption.KEEP_FD,
        text -> text.matches("[0-9]+") && isNumber(text, 3, Integer.MAX_VALUE),
        request -> request.keptDescriptors,
        text -> List.of(Integer.valueOf(text)),
        "3",
        "10",
        "1023",
        "2147483647",
        "007");
  }

  private static boolean isNumber(String text, long least, long most) {
    return text.matches("[+-]?[0-9]+")
        && new BigInteger(text).compareTo(BigInteger.valueOf(least)) >= 0
        && new BigInteger(text).compareTo(BigInteger.valueOf(most)) <= 0;
  }

  @Test
  void paths() throws Exception {
    check(
        CommandOption.PIDFILE,
        text -> text.startsWith("/") && !text.endsWith("/"),
        request -> request.pidFile,
        Text::path,
        "/run/web.pid",
        "/srv/f\u00c3\u00bcr/\u00ff",
        "/tmp//x",
        "/../x");
  }

  @Test
  void variables() throws Exception {
    check(
        CommandOption.ENV,
        text -> text.matches("(?s)[^=].*"),
        request -> request.variables,
        text -> List.of(text.contains("=") ? text : text + "="),
        "A=b",
        "PATH",
        "X==",
        "a.b=\n",
        "\u00c3\u00a4=\u00ff");
  }

  @Test
  void users() throws Exception {
    check(
        CommandOption.USER,
        text -> !text.startsWith(":"),
        request -> Arrays.asList(request.user, request.group),
        text -> {
          String[] parts = text.split(":", 2);
          return Arrays.asList(parts[0], parts.length < 2 || parts[1].isEmpty() ? null : parts[1]);
        },
        "www",
        "www:adm",
        "www:",
        "#33",
        "#33:#4");
  }

  /** A step of a stop: a signal and a time. */
  @Test
  void steps() throws Exception {
    NearlyValid.of("KILL:5s", "INT", "SIGRTMIN+3:500ms", "15:1m", "none")
        .check(input -> {
          String text = NearlyValid.text(input);
          String[] parts = text.split(":", 2);
          boolean valid =
              text.equals("none")
                  || (isSignal(parts[0]) && (parts.length < 2 || TIME.matcher(parts[1]).matches()));
          try {
            CommandLine line =
                CommandLine.parse(Command.STOP, List.of("-p", "/x", "--then=" + text));
            int steps = ControlOptions.policy(line).steps().size();
            assertThat(valid).isTrue();
            assertThat(steps).isEqualTo(text.equals("none") ? 1 : 2);
          } catch (StartException refused) {
            assertThat(valid).isFalse();
            assertOneLine(refused);
          }
          return valid;
        });
  }

  private static boolean isSignal(String text) {
    try {
      return Signal.parse(text) != null;
    } catch (IllegalArgumentException none) {
      return false;
    }
  }

  /** What shows that a program is ready. */
  @Test
  void conditions() throws Exception {
    NearlyValid.of(
            "exec",
            "alive:2s",
            "notify",
            "notify:all",
            "fd:3",
            "fd:1023",
            "tcp:80",
            "tcp:127.0.0.1:65535",
            "tcp:[::1]:8080",
            "tcp:[fe80::1%1]:1",
            "unix:/run/x",
            "file:/x",
            "log:started in",
            "exit")
        .check(input -> {
          String text = NearlyValid.text(input);
          if (text.indexOf('\0') >= 0) {
            return false;
          }
          Request request;
          try {
            request = request("--ready=" + text, "-p", "/run/web.pid", "-o", "/var/log/web.log");
          } catch (StartException refused) {
            assertOneLine(refused);
            assertThat(text)
                .doesNotMatch("exec|notify(:all)?|alive:[0-9]{1,9}|tcp:[1-9][0-9]{0,3}");
            return false;
          }
          assertThat(isCondition(text)).isTrue();
          if (request.ready instanceof Tcp tcp) {
            assertThat(request("--ready=tcp:" + tcp.toString().replace("port ", "")).ready)
                .isEqualTo(tcp);
          }
          return true;
        });
  }

  private static boolean isCondition(String text) {
    Matcher tcp = TCP.matcher(text);
    return text.matches("exec|notify(:all)?")
        || (text.startsWith("alive:") && TIME.matcher(text.substring(6)).matches())
        || (text.matches("fd:[0-9]{1,9}") && isNumber(text.substring(3), 3, 1023))
        || (tcp.matches() && isNumber(tcp.group(1), 1, 65535))
        || text.matches("(?s)(unix|file):/(.*[^/])?")
        || text.matches("log:[^\n]+");
  }

  /** An address to listen at is read from what it prints as the same one. */
  @Test
  void addresses() throws Exception {
    Pattern socket =
        Pattern.compile(
            "(?s)(?:tcp:(?:(?:"
                + IPV4
                + "|\\[[0-9A-Fa-f:.%\\w]+]):)?"
                + PORT
                + "|unix:/.*[^/])"
                + "(?:=[ -9;-~&&[^=]]{1,255})?");
    NearlyValid.of("tcp:80", "tcp:127.0.0.1:8080=web", "tcp:[::1]:1=a b", "unix:/run/x=control")
        .check(input -> {
          String text = NearlyValid.text(input);
          if (text.indexOf('\0') >= 0) {
            return false;
          }
          try {
            Request request = request("--listen=" + text);
            assertThat(text).matches(socket);
            String printed = request.listen.get(0).toString();
            if (!printed.startsWith("unix:")) {
              String name = "=" + request.listen.get(0).name();
              Request again = request("--listen=" + printed + name);
              assertThat(again.listen.get(0)).hasToString(printed);
            }
            return true;
          } catch (StartException refused) {
            assertOneLine(refused);
            assertThat(text).doesNotMatch("tcp:[1-9][0-9]{0,3}(=[a-z]{1,255})?");
            return false;
          }
        });
  }
}
