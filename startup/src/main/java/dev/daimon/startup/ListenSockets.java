package dev.daimon.startup;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.readiness.ListenSocket;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The listening sockets of a daemon that is about to start: bound before it gives up its
 * privileges, marked close-on-exec here, and handed over to it by their numbers.
 *
 * <p>A TCP port is bound by the calling thread. The file of a Unix socket is made as the daemon's
 * other files are: as the target user; as root only where that user may not and nobody but root can
 * change anything on the way. Then it stays root's.
 *
 * <p>A socket file that is there already is replaced if nobody listens on it, and only under the
 * lock of the pidfile, which keeps other starts of this daemon away. It must belong to root or to
 * the target user if root replaces it. Everything else at that path is left as it is.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class ListenSockets {
  private final FileOpener opener;
  private final long user;
  private final boolean locked;
  private final List<Descriptor> descriptors = new ArrayList<>();

  private ListenSockets(@Nullable Identity identity, boolean locked) {
    opener = new FileOpener(identity);
    user = TargetIdentity.user(identity);
    this.locked = locked;
  }

  /**
   * Binds all addresses. If one cannot be bound, those before it are taken back.
   *
   * @param addresses the addresses
   * @param identity the identity that the daemon will run as; null for this process's own
   * @param locked whether the pidfile's lock is held
   * @return the listening sockets
   * @throws StartException {@link Reason#FILE} if an address is taken, is not of this machine, or
   *     its file cannot be made; {@link Reason#PERMISSION} for a port that the caller may not bind
   */
  public static ListenSockets open(
      List<ListenAddress> addresses, @Nullable Identity identity, boolean locked) {
    return open(addresses, identity, locked, List.of());
  }

  /**
   * Binds all addresses as {@link #open(List, Identity, boolean)} does, but for those at which a
   * running daemon listens: its sockets are shared.
   *
   * @param addresses the addresses
   * @param identity the identity that the daemon will run as; null for this process's own
   * @param locked whether the pidfile's lock is held
   * @param running descriptors of the running daemon's sockets, which the caller closes
   * @return the listening sockets
   * @throws StartException as {@link #open(List, Identity, boolean)}
   */
  public static ListenSockets open(
      List<ListenAddress> addresses,
      @Nullable Identity identity,
      boolean locked,
      List<Descriptor> running) {
    Objects.requireNonNull(addresses, "addresses");
    Objects.requireNonNull(running, "running");
    ListenSockets sockets = new ListenSockets(identity, locked);
    try {
      for (ListenAddress address : addresses) {
        if (!sockets.share(address, running)) {
          sockets.open(address);
        }
      }
      return sockets;
    } catch (RuntimeException | Error failure) {
      sockets.undo(failure);
      throw failure;
    }
  }

  private boolean share(ListenAddress address, List<Descriptor> running) {
    for (Descriptor socket : running) {
      if (ListenSocket.listensAt(address, socket)) {
        descriptors.add(socket);
        return true;
      }
    }
    return false;
  }

  private void open(ListenAddress address) {
    Path path = address.path();
    try {
      if (path == null) {
        ListenSocket socket = ListenSocket.open(address, user, locked);
        descriptors.add(socket.descriptor());
        opener.onUndo(socket::close);
      } else {
        descriptors.add(opener.open(path, new UnixKind(address)).file.descriptor());
      }
    } catch (IOException failure) {
      throw failed(address, failure);
    }
  }

  /**
   * Checks that a TCP port can be bound, without listening at it.
   *
   * @param address the address; a Unix socket is not checked
   * @param taken whether the port may be taken, since a daemon that is to be stopped may have it
   * @throws StartException as {@link #open}
   */
  public static void checkPort(ListenAddress address, boolean taken) {
    Objects.requireNonNull(address, "address");
    try {
      ListenSocket.checkPort(address);
    } catch (PosixException failure) {
      if (!taken || !failure.errno().equals(Errno.EADDRINUSE)) {
        throw failed(address, failure);
      }
    }
  }

  /**
   * Tells whether others than a daemon listen at an address, so that it will not be free when the
   * daemon has been stopped.
   *
   * @param address the address
   * @param daemon the daemon's process id
   * @return whether a process was found that listens there, and none of them is the daemon, a
   *     descendant or in its session; false if the daemon may not be examined, or ten seconds do
   *     not suffice
   */
  public static boolean isStrangers(ListenAddress address, long daemon) {
    Objects.requireNonNull(address, "address");
    return Listeners.areStrangers(address, daemon);
  }

  private static StartException failed(ListenAddress address, IOException failure) {
    if (address.path() == null && failure instanceof PosixException posix) {
      if (posix.errno().equals(Errno.EACCES)) {
        return new StartException(
            Reason.PERMISSION,
            failure.getMessage() + "; a port this low needs root or CAP_NET_BIND_SERVICE");
      }
      if (posix.errno().equals(Errno.EADDRINUSE)) {
        return new StartException(Reason.FILE, failure.getMessage() + Listeners.words(address));
      }
    }
    return new StartException(Reason.FILE, failure);
  }

  /** {@return the sockets, in the order of the addresses} */
  public List<Descriptor> descriptors() {
    return descriptors;
  }

  /**
   * Closes the sockets and removes the socket files that were made, if the paths still lead to
   * them.
   *
   * @param reason why the start failed; gets what could not be taken back as suppressed exceptions
   */
  public void undo(Throwable reason) {
    Objects.requireNonNull(reason, "reason");
    for (Throwable left : opener.undo()) {
      reason.addSuppressed(left);
    }
  }

  /** The file of a Unix socket. */
  private final class UnixKind implements FileKind<ListenSocket> {
    private final ListenAddress address;

    UnixKind(ListenAddress address) {
      this.address = address;
    }

    @Override
    public ListenSocket open(Path path) throws IOException {
      return ListenSocket.open(address, user, locked);
    }

    @Override
    public Descriptor descriptor(ListenSocket socket) {
      return socket.descriptor();
    }

    @Override
    public boolean isGiven() {
      return false;
    }

    @Override
    public void undo(ListenSocket socket) throws IOException {
      try (socket) {
        socket.removeFile();
      }
    }
  }
}
