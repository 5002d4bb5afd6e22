package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Sockets;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/**
 * The launcher's end of the connection on which a daemon tells how its start goes.
 *
 * <p>The launcher makes the connection, starts the daemon with {@link #daemonDescriptor()} open in
 * it, closes its own copy of that by {@link #release()}, and then receives messages until one of
 * them is the verdict. The end of the connection without a verdict is a failure: a daemon that dies
 * early never looks started.
 *
 * <p>Closing this end, or dying, tells the daemon that nobody waits any more.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/unix.7.html">unix(7)</a>
 */
public final class LauncherEnd implements AutoCloseable {
  /** What this end's abstract name begins with; the process id follows. */
  static final String NAME = "dev.daimon.readiness/";

  private static final Errno ECONNRESET = Errno.of(104);

  private final Descriptor own;
  private final Descriptor daemons;

  private LauncherEnd(Descriptor own, Descriptor daemons) {
    this.own = own;
    this.daemons = daemons;
  }

  /**
   * Makes a connection.
   *
   * <p>The greeting waits in the connection until the daemon reads it: nothing depends on when it
   * does, and nothing is in its environment or in a file.
   *
   * @param greeting what the daemon is to know, from 1 byte to about 100 KiB
   * @return this process's end, to be closed by the caller
   * @throws PosixException if there is no descriptor left ({@code EMFILE}), or the greeting is too
   *     long ({@code EMSGSIZE})
   */
  public static LauncherEnd open(byte[] greeting) throws PosixException {
    int[] pair = new int[2];
    PosixException.check(
        Sockets.socketpair(Sockets.SOCK_SEQPACKET | Sockets.SOCK_CLOEXEC, pair), "socketpair", "");
    LauncherEnd end = new LauncherEnd(Descriptor.adopt(pair[0]), Descriptor.adopt(pair[1]));
    try {
      String name = NAME + Processes.getpid() + "/" + Long.toHexString(System.nanoTime());
      PosixException.check(
          Sockets.bindAbstract(pair[0], name.getBytes(StandardCharsets.US_ASCII)), "bind", name);
      PosixException.check(Sockets.send(pair[0], greeting, Sockets.MSG_DONTWAIT), "send", name);
      return end;
    } catch (PosixException | RuntimeException failure) {
      end.closeAfter(failure);
      throw failure;
    }
  }

  private void closeAfter(Exception failure) {
    try {
      close();
    } catch (PosixException second) {
      failure.addSuppressed(second);
    }
  }

  /** {@return the daemon's end, to be kept open in the daemon under whatever number} */
  public Descriptor daemonDescriptor() {
    return daemons;
  }

  /**
   * Closes this process's copy of the daemon's end; only then the daemon's death can be noticed.
   *
   * @throws PosixException if somebody else has closed the descriptor
   */
  public void release() throws PosixException {
    daemons.close();
  }

  /**
   * Receives the next message.
   *
   * <p>Several threads may wait; one of them gets it, and others may return early, with nothing.
   *
   * @param timeout how long to wait for it, at least 0
   * @return the message, or nothing if none came in that time
   * @throws PosixException if the connection broke, or the daemon sent what is no message ({@code
   *     EINVAL})
   */
  public Optional<Message> receive(Duration timeout) throws PosixException {
    int number = own.number();
    int millis = (int) Math.min(Integer.MAX_VALUE, timeout.toMillis());
    if (PosixException.check(Sockets.poll(number, Sockets.POLLIN, millis), "poll", number) == 0) {
      return Optional.empty();
    }
    byte[] buffer = new byte[2 + Wire.MAX_TEXT];
    int length = Sockets.recv(number, buffer, Sockets.MSG_DONTWAIT);
    if (length == -Errno.EAGAIN.number()) {
      // Another thread was woken up by it as well, and was faster.
      return Optional.empty();
    }
    if (length == -ECONNRESET.number()) {
      // The daemon ended before it read all that was sent to it.
      return Optional.of(new Message.Ended());
    }
    PosixException.check(length, "recv", number);
    return Optional.of(Wire.decode(buffer, length));
  }

  /**
   * Confirms that the daemon counts as started: only then {@link DaemonEnd#ready()} returns.
   *
   * @throws PosixException if the daemon is gone ({@code EPIPE})
   */
  public void confirm() throws PosixException {
    int number = own.number();
    PosixException.check(
        Sockets.send(number, new byte[] {'C'}, Sockets.MSG_NOSIGNAL), "send", number);
  }

  @Override
  public void close() throws PosixException {
    try (own) {
      daemons.close();
    }
  }
}
