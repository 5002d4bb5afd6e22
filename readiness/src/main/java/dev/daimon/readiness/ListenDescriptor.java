package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.VisibleText;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.Sockets;
import dev.daimon.posix.call.StreamNumber;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.channels.Channel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A descriptor that this process was activated with. */
public final class ListenDescriptor {
  private static final int SHOWN = 100;

  /** Enough for every address: the longest is that of a Unix socket. */
  private static final int ADDRESS_BYTES = 128;

  /** What a descriptor is. */
  public enum Kind {
    /** A stream socket that listens, such as one of TCP: {@code accept} it. */
    LISTENER("listener"),

    /**
     * A stream socket that does not listen, mostly one with a connection: one process for each
     * connection.
     */
    CONNECTION("connection"),

    /** A datagram socket. */
    DATAGRAMS("datagrams"),

    /** A socket of another type. */
    OTHER_SOCKET("socket"),

    /** No socket: a FIFO, a device or a file. */
    NO_SOCKET("no socket");

    private final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  /** The descriptor that {@link System#inheritedChannel} has been given, or null. */
  private static @Nullable ListenDescriptor given;

  private final int number;
  private final String name;
  private final Kind kind;
  private final String address;

  private ListenDescriptor(int number, String name, Kind kind, String address) {
    this.number = number;
    this.name = name;
    this.kind = kind;
    this.address = address;
  }

  /** Examines an open descriptor. */
  static ListenDescriptor of(int number, String name) throws IOException {
    int[] value = new int[1];
    int result = Sockets.getsockopt(number, Sockets.SOL_SOCKET, Sockets.SO_TYPE, value);
    if (result == -Errno.ENOTSOCK.number()) {
      return new ListenDescriptor(number, name, Kind.NO_SOCKET, target(number));
    }
    PosixException.check(result, "getsockopt SO_TYPE", number);
    int type = value[0];
    PosixException.check(
        Sockets.getsockopt(number, Sockets.SOL_SOCKET, Sockets.SO_ACCEPTCONN, value),
        "getsockopt SO_ACCEPTCONN",
        number);
    Kind kind =
        switch (type) {
          case Sockets.SOCK_STREAM -> value[0] == 1 ? Kind.LISTENER : Kind.CONNECTION;
          case Sockets.SOCK_DGRAM -> Kind.DATAGRAMS;
          default -> Kind.OTHER_SOCKET;
        };
    return new ListenDescriptor(number, name, kind, address(number, type));
  }

  /** What a descriptor leads to, such as a path. */
  private static String target(int number) throws PosixException {
    byte[] buffer = new byte[4096];
    byte[] link = ("/proc/self/fd/" + number).getBytes(StandardCharsets.US_ASCII);
    int length = PosixException.check(Files.readlink(link, buffer), "readlink", number);
    return text(buffer, 0, length);
  }

  private static String address(int number, int type) throws IOException {
    byte[] bytes = new byte[ADDRESS_BYTES];
    int length = PosixException.check(Sockets.getsockname(number, bytes), "getsockname", number);
    int family = Sockets.family(bytes);
    if (family == Sockets.AF_UNIX) {
      return "unix:" + unixPath(bytes, length);
    }
    if (family != Sockets.AF_INET && family != Sockets.AF_INET6) {
      return "family " + family;
    }
    String protocol =
        type == Sockets.SOCK_DGRAM ? "udp:" : type == Sockets.SOCK_STREAM ? "tcp:" : "";
    InetAddress host = InetAddress.getByAddress(Sockets.host(bytes));
    String words =
        family == Sockets.AF_INET6 ? "[" + host.getHostAddress() + "]" : host.getHostAddress();
    return protocol + words + ":" + Sockets.port(bytes);
  }

  /** A path, an abstract name with an at sign before it, or nothing. */
  private static String unixPath(byte[] address, int length) {
    byte[] path = Sockets.unixPath(Arrays.copyOf(address, length));
    if (path.length > 0 && path[0] == 0) {
      return "@" + text(path, 1, path.length);
    }
    return text(path, 0, path.length);
  }

  private static String text(byte[] bytes, int from, int to) {
    return VisibleText.line(new String(bytes, from, to - from, StandardCharsets.UTF_8));
  }

  /** {@return its number, from 3 up: what Netty's native transports take} */
  public int number() {
    return number;
  }

  /** {@return its name, which need not be unique} */
  public String name() {
    return name;
  }

  /** {@return what it is} */
  public Kind kind() {
    return kind;
  }

  /**
   * {@return where it is, in words: {@code tcp:127.0.0.1:80}, {@code udp:[0:0:0:0:0:0:0:1]:53},
   * {@code unix:/run/x}, {@code unix:@abstract}, or the path of what is no socket}
   */
  public String address() {
    return address;
  }

