package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TcpPlaceTest {
  @ParameterizedTest
  @CsvSource({"127.0.0.1:80, 127.0.0.1, 80", "[::1]:65535, ::1, 65535", "0.0.0.0:1, 0.0.0.0, 1"})
  void anAddressAndAPortAreRead(String text, String address, int port) {
    assertThat(TcpPlace.port(text)).isEqualTo(port);
    assertThat(TcpPlace.address(TcpPlace.host(text))).isEqualTo(InetAddress.ofLiteral(address));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "65536", "-1", "+80", "80 ", "http", "127.0.0.1:", "999999"})
  void whatIsNoPortIsNotRead(String text) {
    assertThat(TcpPlace.port(text)).isEqualTo(-1);
  }

  /** Some of these are addresses to others, but not the ones that most people mean. */
  @ParameterizedTest
  @ValueSource(
      strings = {"", "localhost", "127.1", "127.0.0.01", "::1", "[]", "[[::1]]", "[127.0.0.1]"})
  void whatIsNoAddressIsNotRead(String host) {
    assertThat(TcpPlace.address(host)).isNull();
  }
}
