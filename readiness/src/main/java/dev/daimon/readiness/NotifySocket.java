package dev.daimon.readiness;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.Pause;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.RandomBytes;
import dev.daimon.posix.call.SocketMessage;
import dev.daimon.posix.call.SocketMessages;
import dev.daimon.posix.call.Sockets;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The socket on which a launcher receives what programs tell their service manager: the receiver of
 * {@code sd_notify}.
 *
 * <p>It has an abstract name with 128 random bits. So there is no file to leave behind, and a
 * program reaches it after a change of user or of root directory. Not from another network
 * namespace, though: abstract names belong to one.
 *
 * <p>Every process of that network namespace can find the name in {@code /proc/net/unix} and send:
 * {@link Notification#senderPid()} says who it was. Nothing that arrives makes this class wait or
 * fail. A datagram is dropped and counted if it is longer than 4 KiB (as systemd does), is not
 * UTF-8, contains a NUL byte that is not its last one, or has no line {@code NAME=VALUE}; other
 * lines are ignored. Descriptors are never kept: see {@link #receive()}. A datagram is also dropped
 * while too many descriptors wait to be closed.
 *
 * <p>Safe for use by several threads.
 */
public final class NotifySocket implements AutoCloseable {
  private static final int MAX_DESCRIPTORS = 253;
  private static final long CROWDED_NANOS = 10_000_000;

  private final Descriptor socket;
  private final String address;
  private final ForeignDescriptors foreign = new ForeignDescriptors();

  /** Guarded by this object, as each call on the socket is. */
  private long dropped;

  /** Guarded by this object. */
  private boolean isClosed;

  /** Whether a thread is dropping a datagram. Guarded by this object. */
  private boolean isDropping;

  private NotifySocket(Descriptor socket, String address) {
    this.socket = socket;
    this.address = address;
  }

  /**
   * Makes a socket with a new name.
   *
   * @return the socket, to be closed by the caller; it is marked close-on-exec
   * @throws PosixException if there is no descriptor left ({@code EMFILE})
   * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
   */
  public static NotifySocket open() throws PosixException {
    return open(true);
  }

  static NotifySocket open(boolean handles) throws PosixException {
    int type = Sockets.SOCK_DGRAM | Sockets.SOCK_CLOEXEC | Sockets.SOCK_NONBLOCK;
    Descriptor socket =
        Descriptor.adopt(
            PosixException.check(Sockets.socket(Sockets.AF_UNIX, type, 0), "socket", "AF_UNIX"));
    try {
      int number = socket.number();
      // Before the bind: no datagram comes without its sender.
      PosixException.check(
          Sockets.setsockopt(number, Sockets.SOL_SOCKET, Sockets.SO_PASSCRED, 1),
          "setsockopt SO_PASSCRED",
          number);
      if (handles) {
        // Not before Linux 6.5.
        int _ = Sockets.setsockopt(number, Sockets.SOL_SOCKET, Sockets.SO_PASSPIDFD, 1);
      }
      String address = "@daimon-notify-" + random();
      byte[] name = address.getBytes(StandardCharsets.US_ASCII);
      name[0] = 0;
      PosixException.check(Sockets.bind(number, Sockets.unixAddress(name)), "bind", address);
      return new NotifySocket(socket, address);
    } catch (PosixException failure) {
      Cleanup.close(socket, failure);
      throw failure;
    }
  }

  private static String random() throws PosixException {
    byte[] bytes = new byte[16];
    PosixException.check(RandomBytes.get(bytes), "getrandom", "");
    StringBuilder text = new StringBuilder(2 * bytes.length);
    for (byte b : bytes) {
      text.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
    }
    return text.toString();
  }

  /**
   * {@return the value of {@code NOTIFY_SOCKET} for the program: its name, with {@code @} first}
   */
  public String address() {
    return address;
  }

  /** {@return the socket, to poll: it is readable if {@link #receive()} has something to do} */
  public Descriptor descriptor() {
    return socket;
  }

  /**
   * Takes the next datagram, without waiting. A flood of them keeps the caller for one at a time.
   *
   * <p>Descriptors that came with it are closed at once, also if the datagram is dropped. That
   * answers a barrier ({@code BARRIER=1}): call this again only when the result has been dealt
   * with, so that all before the barrier was. A file whose close may take long, since it is
   * somebody's network or FUSE file, is closed by a thread of its own. While so many of them wait
   * that this process might run out of descriptors, datagrams are dropped by a thread, too, and
   * this returns after 10 ms.
   *
   * @return what it says, to be closed by the caller; empty if there is none, or it was dropped:
   *     poll again in both cases
   * @throws PosixException if the socket cannot be read
   * @throws IllegalStateException if this is closed
   * @see <a href="https://man7.org/linux/man-pages/man2/recvmsg.2.html">recvmsg(2)</a>
   */
  public synchronized Optional<Notification> receive() throws PosixException {
    int number = socket.number();
    if (foreign.isCrowded()) {
      dropElsewhere(number);
      return Optional.empty();
    }
    SocketMessage message = new SocketMessage(ServiceNotifier.MAX_BYTES, MAX_DESCRIPTORS);
    int result =
        SocketMessages.receive(
            number, message, SocketMessages.MSG_DONTWAIT | SocketMessages.MSG_CMSG_CLOEXEC);
    if (result == -Errno.EAGAIN.number()) {
      return Optional.empty();
    }
    PosixException.check(result, "recvmsg", address);
    Descriptor handle = message.pidfd() < 0 ? null : Descriptor.adopt(message.pidfd());
    foreign.close(message.descriptors());
    List<String> assignments =
        message.isCut() || message.pid() < 0 ? null : assignments(message.bytes());
    if (assignments == null) {
      dropped++;
      if (handle != null) {
        handle.close();
      }
      return Optional.empty();
    }
    return Optional.of(
        new Notification(
            assignments, message.pid(), Integer.toUnsignedLong(message.uid()), handle));
  }

  /**
   * Lets a thread drop the next datagram: the kernel closes descriptors for which there is no room
   * in the call that receives, which may hang.
   */
  private void dropElsewhere(int number) {
    if (!isDropping && Polling.poll(number, Polling.POLLIN, 0) > 0) {
      // The number may be another file's when this is closed.
      int copy = Files.fcntl(number, Files.F_DUPFD_CLOEXEC, 3);
      if (copy >= 0) {
        isDropping = ForeignDescriptors.start(() -> drop(copy));
        if (!isDropping) {
          int _ = Files.close(copy);
        }
      }
    }
    // The socket stays readable: who polls it would go round without a pause.
    Pause.nanos(CROWDED_NANOS);
  }

  private void drop(int copy) {
    int result = -1;
    try {
      try {
        result = SocketMessages.receive(copy, new SocketMessage(1, 0), SocketMessages.MSG_DONTWAIT);
      } finally {
        int _ = Files.close(copy);
      }
    } finally {
      synchronized (this) {
        isDropping = false;
        if (result >= 0) {
          dropped++;
        }
      }
    }
  }

  /** Takes a datagram that nobody is to see; returns whether there was one. */
  private boolean discard(int number) {
    SocketMessage message = new SocketMessage(1, MAX_DESCRIPTORS);
    int flags = SocketMessages.MSG_DONTWAIT | SocketMessages.MSG_CMSG_CLOEXEC;
    if (SocketMessages.receive(number, message, flags) < 0) {
      return false;
    }
    if (message.pidfd() >= 0) {
      int _ = Files.close(message.pidfd());
    }
    foreign.close(message.descriptors());
    return true;
  }

  /**
   * Waits for the next datagram that is not dropped, and takes it as {@link #receive()} does. Do
   * not close this object meanwhile. An interrupt does not end the wait, and a virtual thread keeps
   * its carrier.
   *
   * @param timeout how long to wait at most, at least 0
   * @return what it says, to be closed by the caller; empty if there was none in that time
   * @throws IllegalArgumentException if the timeout is negative
   * @throws PosixException if the socket cannot be read
   * @throws IllegalStateException if this is closed
   */
  public Optional<Notification> receive(Duration timeout) throws PosixException {
    Deadline deadline = Deadline.after(timeout);
    Optional<Notification> next = receive();
    while (next.isEmpty() && deadline.awaitReadable(socket)) {
      next = receive();
    }
    return next;
  }

  /** Returns the lines that are assignments; null if the text is garbled or has none. */
  static @Nullable List<String> assignments(byte[] bytes) {
    int length = bytes.length;
    if (length > 0 && bytes[length - 1] == 0) {
      // Some senders count the end of their string.
      length--;
    }
    for (int i = 0; i < length; i++) {
      if (bytes[i] == 0) {
        return null;
      }
    }
    String text;
    try {
      text =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, length)).toString();
    } catch (CharacterCodingException garbled) {
      return null;
    }
    List<String> assignments = new ArrayList<>();
    int start = 0;
    while (start < text.length()) {
      int end = text.indexOf('\n', start);
      end = end < 0 ? text.length() : end;
      int equals = text.indexOf('=', start);
      if (equals > start && equals < end) {
        assignments.add(text.substring(start, end));
      }
      start = end + 1;
    }
    return assignments.isEmpty() ? null : assignments;
  }

  /**
   * {@return how many datagrams were dropped so far, since they were too long or garbled, or too
   * many}
   */
  public synchronized long dropped() {
    return dropped;
  }

  /**
   * Closes the socket. Who sends meanwhile gets {@code EPIPE}, and after that {@code ECONNREFUSED}.
   * What nobody has received is lost, and descriptors that came with it are closed as by {@link
   * #receive()}. A second call does nothing.
   *
   * @throws PosixException if other code has closed the descriptor ({@code EBADF})
   */
  @Override
  public synchronized void close() throws PosixException {
    if (isClosed) {
      return;
    }
    isClosed = true;
    // A close drops what is queued, and hangs where the close of a queued descriptor does.
    int number = socket.number();
    int _ = Sockets.shutdown(number, Sockets.SHUT_RD);
    boolean isEmpty = false;
    while (!isEmpty && !foreign.isCrowded()) {
      isEmpty = !discard(number);
    }
    int copy = isEmpty ? -1 : Files.fcntl(number, Files.F_DUPFD_CLOEXEC, 3);
    try {
      socket.close();
    } finally {
      if (copy >= 0) {
        foreign.close(new int[] {copy});
      }
    }
  }
}
