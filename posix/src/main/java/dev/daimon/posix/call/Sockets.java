package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Calls on local sockets, and waiting for them: {@code sys/socket.h}, {@code poll.h}. */
public final class Sockets {
  /** Sockets of this machine. */
  public static final int AF_UNIX = 1;

  /** A connection that keeps messages apart. */
  public static final int SOCK_SEQPACKET = 5;

  /** Close on exec. */
  public static final int SOCK_CLOEXEC = 02000000;

  /** Options of the socket itself. */
  public static final int SOL_SOCKET = 1;

  /** The credentials of the process that made the connection. */
  public static final int SO_PEERCRED = 17;

  /** Fail with {@code EAGAIN} instead of waiting. */
  public static final int MSG_DONTWAIT = 0x40;

  /** Fail with {@code EPIPE} without a {@code SIGPIPE}. */
  public static final int MSG_NOSIGNAL = 0x4000;

  /** There is something to read, or the other end is closed. */
  public static final int POLLIN = 1;

  // int socketpair(int domain, int type, int protocol, int sv[2]);
  private static final long SOCKETPAIR = Libc.address("socketpair");
  // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
  private static final long BIND = Libc.address("bind");
  // int getpeername(int sockfd, struct sockaddr *restrict addr, socklen_t *restrict addrlen);
  private static final long GETPEERNAME = Libc.address("getpeername");
  // int getsockopt(int sockfd, int level, int optname, void *restrict optval,
  //                socklen_t *restrict optlen);
  private static final long GETSOCKOPT = Libc.address("getsockopt");
  // ssize_t send(int sockfd, const void *buf, size_t len, int flags);
  private static final long SEND = Libc.address("send");
  // ssize_t recv(int sockfd, void *buf, size_t len, int flags);
  private static final long RECV = Libc.address("recv");
  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  private static final long POLL = Libc.address("poll");

  private Sockets() {}

  /** Makes two local sockets that are connected to each other. */
  public static int socketpair(int type, int[] pair) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(JAVA_INT, 2);
      int result = Libc.call(SOCKETPAIR, AF_UNIX, type, 0, memory.address(), 0, 0);
      Native.view(memory).asIntBuffer().get(pair, 0, 2);
      return result;
    }
  }

  /** Names a local socket in the abstract namespace: no file, and gone with the socket. */
  public static int bindAbstract(int fd, byte[] name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(Layouts.sockaddr_un.SIZE, Long.BYTES);
      ByteBuffer view = Native.view(address);
      view.putShort(Layouts.sockaddr_un.sun_family, (short) AF_UNIX);
      // The first byte of the path stays NUL: that makes it abstract.
      int start = Layouts.sockaddr_un.sun_path + 1;
      view.put(start, name);
      return Libc.call(BIND, fd, address.address(), (long) start + name.length);
    }
  }

  /**
   * Reads the abstract name of the socket at the other end, and returns its length; 0 if that is no
   * local socket, or has no such name.
   */
  public static int peerName(int fd, byte[] name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(Layouts.sockaddr_un.SIZE, Long.BYTES);
      MemorySegment length = arena.allocate(JAVA_INT);
      Native.view(length).putInt(0, Layouts.sockaddr_un.SIZE);
      int result = Libc.call(GETPEERNAME, fd, address.address(), length.address());
      ByteBuffer view = Native.view(address);
      int start = Layouts.sockaddr_un.sun_path + 1;
      int count = Native.view(length).getInt(0) - start;
      if (result < 0
          || count <= 0
          || view.getShort(Layouts.sockaddr_un.sun_family) != AF_UNIX
          || view.get(start - 1) != 0) {
        return Math.min(result, 0);
      }
      count = Math.min(count, name.length);
      view.get(start, name, 0, count);
      return count;
    }
  }

  /** Reads who made the connection: process and user id into an array of two. */
  public static int peerCredentials(int fd, int[] processAndUser) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(Layouts.ucred.SIZE, Integer.BYTES);
      MemorySegment length = arena.allocate(JAVA_INT);
      Native.view(length).putInt(0, Layouts.ucred.SIZE);
      int result =
          Libc.call(GETSOCKOPT, fd, SOL_SOCKET, SO_PEERCRED, memory.address(), length.address(), 0);
      processAndUser[0] = Native.view(memory).getInt(Layouts.ucred.pid);
      processAndUser[1] = Native.view(memory).getInt(Layouts.ucred.uid);
      return result;
    }
  }

  /** Sends a message. */
  public static int send(int fd, byte[] message, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(message.length);
      Native.view(memory).put(message);
      return Libc.call(SEND, fd, memory.address(), message.length, flags, 0, 0);
    }
  }

  /** Receives a message, and returns its length; 0 means that the other end is closed. */
  public static int recv(int fd, byte[] buffer, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(buffer.length);
      int count = Libc.call(RECV, fd, memory.address(), buffer.length, flags, 0, 0);
      if (count > 0) {
        Native.view(memory).get(buffer, 0, count);
      }
      return count;
    }
  }

  /** Waits for an event of a descriptor; returns 0 when the time (in ms, -1 for ever) is over. */
  public static int poll(int fd, int events, int timeout) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(Layouts.pollfd.SIZE, Integer.BYTES);
      ByteBuffer view = Native.view(memory);
      view.putInt(Layouts.pollfd.fd, fd);
      view.putShort(Layouts.pollfd.events, (short) events);
      return Libc.call(POLL, memory.address(), 1, timeout);
    }
  }
}
