package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Calls on sockets: {@code sys/socket.h}, {@code sys/un.h}. An address is the bytes of its C
 * structure.
 */
public final class Sockets {
  /** Address family: sockets of this machine, with paths or abstract names. */
  public static final int AF_UNIX = 1;

  /** A stream of bytes. */
  public static final int SOCK_STREAM = 1;

  /** Datagrams. */
  public static final int SOCK_DGRAM = 2;

  /** Do not wait; with the type of a new socket. */
  public static final int SOCK_NONBLOCK = 04000;

  /** Close on exec; with the type of a new socket. */
  public static final int SOCK_CLOEXEC = 02000000;

  /** Level of the options that every socket has. */
  public static final int SOL_SOCKET = 1;

  /** Receive the sender's credentials with each message. */
  public static final int SO_PASSCRED = 16;

  /** Receive the sender's pidfd with each message; needs Linux 6.5. */
  public static final int SO_PASSPIDFD = 76;

  /** The longest path or abstract name, in bytes, with the NUL that ends or begins it. */
  public static final int UNIX_PATH_MAX = 108;

  // int socket(int domain, int type, int protocol);
  private static final long SOCKET = Libc.address("socket");
  // int bind(int fd, const struct sockaddr *addr, socklen_t len);
  private static final long BIND = Libc.address("bind");
  // int connect(int fd, const struct sockaddr *addr, socklen_t len);
  private static final long CONNECT = Libc.address("connect");
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
