package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.NearlyValid;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Limits, signals, capabilities and paths: what is accepted is what a second grammar accepts. */
@Tag("torture")
class ValuesInputTest {
  private static final Pattern LIMIT =
      Pattern.compile(
          "(?i:(?:RLIMIT_)?("
              + Arrays.stream(Resource.values()).map(Enum::name).collect(Collectors.joining("|"))
              + "))=(unlimited|infinity|[0-9]+)(?::(unlimited|infinity|[0-9]+))?");

  private static final Pattern CAPABILITY =
      Pattern.compile(
          "(?i:(?:CAP_)?("
              + Arrays.stream(Capability.values()).map(Enum::name).collect(Collectors.joining("|"))
              + "))");

  /** More than every number that fits into an input. */
  private static final BigInteger UNLIMITED = BigInteger.ONE.shiftLeft(100_000);

  private static String utf8(byte[] input) {
    return new String(input, StandardCharsets.UTF_8);
  }

  @Test
  void limits() throws Exception {
    NearlyValid.of(
            "core=0",
            "nofile=1024:4096",
            "RLIMIT_AS=infinity",
            "stack=8388608:unlimited",
            "data=9223372036854775807",
            "nproc=00100:200")
        .check(input -> {
          String text = utf8(input);
          ResourceLimit limit;
          try {
            limit = ResourceLimit.parse(text);
          } catch (IllegalArgumentException refused) {
            assertThat(expected(text)).isNull();
            return false;
          }
          assertThat(limit).isEqualTo(expected(text));
          assertThat(ResourceLimit.parse(limit.toString())).isEqualTo(limit);
          return true;
        });
  }

  private static ResourceLimit expected(String text) {
    Matcher matcher = LIMIT.matcher(text);
    if (!matcher.matches()) {
      return null;
    }
    BigInteger soft = number(matcher.group(2));
    BigInteger hard = matcher.group(3) == null ? soft : number(matcher.group(3));
    if (!isLimit(soft) || !isLimit(hard) || soft.compareTo(hard) > 0) {
      return null;
    }
    Resource resource = Resource.valueOf(matcher.group(1).toUpperCase(Locale.ROOT));
    return new ResourceLimit(resource, value(soft), value(hard));
  }

  private static BigInteger number(String text) {
    return Character.isDigit(text.charAt(0)) ? new BigInteger(text) : UNLIMITED;
  }

  private static boolean isLimit(BigInteger number) {
    return number.equals(UNLIMITED) || number.bitLength() < 64;
  }

  private static long value(BigInteger number) {
    return number.equals(UNLIMITED) ? -1 : number.longValueExact();
  }

  @Test
  void signals() throws Exception {
    NearlyValid.of("TERM", "sigkill", "SIGRTMIN+3", "rtmax-12", "15", "09", "SIGIOT", "64", "CLD")
        .check(input -> {
          String text = utf8(input);
          boolean ascii = text.chars().allMatch(c -> c < 128);
          Integer number =
              ascii ? SignalPropertyTest.SIGNALS.get(text.toUpperCase(Locale.ROOT)) : null;
          try {
            Signal signal = Signal.parse(text);
            assertThat(signal.number()).isEqualTo(number);
            assertThat(Signal.parse(signal.name())).isEqualTo(signal);
            return true;
          } catch (IllegalArgumentException refused) {
            assertThat(number).isNull();
            return false;
          }
        });
  }

  @Test
  void capabilities() throws Exception {
    NearlyValid.of("CAP_NET_BIND_SERVICE", "kill", "cap_Sys_Admin", "CHECKPOINT_RESTORE", "bpf")
        .check(input -> {
          String text = utf8(input);
          Matcher matcher = CAPABILITY.matcher(text);
          try {
            Capability capability = Capability.parse(text);
            assertThat(matcher.matches()).isTrue();
            assertThat(capability.name()).isEqualTo(matcher.group(1).toUpperCase(Locale.ROOT));
            return true;
          } catch (IllegalArgumentException refused) {
            assertThat(matcher.matches()).isFalse();
            return false;
          }
        });
  }

  /** The bytes of a path come back, but for slashes that mean nothing. */
  @Test
  void paths() throws Exception {
    NearlyValid.of("/run/web.pid", "/", "/tmp//x/", "/srv/f\u00c3\u00bcr/\u00ff", "/a/../b/./c")
        .check(input -> {
          String text = NearlyValid.text(input);
          boolean path = text.startsWith("/") && text.indexOf('\0') < 0;
          try {
            byte[] bytes = NativePath.bytes(NativePath.of(input));
            String same = text.replaceAll("/+", "/");
            same = same.length() > 1 && same.endsWith("/") ? chopped(same) : same;
            assertThat(NearlyValid.text(bytes)).isEqualTo(same);
            assertThat(path).isTrue();
            return true;
          } catch (IllegalArgumentException refused) {
            assertThat(path).isFalse();
            return false;
          }
        });
  }

  private static String chopped(String text) {
    return text.substring(0, text.length() - 1);
  }

  /** What was made visible is one line, has no hidden character, and stays as it is. */
  @Test
  void text() throws Exception {
    NearlyValid.of("daemon\tof \u00c3\u00bc", "a\u00e2\u0080\u00aeb", "\u001b[31mred", "plain")
        .check(input -> {
          String text = utf8(input);
          String line = VisibleText.line(text);
          assertThat(line).matches("[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}]*");
          assertThat(line.codePointCount(0, line.length()))
              .isEqualTo(text.codePointCount(0, text.length()));
          assertThat(VisibleText.line(line)).isEqualTo(line);
          return line.equals(text);
        });
  }
}
