package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Sockets;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's end of the connection on which it tells its launcher how the start goes.
 *
 * <p>Safe for use by several threads: one may wait for the launcher while others tell.
 */
public final class DaemonEnd implements AutoCloseable {
  /** As long as the kernel lets a message be by default. */
  private static final int MAX_GREETING = 212_992;

  private final Descriptor own;
  private final byte[] greeting;

  private DaemonEnd(Descriptor own, byte[] greeting) {
    this.own = own;
    this.greeting = greeting;
  }

  /**
   * Finds the connection among the descriptors that this process was started with, and marks it
   * close-on-exec.
   *
   * <p>It cannot be mistaken for anything else, and nobody else's socket, pipe or file is read or
   * changed: the other end has a name that only {@link LauncherEnd} gives, with the process id of
   * the very process that made the connection, under this process's own user id. It can be found
   * once, since finding it takes the greeting out.
   *
   * @return this process's end; null if it was not started by a launcher
   * @throws PosixException if the connection was found and could not be read
   */
  public static @Nullable DaemonEnd find() throws PosixException {
    String @Nullable [] names = new File("/proc/self/fd").list();
    if (names == null) {
      throw new PosixException("opendir", "/proc/self/fd", Errno.ENOENT);
    }
    for (String name : names) {
      int number = Integer.parseInt(name);
      if (number > 2 && isOurs(number)) {
        PosixException.check(
            Files.fcntl(number, Files.F_SETFD, Files.FD_CLOEXEC), "fcntl F_SETFD", number);
        byte[] buffer = new byte[MAX_GREETING];
        int length =
            PosixException.check(
                Sockets.recv(number, buffer, Sockets.MSG_DONTWAIT), "recv", number);
        return new DaemonEnd(Descriptor.adopt(number), Arrays.copyOf(buffer, length));
      }
    }
    return null;
  }

  private static boolean isOurs(int number) {
    byte[] name = new byte[108];
    int length = Sockets.peerName(number, name);
    if (length <= 0) {
      return false;
    }
    int[] maker = new int[2];
    int[] uids = new int[3];
    if (Sockets.peerCredentials(number, maker) < 0 || Credentials.getresuid(uids) < 0) {
      return false;
    }
    String expected = LauncherEnd.NAME + maker[0] + "/";
    return new String(name, 0, length, StandardCharsets.US_ASCII).startsWith(expected)
        && maker[1] == uids[1];
  }

  /** {@return what the launcher wanted this process to know} */
  public byte[] greeting() {
    return greeting.clone();
  }

  /**
   * Tells what this process is doing. Never waits: a launcher that does not read, since it is
   * stopped, misses it.
   *
   * @param text for people to read; after 8 KiB it is cut off
   * @throws PosixException if the launcher is gone ({@code EPIPE})
   */
  public void status(String text) throws PosixException {
    int result =
        Sockets.send(
            own.number(), Wire.encode('S', 0, text), Sockets.MSG_NOSIGNAL | Sockets.MSG_DONTWAIT);
    if (result != -Errno.EAGAIN.number()) {
      PosixException.check(result, "send", own);
    }
  }

  /**
   * Tells that this process does its work. It counts as started when the launcher has confirmed it:
   * see {@link #awaitLauncher()}.
   *
   * @throws PosixException if the launcher is gone ({@code EPIPE})
   */
  public void ready() throws PosixException {
    send(Wire.encode('R', 0, ""));
  }

  /**
   * Tells that this process gives up.
   *
   * @param exitCode what the launcher should exit with, from 1 to 255
   * @param text why; after 8 KiB it is cut off
   * @throws IllegalArgumentException if the exit code is outside that range
   * @throws PosixException if the launcher is gone ({@code EPIPE})
   */
  public void failed(int exitCode, String text) throws PosixException {
    if (exitCode < 1 || exitCode > 255) {
      throw new IllegalArgumentException("not the exit code of a failure: " + exitCode);
    }
    send(Wire.encode('F', exitCode, text));
  }

  private void send(byte[] message) throws PosixException {
    // Once: when this returns, the launcher may have confirmed it, and the end be closed.
    int number = own.number();
    PosixException.check(Sockets.send(number, message, Sockets.MSG_NOSIGNAL), "send", number);
  }

  /**
   * Waits until the launcher has confirmed that this process counts as started, or is gone. Cannot
   * be interrupted, and must not run while the connection is closed.
   *
   * @return whether it has confirmed; if not, nobody waits for this process any more
   */
  public boolean awaitLauncher() {
    return Sockets.recv(own.number(), new byte[1], 0) == 1;
  }

  @Override
  public void close() throws PosixException {
    own.close();
  }
}
