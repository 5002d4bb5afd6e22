package dev.daimon.readiness;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcFiles;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Sockets;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A listening socket that a launcher opens for a program: the other side of {@link
 * ListenDescriptors}. It is marked close-on-exec.
 *
 * <p>Everybody may connect to a Unix socket (mode 0666), as to one that systemd makes. While one is
 * bound, the process has another umask: files that other threads make then are not executable, but
 * may be writable by all. Two sockets are not bound at the same time.
 */
public final class ListenSocket implements AutoCloseable {
  /** The longest queue of connections that nobody has accepted; the kernel may allow less. */
  private static final int BACKLOG = 4096;

  /** Enough for every address: the longest is that of a Unix socket. */
  private static final int ADDRESS_BYTES = 128;

  /** The umask that leaves a new socket's mode at 0666. */
  private static final int UMASK = 0111;

  private static final int STREAM = Sockets.SOCK_STREAM | Sockets.SOCK_CLOEXEC;

  /** The flags of a listening socket in {@code /proc/net/unix}. */
  private static final String LISTENS = "00010000";

  /** How many fields a line of {@code /proc/net/unix} has. */
  private static final int FIELDS = 8;

  private static final byte[] ANY_IPV4 = new byte[4];
  private static final byte[] ANY_IPV6 = new byte[16];

  private final ListenAddress address;
  private final Descriptor descriptor;

  /** The file of a Unix socket, which the descriptor does not lead to; null for a port. */
  private final @Nullable FileStatus file;

  private ListenSocket(ListenAddress address, Descriptor descriptor, @Nullable FileStatus file) {
    this.address = address;
    this.descriptor = descriptor;
    this.file = file;
  }

  /**
   * Binds a socket and lets it listen.
   *
   * <p>A socket file that is there already is replaced, if nobody listens on it and the caller may
   * replace it. Race: between the check and the removal, another process could bind the path, and
   * would lose its file. So the caller must hold a lock that keeps other starts of this daemon
   * away. Nobody else may be able to change a directory on the way to the path. Everything else at
   * the path is left as it is.
   *
   * @param address where to listen
   * @param owner the user id that such a file may have besides root's, where root replaces it
   * @param mayReplace whether the caller holds such a lock
   * @return the socket, to be closed by the caller
   * @throws PosixException {@code EADDRINUSE} for a port that is taken, {@code EADDRNOTAVAIL} for
   *     an address of another machine, {@code EACCES} for a port or a directory that the caller may
   *     not use, and all others of bind(2)
   * @throws IOException if something is at the path that is not replaced
   * @see <a href="https://man7.org/linux/man-pages/man2/bind.2.html">bind(2)</a>
   */
  public static ListenSocket open(ListenAddress address, long owner, boolean mayReplace)
      throws IOException {
    Objects.requireNonNull(address, "address");
    ListenSocket socket = bind(address, owner, mayReplace);
    try {
      PosixException.check(Sockets.listen(socket.descriptor.number(), BACKLOG), "listen", address);
      return socket;
    } catch (PosixException failure) {
      try (socket) {
        socket.removeFile();
      } catch (PosixException second) {
        failure.addSuppressed(second);
      }
      throw failure;
    }
  }

  /**
   * Tells whether a descriptor is a stream socket that listens at an address, as {@link #open}
   * would make it: for the same families, and with a path that still leads to a socket and that no
   * other process listens at.
   *
   * @param address the address
   * @param descriptor an open descriptor
   * @return whether it is
   */
  public static boolean listensAt(ListenAddress address, Descriptor descriptor) {
    Objects.requireNonNull(address, "address");
    int number = Objects.requireNonNull(descriptor, "descriptor").number();
    int[] listens = new int[1];
    byte[] bytes = new byte[ADDRESS_BYTES];
    if (Sockets.getsockopt(number, Sockets.SOL_SOCKET, Sockets.SO_ACCEPTCONN, listens) < 0
        || listens[0] == 0
        || option(number, Sockets.SOL_SOCKET, Sockets.SO_TYPE) != Sockets.SOCK_STREAM) {
      return false;
    }
    int length = Sockets.getsockname(number, bytes);
    if (length < 0) {
      return false;
    }
    byte[] own = Arrays.copyOf(bytes, Math.min(length, bytes.length));
    Path path = address.path();
    int family = Sockets.family(own);
    if (path != null) {
      return family == Sockets.AF_UNIX
          && Arrays.equals(Sockets.unixPath(own), NativePath.bytes(path))
          && isReachable(number, NativePath.bytes(path));
    }
    if ((family != Sockets.AF_INET && family != Sockets.AF_INET6)
        || Sockets.port(own) != address.port()) {
      return false;
    }
    byte[] host = Sockets.host(own);
    InetAddress wanted = address.host();
    if (!Arrays.equals(host, wanted == null ? new byte[host.length] : wanted.getAddress())) {
      return false;
    }
    if (family == Sockets.AF_INET6) {
      int alone = option(number, Sockets.IPPROTO_IPV6, Sockets.IPV6_V6ONLY);
      return !Arrays.equals(host, ANY_IPV6) || alone == (wanted == null ? 0 : 1);
    }
    return wanted != null || !hasIpv6();
  }

