package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Calls on sockets: {@code sys/socket.h}, {@code sys/un.h}, {@code netinet/in.h}. An address is the
 * bytes of its C structure.
 */
public final class Sockets {
  /** Address family: sockets of this machine, with paths or abstract names. */
  public static final int AF_UNIX = 1;

  /** Address family: IPv4. */
  public static final int AF_INET = 2;

  /** Address family: IPv6. */
  public static final int AF_INET6 = 10;

  /** A stream of bytes. */
  public static final int SOCK_STREAM = 1;

  /** Datagrams. */
  public static final int SOCK_DGRAM = 2;

  /** Datagrams that arrive in order, each whole. */
  public static final int SOCK_SEQPACKET = 5;

  /** Do not wait; with the type of a new socket. */
  public static final int SOCK_NONBLOCK = 04000;

  /** Close on exec; with the type of a new socket. */
  public static final int SOCK_CLOEXEC = 02000000;

  /** Level of the options that every socket has. */
  public static final int SOL_SOCKET = 1;

  /** Bind although connections of an earlier socket with this address are still known. */
  public static final int SO_REUSEADDR = 2;

  /** The socket's type. */
  public static final int SO_TYPE = 3;

  /** Whether the socket listens. */
  public static final int SO_ACCEPTCONN = 30;

  /** The socket's address family. */
  public static final int SO_DOMAIN = 39;

  /** Level of the options of an IPv6 socket. */
  public static final int IPPROTO_IPV6 = 41;

  /** Whether an IPv6 socket leaves IPv4 to others. */
  public static final int IPV6_V6ONLY = 26;

  /** Receive the sender's credentials with each message. */
  public static final int SO_PASSCRED = 16;

  /** Receive the sender's pidfd with each message; needs Linux 6.5. */
  public static final int SO_PASSPIDFD = 76;

  /** {@code shutdown}: nothing is received any more, but what is queued. */
  public static final int SHUT_RD = 0;

  /** The longest path or abstract name, in bytes, with the NUL that ends or begins it. */
  public static final int UNIX_PATH_MAX = 108;

  // int socket(int domain, int type, int protocol);
  private static final long SOCKET = Libc.address("socket");
  // int bind(int fd, const struct sockaddr *addr, socklen_t len);
  private static final long BIND = Libc.address("bind");
  // int listen(int fd, int n);
  private static final long LISTEN = Libc.address("listen");
  // int connect(int fd, const struct sockaddr *addr, socklen_t len);
  private static final long CONNECT = Libc.address("connect");
  // int shutdown(int fd, int how);
  private static final long SHUTDOWN = Libc.address("shutdown");
  // int getsockname(int fd, struct sockaddr *addr, socklen_t *len);
  private static final long GETSOCKNAME = Libc.address("getsockname");
  // int getsockopt(int fd, int level, int optname, void *optval, socklen_t *optlen);
  private static final long GETSOCKOPT = Libc.address("getsockopt");
  // int setsockopt(int fd, int level, int optname, const void *optval, socklen_t optlen);
  private static final long SETSOCKOPT = Libc.address("setsockopt");

  private Sockets() {}

  /**
   * Returns the address of a Unix socket.
   *
   * @param path a path, or an abstract name with a NUL byte before it, shorter than {@link
   *     #UNIX_PATH_MAX}
   */
  public static byte[] unixAddress(byte[] path) {
    boolean named = path.length > 0 && path[0] == 0;
    // A path has a NUL after it; all bytes of an abstract name count.
    byte[] address = new byte[Layouts.sockaddr_un.sun_path + path.length + (named ? 0 : 1)];
    ByteBuffer view = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
    view.putShort(Layouts.sockaddr_un.sun_family, (short) AF_UNIX);
    path(view, Layouts.sockaddr_un.sun_path, path);
    return address;
  }

