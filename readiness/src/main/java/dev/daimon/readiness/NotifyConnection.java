package dev.daimon.readiness;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.VisibleText;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.SocketMessages;
import dev.daimon.posix.call.Sockets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The connection to the socket that {@code NOTIFY_SOCKET} names. It is opened by the first message.
 *
 * <p>It is connected, although datagrams need not be: only then {@code poll} tells whether the
 * receiver's queue is full, and the receiver's path need not be reachable any more.
 */
final class NotifyConnection {
  /** No descriptors. */
  static final int[] NONE = {};

  private static final String VARIABLE = "NOTIFY_SOCKET=";

  private final String value;

  /** Guarded by this object, as each call on it is: its number could be another file's later. */
  private @Nullable Descriptor socket;

  NotifyConnection(String value) {
    this.value = value;
  }

  /** Sends a message if there is room in the receiver's queue; returns whether there was. */
  boolean offer(byte[] message) throws IOException {
    return trySend(message, NONE) < 0;
  }

  /** Sends a message. Waits for room in the receiver's queue. */
  void send(byte[] message, int[] descriptors, Deadline deadline) throws IOException {
    int number = trySend(message, descriptors);
    while (number >= 0) {
      if (deadline.isOver()) {
        throw failure("sendmsg", Errno.EAGAIN, "; its reader does not read, and its queue is full");
      }
      // Another thread may take the room, or close the connection: then it is tried again.
      boolean _ = deadline.await(number, Polling.POLLOUT);
      number = trySend(message, descriptors);
    }
  }

  /** Returns the descriptor to wait for if the queue is full, and -1 if the message was sent. */
  private synchronized int trySend(byte[] message, int[] descriptors) throws IOException {
    boolean old = socket != null;
    int number = opened();
    int result = SocketMessages.send(number, message, descriptors, SocketMessages.MSG_NOSIGNAL);
    if (old && isGone(result)) {
      // The receiver may have made its socket anew.
      close();
      number = opened();
      result = SocketMessages.send(number, message, descriptors, SocketMessages.MSG_NOSIGNAL);
    }
    if (result == -Errno.EAGAIN.number()) {
      return number;
    }
    if (isGone(result)) {
      PosixException failure = failure("sendmsg", Errno.of(-result), "; nobody reads it");
      if (socket != null) {
        Cleanup.close(socket, failure);
        socket = null;
      }
      throw failure;
    }
    if (result < 0) {
      throw failure("sendmsg", Errno.of(-result), "");
    }
    return -1;
  }

  private static boolean isGone(int result) {
    return result == -Errno.ECONNREFUSED.number()
        || result == -Errno.ENOTCONN.number()
        || result == -Errno.EPIPE.number();
  }

  private PosixException failure(String call, Errno errno, String explanation) {
    return new PosixException(call, "NOTIFY_SOCKET " + VisibleText.line(value), errno, explanation);
  }

  private synchronized int opened() throws IOException {
    Descriptor open = socket;
    if (open != null) {
      return open.number();
    }
    byte[] address = address();
    int type = Sockets.SOCK_DGRAM | Sockets.SOCK_CLOEXEC | Sockets.SOCK_NONBLOCK;
    Descriptor made =
        Descriptor.adopt(
            PosixException.check(Sockets.socket(Sockets.AF_UNIX, type, 0), "socket", "AF_UNIX"));
    int result = Sockets.connect(made.number(), address);
    if (result < 0) {
      boolean refused = result == -Errno.ECONNREFUSED.number();
      PosixException failure =
          failure("connect", Errno.of(-result), refused ? "; nobody reads it" : "");
      Cleanup.close(made, failure);
      throw failure;
    }
    socket = made;
    return made.number();
  }

  /** Checks the value without opening the connection. */
  void requireUsable() throws IOException {
    address();
  }

  private byte[] address() throws IOException {
    if (value.startsWith("vsock:") || value.startsWith("vsock-")) {
      throw unusable("a vsock address, which Daimon does not support");
    }
    boolean named = value.startsWith("@");
    if (!named && !value.startsWith("/")) {
      throw unusable("neither an absolute path nor an abstract name (@NAME)");
    }
    byte[] path = bytes();
    if (path.length >= Sockets.UNIX_PATH_MAX) {
      throw unusable("longer than the 107 bytes that an address has room for");
    }
    if (path.length == 1) {
      throw unusable(named ? "an empty name" : "not the path of a socket");
    }
    if (named) {
      path[0] = 0;
    }
    return Sockets.unixAddress(path);
  }

  private IOException unusable(String why) {
    return new IOException(VARIABLE + VisibleText.line(value) + ": " + why);
  }

  /** Returns the exact bytes of the value, which Java has decoded by the locale's character set. */
  private byte[] bytes() {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    if (bytes.length == value.length() && value.indexOf('?') < 0) {
      return bytes;
    }
    byte[] prefix = VARIABLE.getBytes(StandardCharsets.US_ASCII);
    for (byte[] variable : Processes.environ()) {
      if (variable.length > prefix.length
          && Arrays.equals(variable, 0, prefix.length, prefix, 0, prefix.length)) {
        return Arrays.copyOfRange(variable, prefix.length, variable.length);
      }
    }
    return bytes;
  }

  /** Sends a message with the write end of a pipe, and waits until the receiver has closed it. */
  void barrier(byte[] message, Deadline deadline) throws IOException {
    int[] pair = new int[2];
    PosixException.check(Files.pipe(Files.O_CLOEXEC, pair), "pipe2", "");
    try (Descriptor read = Descriptor.adopt(pair[0])) {
      try (Descriptor _ = Descriptor.adopt(pair[1])) {
        send(message, new int[] {pair[1]}, deadline);
      }
      // Nothing is written: the end of the pipe is the one event.
      if (!deadline.await(read.number(), 0)) {
        throw failure("barrier", Errno.ETIMEDOUT, "; its reader has not read all messages");
      }
    }
  }

  synchronized void close() throws PosixException {
    Descriptor closing = socket;
    socket = null;
    if (closing != null) {
      closing.close();
    }
  }
}