  /** Returns an option, or -1. */
  private static int option(int number, int level, int option) {
    int[] value = new int[1];
    return Sockets.getsockopt(number, level, option, value) < 0 ? -1 : value[0];
  }

  /** Whether a port without a host is one of IPv6, too. */
  private static boolean hasIpv6() {
    int socket = Sockets.socket(Sockets.AF_INET6, STREAM, 0);
    if (socket < 0) {
      return socket != -Errno.EAFNOSUPPORT.number();
    }
    int result = Sockets.bind(socket, Sockets.inetAddress(ANY_IPV6, 0, 0));
    int _ = Files.close(socket);
    return result != -Errno.EADDRNOTAVAIL.number();
  }

  /** Whether the path leads to a socket, and no socket but this one listens with that path. */
  private static boolean isReachable(int number, byte[] path) {
    FileStatus own = new FileStatus();
    FileStatus there = new FileStatus();
    if (Files.fstat(number, own) < 0 || Files.lstat(path, there) < 0 || !there.isSocket()) {
      return false;
    }
    String end = " " + new String(path, StandardCharsets.ISO_8859_1);
    String inode = Long.toUnsignedString(own.inode());
    try (ProcFiles.Lines list = new ProcFiles.Lines("/proc/thread-self/net/unix")) {
      String lines;
      while ((lines = list.next()) != null) {
        for (String line : lines.split("\n", -1)) {
          if (line.endsWith(end)) {
            // Number, references, protocol, flags, type, state, inode, path.
            String[] fields = line.trim().split(" +", FIELDS);
            // A socket's name may have line feeds, so that a part of it looks like a line. Of a
            // whole
            // one nobody can tell that: then this says no, and nothing is taken from its owner.
            if (fields.length == FIELDS && fields[3].equals(LISTENS) && !fields[6].equals(inode)) {
              return false;
            }
          }
        }
      }
      return true;
    } catch (PosixException unreadable) {
      return false;
    }
  }

  private static ListenSocket bind(ListenAddress address, long owner, boolean mayReplace)
      throws IOException {
    Path path = address.path();
    return path == null
        ? new ListenSocket(address, bindPort(address), null)
        : bindPath(address, path, owner, mayReplace);
  }

  /**
   * Checks that a port can be bound, by binding it for a moment without listening.
   *
   * @param address where to listen; a Unix socket is not checked
   * @throws PosixException as {@link #open}
   */
  public static void checkPort(ListenAddress address) throws PosixException {
    Objects.requireNonNull(address, "address");
    if (address.path() == null) {
      bindPort(address).close();
    }
  }

  private static Descriptor bindPort(ListenAddress address) throws PosixException {
    InetAddress host = address.host();
    if (host != null) {
      return bindPort(address, host.getAddress(), /* oneFamily= */ true);
    }
    try {
      return bindPort(address, ANY_IPV6, /* oneFamily= */ false);
    } catch (PosixException failure) {
      // Without IPv6, by the kernel's configuration or the administrator's.
      if (failure.errno().equals(Errno.EAFNOSUPPORT)
          || failure.errno().equals(Errno.EADDRNOTAVAIL)) {
        return bindPort(address, ANY_IPV4, /* oneFamily= */ true);
      }
      throw failure;
    }
  }

  private static Descriptor bindPort(ListenAddress address, byte[] host, boolean oneFamily)
      throws PosixException {
    boolean six = host.length == ANY_IPV6.length;
    Descriptor socket = socket(six ? Sockets.AF_INET6 : Sockets.AF_INET, STREAM, address);
    try {
      set(socket, Sockets.SOL_SOCKET, Sockets.SO_REUSEADDR, 1, address);
      if (six) {
        set(socket, Sockets.IPPROTO_IPV6, Sockets.IPV6_V6ONLY, oneFamily ? 1 : 0, address);
      }
      byte[] bytes = Sockets.inetAddress(host, address.port(), address.scope());
      PosixException.check(Sockets.bind(socket.number(), bytes), "bind", address);
      return socket;
    } catch (PosixException failure) {
      Cleanup.close(socket, failure);
      throw failure;
    }
  }

  private static Descriptor socket(int family, int type, Object subject) throws PosixException {
    return Descriptor.adopt(
        PosixException.check(Sockets.socket(family, type, 0), "socket", subject));
  }

  private static void set(Descriptor socket, int level, int option, int value, Object subject)
      throws PosixException {
    PosixException.check(
        Sockets.setsockopt(socket.number(), level, option, value), "setsockopt", subject);
  }

