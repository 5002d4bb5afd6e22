package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReadyConditionTest {
  @Test
  void valuesThatCanNeverBeMetAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Alive(Duration.ofNanos(-1)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Unix(Path.of("relative")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Written(Path.of("relative")));
    assertThatIllegalArgumentException().isThrownBy(() -> new ReadyCondition.Line(""));
    assertThatIllegalArgumentException().isThrownBy(() -> new ReadyCondition.Line("a\nb"));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 2})
  void aStandardStreamIsNoDescriptor(int number) {
    assertThatIllegalArgumentException().isThrownBy(() -> new ReadyCondition.Newline(number));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65_536})
  void whatIsNoPortIsRefused(int port) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ReadyCondition.Tcp(Optional.empty(), port));
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1, 127.0.0.1:80", "::1, [0:0:0:0:0:0:0:1]:80"})
  void anAddressIsWrittenWithItsPort(String literal, String text) {
    assertThat(new ReadyCondition.Tcp(Optional.of(InetAddress.ofLiteral(literal)), 80))
        .hasToString(text);
    assertThat(new ReadyCondition.Tcp(Optional.empty(), 80)).hasToString("port 80");
  }

  /** As the kernel of a little-endian machine, such as x86-64 and AArch64, writes them. */
  @ParameterizedTest
  @CsvSource({
    "0100007F, 127.0.0.1",
    "00000000000000000000000001000000, ::1",
    "B80D0120000000000000000078563412, 2001:db8::1234:5678",
  })
  void theTablesAddressesAreRead(String digits, String literal) {
    assertThat(TcpCheck.address(digits)).isEqualTo(InetAddress.ofLiteral(literal).getAddress());
  }
}
