package dev.daimon.cli;

import dev.daimon.control.ReadyCondition;
import dev.daimon.readiness.ListenAddress;
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
    List<String> values = line.values(CommandOption.LISTEN);
    List<ListenAddress> addresses = new ArrayList<>();
    for (String value : values) {
      ListenAddress address = address(line, value);
      for (int i = 0; i < addresses.size(); i++) {
        if (addresses.get(i).toString().equals(address.toString())) {
          throw line.usage("--listen names the same address twice: " + Text.readable(value));
        }
        if (overlap(addresses.get(i), address)) {
          throw line.usage(
              "--listen: "
                  + Text.readable(values.get(i))
                  + " and "
                  + Text.readable(value)
                  + " overlap");
        }
      }
      addresses.add(address);
    }
    return addresses;
  }

  /** Whether two addresses have a port in common, which only one of them can be bound to. */
  private static boolean overlap(ListenAddress one, ListenAddress two) {
    if (one.path() != null || two.path() != null || one.port() != two.port()) {
      return false;
    }
    InetAddress first = one.host();
    InetAddress second = two.host();
    if (first == null || second == null) {
      // All addresses, of both families.
      return true;
    }
    return first.getClass() == second.getClass()
        && (first.isAnyLocalAddress() || second.isAnyLocalAddress());
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
    int port = TcpPlace.port(place);
    if (port < 0) {
      throw line.usage(
          "--listen wants a port from 1 to "
              + ReadyCondition.LAST_PORT
              + ", not \""
              + Text.readable(place.substring(place.lastIndexOf(':') + 1))
              + "\" in "
              + Text.readable(value));
    }
    String host = TcpPlace.host(place);
    if (host == null) {
      return ListenAddress.tcp(port, name);
    }
    InetAddress address = TcpPlace.address(host);
    if (address == null) {
      throw line.usage(
          "--listen wants an IPv4 address, or an IPv6 address in brackets, as HOST, not \""
              + Text.readable(host)
              + "\" in "
              + Text.readable(value));
    }
    return ListenAddress.tcp(address, port, name);
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