  private static ListenSocket bindPath(
      ListenAddress address, Path path, long owner, boolean mayReplace) throws IOException {
    byte[] bytes = NativePath.bytes(path);
    Descriptor socket = socket(Sockets.AF_UNIX, STREAM, path);
    try {
      int result = bindPath(socket, bytes);
      if (result == -Errno.EADDRINUSE.number()) {
        removeStale(path, bytes, owner, mayReplace);
        result = bindPath(socket, bytes);
      }
      PosixException.check(result, "bind", path);
      FileStatus file = new FileStatus();
      PosixException.check(Files.lstat(bytes, file), "lstat", path);
      if (!file.isSocket() || file.uid() != Credentials.fsuid()) {
        throw new IOException(path + " was exchanged while it was bound");
      }
      return new ListenSocket(address, socket, file);
    } catch (IOException failure) {
      Cleanup.close(socket, failure);
      throw failure;
    }
  }

  /** One at a time: two could exchange each other's umask. */
  private static synchronized int bindPath(Descriptor socket, byte[] path) {
    int umask = Processes.umask(UMASK);
    try {
      return Sockets.bind(socket.number(), Sockets.unixAddress(path));
    } finally {
      Processes.umask(umask);
    }
  }

  /** Removes a socket file that nobody listens on; throws for everything else. */
  private static void removeStale(Path path, byte[] bytes, long owner, boolean mayReplace)
      throws IOException {
    FileStatus there = new FileStatus();
    if (isMissing(Files.lstat(bytes, there), path)) {
      return;
    }
    requireReplaceable(path, bytes, there, owner, mayReplace);
    FileStatus now = new FileStatus();
    if (!isMissing(Files.lstat(bytes, now), path) && now.isSameFile(there)) {
      PosixException.check(Files.unlink(bytes), "unlink", path);
    }
  }

  /**
   * Checks what is at the path of a Unix socket: nothing, or a socket file that {@link #open} would
   * replace.
   *
   * @param path the path
   * @param owner as for {@link #open}
   * @param mayReplace as for {@link #open}
   * @throws IOException if it is anything else
   */
  public static void requireReplaceable(Path path, long owner, boolean mayReplace)
      throws IOException {
    Objects.requireNonNull(path, "path");
    byte[] bytes = NativePath.bytes(path);
    FileStatus there = new FileStatus();
    if (!isMissing(Files.lstat(bytes, there), path)) {
      requireReplaceable(path, bytes, there, owner, mayReplace);
    }
  }

  private static boolean isMissing(int result, Path path) throws PosixException {
    if (result == -Errno.ENOENT.number()) {
      return true;
    }
    PosixException.check(result, "lstat", path);
    return false;
  }

  private static void requireReplaceable(
      Path path, byte[] bytes, FileStatus there, long owner, boolean mayReplace)
      throws IOException {
    if (!there.isSocket()) {
      throw new IOException(path + " is there and is not a socket; it is left as it is");
    }
    long user = Integer.toUnsignedLong(there.uid());
    if (Credentials.fsuid() == 0 && user != 0 && user != owner) {
      throw new IOException(path + " belongs to user " + user + ": remove it");
    }
    try (Descriptor probe = socket(Sockets.AF_UNIX, STREAM | Sockets.SOCK_NONBLOCK, path)) {
      int result = Sockets.connect(probe.number(), Sockets.unixAddress(bytes));
      if (result == -Errno.EACCES.number()) {
        throw new PosixException("connect", path.toString(), Errno.EACCES);
      }
      if (result != -Errno.ECONNREFUSED.number() && result != -Errno.ENOENT.number()) {
        throw new IOException(path + ": another process has this socket; it is left as it is");
      }
    }
    if (!mayReplace) {
      throw new IOException(
          path
              + " is a socket that nobody listens on; it is replaced only under a pidfile's lock:"
              + " remove it, or name a pidfile");
    }
  }

  /** {@return where it listens} */
  public ListenAddress address() {
    return address;
  }

  /** {@return the open socket, which this object owns} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /**
   * Removes the file of a Unix socket, if the path still leads to it. Call this before {@link
   * #close}: as long as the socket is open, no other file can get its inode.
   *
   * @throws PosixException if it cannot be removed
   */
  public void removeFile() throws PosixException {
    Path path = address.path();
    if (path == null || file == null) {
      return;
    }
    byte[] bytes = NativePath.bytes(path);
    FileStatus now = new FileStatus();
    if (Files.lstat(bytes, now) == 0 && now.isSameFile(file)) {
      PosixException.check(Files.unlink(bytes), "unlink", path);
    }
  }

  /** Closes the socket here; its file stays, and so does the socket where it is inherited. */
  @Override
  public void close() throws PosixException {
    descriptor.close();
  }
}
