package dev.daimon.readiness;

import dev.daimon.posix.NativePath;
import dev.daimon.posix.VisibleText;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An address that a daemon is to listen at, and the name by which it finds the socket ({@code
 * LISTEN_FDNAMES}).
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sd_listen_fds.3.html">sd_listen_fds(3)</a>
 */
public final class ListenAddress {
  /** The name of a socket that was given none; also what receivers assume then. */
  public static final String UNNAMED = ListenDescriptors.UNNAMED;

  /** The most characters of a name. */
  public static final int MAX_NAME = 255;

  /** The most bytes of a Unix socket's path. */
  public static final int MAX_PATH = 107;

  private final String name;
  private final @Nullable Path path;
  private final @Nullable InetAddress host;
  private final int port;

  private ListenAddress(String name, @Nullable Path path, @Nullable InetAddress host, int port) {
    this.name = requireName(name);
    this.path = path;
    this.host = host;
    this.port = port;
  }

  /**
   * A TCP port on all addresses of this machine: IPv6 and IPv4, or IPv4 alone where there is no
   * IPv6.
   *
   * @param port the port, from 1 to 65535
   * @param name the socket's name
   * @return the address
   * @throws IllegalArgumentException if the port or the name is none
   */
  public static ListenAddress tcp(int port, String name) {
    Objects.requireNonNull(name, "name");
    return new ListenAddress(name, null, null, requirePort(port));
  }

  /**
   * A TCP port on one address of this machine.
   *
   * @param host the address; {@code ::} stands for all IPv6 addresses alone
   * @param port the port, from 1 to 65535
   * @param name the socket's name
   * @return the address
   * @throws IllegalArgumentException if the port or the name is none
   */
  public static ListenAddress tcp(InetAddress host, int port, String name) {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(name, "name");
    return new ListenAddress(name, null, host, requirePort(port));
  }

  /**
   * A stream socket with a path.
   *
   * @param path the absolute path, at most {@link #MAX_PATH} bytes long
   * @param name the socket's name
   * @return the address
   * @throws IllegalArgumentException if the path is not absolute or too long, or the name is none
   */
  public static ListenAddress unix(Path path, String name) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(name, "name");
    if (!path.isAbsolute()) {
      throw new IllegalArgumentException(
          "not an absolute path: " + VisibleText.line(path.toString()));
    }
    int length = NativePath.bytes(path).length;
    if (length > MAX_PATH) {
      throw new IllegalArgumentException("a path of " + length + " bytes; " + MAX_PATH + " fit");
    }
    return new ListenAddress(name, path, null, 0);
  }

  private static int requirePort(int port) {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("not a port from 1 to 65535: " + port);
    }
    return port;
  }

  private static String requireName(String name) {
    Objects.requireNonNull(name, "name");
    boolean valid = !name.isEmpty() && name.length() <= MAX_NAME;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      valid &= c >= ' ' && c < 127 && c != ':';
    }
    if (!valid) {
      throw new IllegalArgumentException("not a name of 1 to 255 ASCII characters without a colon");
    }
    return name;
  }

  /** {@return the socket's name, which need not be unique} */
  public String name() {
    return name;
  }

  /** {@return the path of a Unix socket; null for a TCP port} */
  public @Nullable Path path() {
    return path;
  }

  /** {@return the IP address; null for all, and for a Unix socket} */
  public @Nullable InetAddress host() {
    return host;
  }

  /** {@return the port; 0 for a Unix socket} */
  public int port() {
    return port;
  }

  /** The index of the interface that a link-local address is of; 0 for none. */
  int scope() {
    return host instanceof Inet6Address six ? six.getScopeId() : 0;
  }

  /** {@return the address as {@code --listen} takes it, without the name} */
  @Override
  public String toString() {
    if (path != null) {
      return "unix:" + path;
    }
    if (host == null) {
      return "tcp:" + port;
    }
    String text = host.getHostAddress();
    return host instanceof Inet6Address ? "tcp:[" + text + "]:" + port : "tcp:" + text + ":" + port;
  }
}