  /**
   * Makes this socket the {@link System#inheritedChannel} of this JVM, which is the only channel
   * that the JDK makes of a descriptor by its documented API. From then on that method returns it,
   * so that servers with a setting for an inherited channel use it: {@code
   * ServerConnector.setInheritChannel(true)} of Jetty, {@code useInheritedChannel} of Tomcat.
   *
   * <p>The JDK takes descriptor 0. So the socket is put there for the moment of the call, and
   * standard input is put back then. Another thread that reads standard input in that moment reads
   * from the socket. Afterwards the channel has a descriptor of its own, and {@link #number()} is
   * the null device: the environment still names it.
   *
   * <p>What the JDK does not allow:
   *
   * <ul>
   *   <li>A second channel: the JDK decides once for each JVM.
   *   <li>A channel at all, if anybody has called {@link System#inheritedChannel} before.
   *   <li>Keeping the streams: when the channel is closed, the JDK makes standard input, output and
   *       error the null device. Close it last of all.
   *   <li>Other types than a TCP or Unix stream socket and a UDP socket, such as one of {@code
   *       AF_VSOCK}.
   * </ul>
   *
   * <p>The channel's descriptor is not close-on-exec. {@link ProcessBuilder} closes it in its
   * children all the same, and so does {@code Program} of Daimon.
   *
   * @return a {@code ServerSocketChannel} for a {@link Kind#LISTENER}, a {@code SocketChannel} for
   *     a {@link Kind#CONNECTION}, a {@code DatagramChannel} for {@link Kind#DATAGRAMS}; the same
   *     one for each call
   * @throws IllegalStateException if another descriptor is the inherited channel, or the JDK has
   *     decided before that there is none, or that it is standard input; this one stays open
   * @throws UnsupportedOperationException if the JDK makes no channel of this kind
   * @throws IOException if it fails; {@code EBADF} if a standard stream was closed when this JVM
   *     was started, since its number is a file of the JVM's own then
   */
  public Channel toInheritedChannel() throws IOException {
    synchronized (ListenDescriptor.class) {
      if (given == this) {
        return inheritedChannel();
      }
      if (given != null) {
        throw new IllegalStateException(
            "the JDK makes one channel of a descriptor, and " + given + " is it");
      }
      if (!hasChannel()) {
        throw new UnsupportedOperationException("the JDK makes no channel of " + this);
      }
      requireStreams();
      try (Descriptor device = NullDevice.open()) {
        int before = copies();
        Channel channel = throughStandardInput();
        if (copies() <= before) {
          throw new IllegalStateException(
              "somebody has called System.inheritedChannel() before, and it is another socket");
        }
        given = this;
        PosixException.check(Files.dup2(device.number(), number), "dup2", number);
        PosixException.check(
            Files.fcntl(number, Files.F_SETFD, Files.FD_CLOEXEC), "fcntl F_SETFD", number);
        return channel;
      }
    }
  }

  /**
   * The JDK replaces all three: standard input now, and each of them when the channel is closed.
   */
  private void requireStreams() throws PosixException {
    for (int stream = 0; stream < ListenDescriptors.FIRST; stream++) {
      if (StreamNumber.isJvms(stream)) {
        throw new PosixException(
            "dup2",
            Integer.toString(stream),
            Errno.EBADF,
            "; this standard stream was closed when this JVM was started: give it /dev/null");
      }
    }
  }

  private boolean hasChannel() {
    return switch (kind) {
      case LISTENER, CONNECTION -> address.startsWith("tcp:") || address.startsWith("unix:");
      case DATAGRAMS -> address.startsWith("udp:");
      case OTHER_SOCKET, NO_SOCKET -> false;
    };
  }

  /** How many descriptors lead to this socket. */
  private int copies() throws PosixException {
    String own = target(number);
    int copies = 0;
    for (String name : ProcFiles.list("/proc/self/fd")) {
      byte[] buffer = new byte[4096];
      byte[] link = ("/proc/self/fd/" + name).getBytes(StandardCharsets.US_ASCII);
      int length = Files.readlink(link, buffer);
      if (length > 0 && text(buffer, 0, length).equals(own)) {
        copies++;
      }
    }
    return copies;
  }

  /** Asks the JDK for its channel while this socket is descriptor 0. */
  private Channel throughStandardInput() throws IOException {
    int before = Files.fcntl(0, Files.F_DUPFD_CLOEXEC, ListenDescriptors.FIRST);
    if (before != -Errno.EBADF.number()) {
      PosixException.check(before, "fcntl F_DUPFD_CLOEXEC", 0);
    }
    try {
      PosixException.check(Files.dup2(number, 0), "dup2", number);
      return inheritedChannel();
    } finally {
      if (before < 0) {
        Files.close(0);
      } else {
        Files.dup2(before, 0);
        Files.close(before);
      }
    }
  }

  private static Channel inheritedChannel() throws IOException {
    Channel channel = System.inheritedChannel();
    if (channel == null) {
      throw new IllegalStateException(
          "somebody has called System.inheritedChannel() before, and it has decided that there is"
              + " none");
    }
    return channel;
  }

  /** {@return name, kind, address and number} */
  @Override
  public String toString() {
    return shown(name) + ": " + kind.words + " " + address + " (descriptor " + number + ")";
  }

  /** What the environment says, as a part of a line. */
  static String shown(String text) {
    return VisibleText.line(text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "...");
  }
}