  /**
   * Returns the address of an Internet socket.
   *
   * @param host the IP address, 4 or 16 bytes
   * @param port the port, from 0 to 65535
   * @param scope the index of an interface, for a link-local IPv6 address; 0 for none
   */
  public static byte[] inetAddress(byte[] host, int port, int scope) {
    boolean four = host.length == Integer.BYTES;
    byte[] address = new byte[four ? Layouts.sockaddr_in.SIZE : Layouts.sockaddr_in6.SIZE];
    ByteBuffer view = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
    // In network byte order, which is that of a new buffer.
    ByteBuffer wire = ByteBuffer.wrap(address);
    if (four) {
      view.putShort(Layouts.sockaddr_in.sin_family, (short) AF_INET);
      wire.putShort(Layouts.sockaddr_in.sin_port, (short) port);
      inet4(wire, Layouts.sockaddr_in.sin_addr, host);
    } else {
      view.putShort(Layouts.sockaddr_in6.sin6_family, (short) AF_INET6);
      wire.putShort(Layouts.sockaddr_in6.sin6_port, (short) port);
      inet6(wire, Layouts.sockaddr_in6.sin6_addr, host);
      view.putInt(Layouts.sockaddr_in6.sin6_scope_id, scope);
    }
    return address;
  }

  private static void inet4(ByteBuffer address, int at, byte[] host) {
    address.put(at, host);
  }

  private static void inet6(ByteBuffer address, int at, byte[] host) {
    address.put(at, host);
  }

  /** The address family of an address. */
  public static int family(byte[] address) {
    ByteBuffer view = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
    return view.getShort(Layouts.sockaddr_un.sun_family);
  }

  /** The path or abstract name of a Unix socket's address, as {@link #unixAddress} takes it. */
  public static byte[] unixPath(byte[] address) {
    int start = Math.min(Layouts.sockaddr_un.sun_path, address.length);
    int end = address.length;
    boolean named = end > start && address[start] == 0;
    while (!named && end > start && address[end - 1] == 0) {
      end--;
    }
    return Arrays.copyOfRange(address, start, end);
  }

  /** The port of an Internet address. */
  public static int port(byte[] address) {
    ByteBuffer view = ByteBuffer.wrap(address);
    return Short.toUnsignedInt(view.getShort(Layouts.sockaddr_in.sin_port));
  }

  /** The IP address of an Internet address. */
  public static byte[] host(byte[] address) {
    boolean four = family(address) == AF_INET;
    int at = four ? Layouts.sockaddr_in.sin_addr : Layouts.sockaddr_in6.sin6_addr;
    return Arrays.copyOfRange(address, at, at + (four ? 4 : 16));
  }

  private static void path(ByteBuffer address, int at, byte[] path) {
    address.put(at, path);
  }

  /** Makes a socket. */
  public static int socket(int domain, int type, int protocol) {
    return Libc.call(SOCKET, domain, type, protocol);
  }

  /** Gives a socket its address. */
  public static int bind(int fd, byte[] address) {
    return withAddress(BIND, fd, address);
  }

  /** Lets a socket listen, with a queue of at most this length. */
  public static int listen(int fd, int backlog) {
    return Libc.call(LISTEN, fd, backlog);
  }

  /** Ends a direction of a socket, for all who have it open: what comes later is refused. */
  public static int shutdown(int fd, int how) {
    return Libc.call(SHUTDOWN, fd, how);
  }

  /** Connects a socket; for datagrams, sets where they go. */
  public static int connect(int fd, byte[] address) {
    return withAddress(CONNECT, fd, address);
  }

  private static int withAddress(long function, int fd, byte[] address) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(address.length, Long.BYTES);
      Native.view(memory).put(address);
      return Libc.call(function, fd, memory.address(), address.length);
    }
  }

  /**
   * Stores the address of a socket, and returns its length, which is larger than the array if the
   * address does not fit.
   */
  public static int getsockname(int fd, byte[] address) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(address.length, Long.BYTES);
      MemorySegment length = arena.allocate(JAVA_INT);
      Native.view(length).putInt(0, address.length);
      int result = Libc.call(GETSOCKNAME, fd, memory.address(), length.address());
      if (result < 0) {
        return result;
      }
      Native.view(memory).get(address);
      return Native.view(length).getInt(0);
    }
  }

  /** Stores an option that is a number as the only element. */
  public static int getsockopt(int fd, int level, int option, int[] value) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(JAVA_INT);
      MemorySegment length = arena.allocate(JAVA_INT);
      Native.view(length).putInt(0, Integer.BYTES);
      int result = Libc.call(GETSOCKOPT, fd, level, option, memory.address(), length.address(), 0);
      value[0] = Native.view(memory).getInt(0);
      return result;
    }
  }

  /** Sets an option that is a number. */
  public static int setsockopt(int fd, int level, int option, int value) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(JAVA_INT);
      Native.view(memory).putInt(0, value);
      return Libc.call(SETSOCKOPT, fd, level, option, memory.address(), Integer.BYTES, 0);
    }
  }
}
