package dev.daimon.cli;

import dev.daimon.readiness.ListenAddress;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;

/** Reads the values of {@code --listen}. */
final class ListenOption {
  private static final String WANTED =
      "--listen wants tcp:[HOST:]PORT[=NAME] or unix:PATH[=NAME], not \"";

  private ListenOption() {}

  /** The addresses to listen at. */
  static List<ListenAddress> addresses(CommandLine line) {
    List<ListenAddress> addresses = new ArrayList<>();
    for (String value : line.values(CommandOption.LISTEN)) {
      ListenAddress address = address(line, value);
      for (ListenAddress other : addresses) {
        if (other.toString().equals(address.toString())) {
          throw line.usage("--listen names the same address twice: " + Text.readable(value));
        }
      }
      addresses.add(address);
    }
    return addresses;
  }

  private static ListenAddress address(CommandLine line, String value) {
    int equals = value.lastIndexOf('=');
    String name = equals < 0 ? ListenAddress.UNNAMED : value.substring(equals + 1);
    String place = equals < 0 ? value : value.substring(0, equals);
    try {
      if (place.startsWith("tcp:")) {
        return tcp(line, value, place.substring("tcp:".length()), name);
      }
      if (place.startsWith("unix:")) {
        return unix(line, value, place.substring("unix:".length()), name);
      }
    } catch (IllegalArgumentException wrong) {
      throw line.usage(
          "--listen wants a name of 1 to 255 ASCII characters without a colon after =, not \""
              + Text.readable(name)
              + "\"");
    }
    throw line.usage(WANTED + Text.readable(value) + "\"");
  }

  private static ListenAddress tcp(CommandLine line, String value, String place, String name) {
    int colon = place.lastIndexOf(':');
    int port = port(line, value, place.substring(colon + 1));
    if (colon < 0) {
      return ListenAddress.tcp(port, name);
    }
    return ListenAddress.tcp(host(line, value, place.substring(0, colon)), port, name);
  }

  private static int port(CommandLine line, String value, String text) {
    int port = CommandLine.digits(text, 5);
    if (port < 1 || port > 65535) {
      throw line.usage(
          "--listen wants a port from 1 to 65535, not \""
              + Text.readable(text)
              + "\" in "
              + Text.readable(value));
    }
    return port;
  }

  private static InetAddress host(CommandLine line, String value, String text) {
    boolean bracketed = text.startsWith("[") && text.endsWith("]");
    try {
      if (bracketed) {
        return Inet6Address.ofLiteral(text.substring(1, text.length() - 1));
      }
      // A literal of fewer parts would be read as another address than most people mean.
      if (text.chars().filter(c -> c == '.').count() == 3) {
        return Inet4Address.ofLiteral(text);
      }
    } catch (IllegalArgumentException wrong) {
      // Refused below.
    }
    throw line.usage(
        "--listen wants an IPv4 address, or an IPv6 address in brackets, as HOST, not \""
            + Text.readable(text)
            + "\" in "
            + Text.readable(value));
  }

  private static ListenAddress unix(CommandLine line, String value, String path, String name) {
    if (!path.startsWith("/") || path.endsWith("/")) {
      throw line.usage(
          "--listen wants the absolute path of a socket, not \""
              + Text.readable(path)
              + "\" in "
              + Text.readable(value));
    }
    if (path.length() > ListenAddress.MAX_PATH) {
      throw line.usage(
          "--listen: a socket's path has at most "
              + ListenAddress.MAX_PATH
              + " bytes: "
              + Text.readable(path));
    }
    return ListenAddress.unix(Text.path(path), name);
  }
}
