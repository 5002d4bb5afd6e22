package dev.daimon.readiness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.testing.NearlyValid;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is said arrives as it was meant, and what is received is what the grammar allows. */
class NotifyPropertyTest {
  @Property
  void aTextIsOneAssignmentWhateverIsInIt(@ForAll("texts") String text) {
    byte[] message = ServiceNotifier.statusMessage(text);

    assertThat(message.length).isLessThanOrEqualTo(ServiceNotifier.MAX_BYTES);
    List<String> assignments = NotifySocket.assignments(message);
    assertThat(assignments).hasSize(1);
    Notification told = new Notification(assignments, 1, 0, null);
    String status = told.status().orElseThrow();
    assertThat(status.chars().noneMatch(Character::isISOControl)).isTrue();
    assertThat(told.isReady()).isFalse();
    assertThat(told.mainPid()).isEmpty();
    // Unpaired surrogates have no bytes in UTF-8.
    String same =
        new String(text.getBytes(UTF_8), UTF_8).replaceAll("\\p{Cntrl}|[\u0080-\u009f]", " ");
    assertThat(same).startsWith(status);
    if (status.length() < same.length()) {
      String next = Character.toString(same.codePointAt(status.length()));
      assertThat(message.length + next.getBytes(UTF_8).length)
          .isGreaterThan(ServiceNotifier.MAX_BYTES);
    }
  }

  @Provide
  Arbitrary<String> texts() {
    Arbitrary<String> hostile =
        Arbitraries.of("\n", "READY=1", "MAINPID=1", "\0", "\r", "=", "\u0085", "€", "😀", "\ud83d")
            .list()
            .ofMaxSize(30)
            .map(parts -> String.join("", parts));
    Arbitrary<String> longs = Arbitraries.strings().ofMaxLength(40).map(text -> text.repeat(300));
    return Arbitraries.oneOf(Arbitraries.strings(), hostile, longs);
  }

  @Property
  void aDatagramIsItsLinesWithANameAndAValueOrNothing(@ForAll("datagrams") byte[] datagram) {
    assertThat(NotifySocket.assignments(datagram)).isEqualTo(expected(datagram));
  }

  @Test
  @Tag("torture")
  void aDatagramThatIsNearlyRightIsItsLinesOrNothing() throws Exception {
    NearlyValid.of(
            "READY=1",
            "READY=1\nSTATUS=up\nMAINPID=4711\n",
            "EXTEND_TIMEOUT_USEC=1000000\nERRNO=2",
            "RELOADING=1\nMONOTONIC_USEC=5\0",
            "STATUS=f\u00c3\u00bcr\nSTATUS=b\nX==\n\n")
        .check(datagram -> {
          List<String> assignments = NotifySocket.assignments(datagram);
          assertThat(assignments).isEqualTo(expected(datagram));
          if (assignments == null) {
            return false;
          }
          checkNumbers(new Notification(assignments, 1, 0, null));
          return true;
        });
  }

  /** What is taken for a number is one, and within its limits. */
  private static void checkNumbers(Notification told) {
    String pid = told.value("MAINPID").orElse("");
    BigInteger number = pid.matches("[0-9]+") ? new BigInteger(pid) : BigInteger.ZERO;
    boolean valid = number.signum() > 0 && number.bitLength() < 32;
    assertThat(told.mainPid())
        .isEqualTo(valid ? OptionalLong.of(number.longValue()) : OptionalLong.empty());
    String errno = told.value("ERRNO").orElse("");
    number = errno.matches("[0-9]+") ? new BigInteger(errno) : BigInteger.ZERO;
    valid = number.signum() > 0 && number.bitLength() <= 12;
    assertThat(told.errno().map(Errno::number))
        .isEqualTo(valid ? Optional.of(number.intValue()) : Optional.empty());
    String more = told.value("EXTEND_TIMEOUT_USEC").orElse("");
    number = more.matches("[0-9]+") ? new BigInteger(more) : BigInteger.ONE.negate();
    valid = number.signum() >= 0 && number.bitLength() < 64;
    assertThat(told.extendTimeout().map(time -> BigInteger.valueOf(time.toSeconds())))
        .isEqualTo(
            valid ? Optional.of(number.divide(BigInteger.valueOf(1_000_000))) : Optional.empty());
    assertThat(told.toString().chars().noneMatch(Character::isISOControl)).isTrue();
  }

  /** The rule, written once more in another way. */
  private static List<String> expected(byte[] datagram) {
    String text;
    try {
      text = UTF_8.newDecoder().decode(ByteBuffer.wrap(datagram)).toString();
    } catch (CharacterCodingException garbled) {
      return null;
    }
    text = text.endsWith("\0") ? text.substring(0, text.length() - 1) : text;
    if (text.contains("\0")) {
      return null;
    }
    List<String> assignments = new ArrayList<>();
    for (String line : text.split("\n", -1)) {
      if (line.indexOf('=') > 0) {
        assignments.add(line);
      }
    }
    return assignments.isEmpty() ? null : assignments;
  }

  @Provide
  Arbitrary<byte[]> datagrams() {
    Arbitrary<byte[]> nearly =
        Arbitraries.of("READY=1", "A=", "=b", "\n", "\n\n", "\0", "x", "=", "ä", "STATUS=a=b", "\r")
            .list()
            .ofMaxSize(12)
            .map(parts -> String.join("", parts).getBytes(UTF_8));
    Arbitrary<byte[]> any = Arbitraries.bytes().array(byte[].class).ofMaxSize(200);
    return Arbitraries.oneOf(nearly, any);
  }

  @Property
  void whateverTheValuesAreNothingIsThrown(
      @ForAll("names") String name, @ForAll("values") String value) {
    Notification told = new Notification(List.of(name + "=" + value), 1, 0, null);

    assertThat(told.value(name)).hasValue(value);
    told.mainPid().ifPresent(pid -> assertThat(pid).isBetween(1L, (long) Integer.MAX_VALUE));
    told.extendTimeout().ifPresent(time -> assertThat(time.isNegative()).isFalse());
    told.errno().ifPresent(errno -> assertThat(errno.number()).isBetween(1, 4095));
    assertThat(told.toString().chars().noneMatch(Character::isISOControl)).isTrue();
  }

  @Provide
  Arbitrary<String> names() {
    return Arbitraries.of("MAINPID", "EXTEND_TIMEOUT_USEC", "ERRNO", "STATUS", "X");
  }

  @Provide
  Arbitrary<String> values() {
    Arbitrary<String> numbers = Arbitraries.bigIntegers().map(Object::toString);
    return Arbitraries.oneOf(
        numbers, Arbitraries.longs().map(String::valueOf), Arbitraries.strings());
  }

  @Property
  void everyProcessIdComesBack(@ForAll @LongRange(min = 1, max = Integer.MAX_VALUE) long pid) {
    assertThat(new Notification(List.of("MAINPID=" + pid), 1, 0, null).mainPid())
        .isEqualTo(OptionalLong.of(pid));
  }

  @Property
  void aNumberIsItsDigits(@ForAll @Size(max = 25) List<@LongRange(min = 0, max = 9) Long> digits) {
    StringBuilder text = new StringBuilder();
    digits.forEach(text::append);
    long expected;
    try {
      expected = Long.parseLong(text.toString());
    } catch (NumberFormatException tooLongOrEmpty) {
      expected = -1;
    }
    assertThat(Notification.number(text.toString())).isEqualTo(expected);
  }
}
