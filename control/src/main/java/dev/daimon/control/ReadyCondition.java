package dev.daimon.control;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * What shows that a program which was started as a daemon does its work. A {@link ReadyWait} waits
 * for it.
 *
 * <p>Only the daemon and its descendants can bring it about: what any other process does, such as
 * listening on the same port, does not count.
 */
public sealed interface ReadyCondition {
  /** The first descriptor behind the standard streams. */
  int FIRST_DESCRIPTOR = 3;

  /** The largest number of a port. */
  int LAST_PORT = 65_535;

  /**
   * The program is still there after a time.
   *
   * @param time how long it has to run; not negative
   */
  record Alive(Duration time) implements ReadyCondition {
    /** Requires a time that is not negative. */
    public Alive {
      Objects.requireNonNull(time, "time");
      if (time.isNegative()) {
        throw new IllegalArgumentException("a negative time: " + time);
      }
    }
  }

  /**
   * The program sends {@code READY=1} to the socket in its variable {@code NOTIFY_SOCKET}, as it
   * would to systemd.
   *
   * @param fromDescendants whether a descendant of the daemon may send it too, as with systemd's
   *     {@code NotifyAccess=all}; otherwise the daemon itself has to, as with {@code main}
   * @see <a href="https://man7.org/linux/man-pages/man3/sd_notify.3.html">sd_notify(3)</a>
   */
  record Notify(boolean fromDescendants) implements ReadyCondition {}

  /**
   * The program writes a newline to a descriptor, as under s6. If it closes the descriptor without
   * one, the start has failed.
   *
   * @param descriptor the number of the descriptor in the program, from 3 up
   */
  record Newline(int descriptor) implements ReadyCondition {
    /** Requires a number from 3 up. */
    public Newline {
      if (descriptor < FIRST_DESCRIPTOR) {
        throw new IllegalArgumentException("not a descriptor from 3 up: " + descriptor);
      }
    }
  }

  /**
   * The daemon or a descendant listens on a TCP port, in its own network namespace.
   *
   * <p>With an address, it has to listen on this address, or on the one that stands for all of its
   * kind. A listener on {@code [::]} counts for each IPv4 address, too, since nothing shows whether
   * it takes such connections.
   *
   * @param address the address; empty for any
   * @param port the port, from 1 to 65535
   */
  record Tcp(Optional<InetAddress> address, int port) implements ReadyCondition {
    /** Requires a port. */
    public Tcp {
      Objects.requireNonNull(address, "address");
      if (port < 1 || port > LAST_PORT) {
        throw new IllegalArgumentException("not a port from 1 to 65535: " + port);
      }
    }

    @Override
    public String toString() {
      if (address.isEmpty()) {
        return "port " + port;
      }
      String host = address.get().getHostAddress();
      return (address.get() instanceof Inet6Address ? "[" + host + "]" : host) + ":" + port;
    }
  }

  /**
   * The daemon or a descendant listens on a Unix socket, or has bound a datagram socket.
   *
   * @param path the absolute path of the socket, as this process sees it
   */
  record Unix(Path path) implements ReadyCondition {
    /** Requires an absolute path. */
    public Unix {
      requireAbsolute(path);
    }
  }

  /**
   * A file was made, replaced or written to since the start. It must belong to the user of the
   * daemon or of a descendant: who has written it cannot be seen afterwards. A file that an earlier
   * daemon has left does not count.
   *
   * @param path the absolute path of the file, as this process sees it
   */
  record Written(Path path) implements ReadyCondition {
    /** Requires an absolute path. */
    public Written {
      requireAbsolute(path);
    }
  }

  /**
   * A line of the program's output since its start contains a text. The output must go to regular
   * files.
   *
   * @param text the text, in the bytes of which each is one character up to 255; not empty, and
   *     without a line feed
   */
  record Line(String text) implements ReadyCondition {
    /** Requires a text that a line can contain. */
    public Line {
      Objects.requireNonNull(text, "text");
      if (text.isEmpty() || text.indexOf('\n') >= 0) {
        throw new IllegalArgumentException("not a part of a line");
      }
    }
  }

  private static void requireAbsolute(Path path) {
    Objects.requireNonNull(path, "path");
    if (!path.isAbsolute()) {
      throw new IllegalArgumentException("not an absolute path: " + path);
    }
  }
}
