package dev.daimon.cli;

import dev.daimon.control.ReadyCondition;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** {@code [HOST:]PORT}, as options take it. */
final class TcpPlace {
  private TcpPlace() {}

  /** The port, from 1 to 65535; -1 if the text has none. */
  static int port(String text) {
    int port = CommandLine.digits(text.substring(text.lastIndexOf(':') + 1), 5);
    return port < 1 || port > ReadyCondition.LAST_PORT ? -1 : port;
  }

  /** What stands before the port; null if nothing does. */
  static @Nullable String host(String text) {
    int colon = text.lastIndexOf(':');
    return colon < 0 ? null : text.substring(0, colon);
  }

  /**
   * The address that a host is: {@code 127.0.0.1} or {@code [::1]}; null for anything else, such as
   * a name, or an IPv4 address in one of the forms that are read as another than most people mean.
   */
  static @Nullable InetAddress address(String host) {
    try {
      // Of two pairs of brackets ofLiteral would accept the inner one.
      if (host.lastIndexOf('[') == 0 && host.endsWith("]")) {
        return Inet6Address.ofLiteral(host.substring(1, host.length() - 1));
      }
      InetAddress address = Inet4Address.ofLiteral(host);
      return address.getHostAddress().equals(host) ? address : null;
    } catch (IllegalArgumentException wrong) {
      return null;
    }
  }
}
