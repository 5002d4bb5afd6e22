package dev.daimon.readiness;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcStatus;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's end of the connection to its launcher, on which the daemon reports how its start
 * goes.
 *
 * <p>Only {@link #release()} and {@link #close()} make native calls. The first native call of a JVM
 * takes about as long as the JVM's own start, and the launcher is waiting.
 *
 * <p>Safe for use by several threads: one may wait for the launcher while others report.
 */
public final class DaemonEnd implements AutoCloseable {
  private static final int STANDARD_ERROR = 2;

  /** How many statuses are kept for a launcher that does not read. */
  private static final int MAX_WAITING = 64;

  private final Handshake handshake;
  private final InputStream answers;
  private boolean released;

  /** Guarded by itself. */
  private final OutputStream messages;

  /** Statuses that are not sent yet; guarded by itself. */
  private final Queue<byte[]> waiting = new ArrayDeque<>();

  private DaemonEnd(Handshake handshake, InputStream answers) throws IOException {
    this.handshake = handshake;
    this.answers = answers;
    messages = new FileOutputStream(Handshake.path(handshake.writeEnd()));
  }

  /**
   * Finds the connection among the descriptors that this process has inherited. It is found only
   * once.
   *
   * <p>Nothing else is mistaken for the connection, and no other pipe or file is read or changed.
   * The connection is recognized by a file in memory with a name that only {@link LauncherEnd}
   * uses, in which the launcher has named this process and the pipes that it has inherited. A
   * program that inherits all of this from the daemon does not find a connection, nor does a
   * launcher find its own.
   *
   * <p>A user who starts this process with other privileges, by {@code sudo} for instance, cannot
   * forge the connection: the file must belong to this process's effective user, and no other user
   * may have permission to write to it. The daemon inherits it open for reading only, so processes
   * that inherit it from the daemon cannot change it. Standard input, output and error are not
   * examined.
   *
   * <p>The inherited descriptors stay open, and child processes would inherit them, until {@link
   * #release()}.
   *
   * @return this process's end; null if no launcher has started this process, or the launcher did
   *     not keep the {@link LauncherEnd#daemonDescriptors()} open in it ({@link ProcessBuilder}
   *     does not)
   * @throws IOException if the connection was found but cannot be used: the launcher has another
   *     version of this class, or parts of the connection are closed
   */
  public static @Nullable DaemonEnd find() throws IOException {
    ProcStatus status = ProcStatus.own();
    int self = self(status);
    Integer user = status.ids("Uid")[1];
    for (String name : descriptors()) {
      int number = Integer.parseInt(name);
      Handshake handshake = number <= STANDARD_ERROR ? null : Handshake.in(number, user);
      DaemonEnd end = handshake == null ? null : of(handshake, self);
      if (end != null) {
        return end;
      }
    }
    return null;
  }

  private static String[] descriptors() throws IOException {
    String @Nullable [] names = new File("/proc/self/fd").list();
    if (names == null) {
      throw new IOException("cannot list /proc/self/fd");
    }
    return names;
  }

  private static @Nullable DaemonEnd of(Handshake handshake, int self) throws IOException {
    boolean named = handshake.process() == self;
    if (!named && handshake.process() != Handshake.NOBODY) {
      return null;
    }
    if (!handshake.isOfThisVersion()) {
      throw new IOException("the launcher has another version of " + DaemonEnd.class.getName());
    }
    if (!handshake.hasItsPipes()) {
      if (named) {
        throw new IOException("the connection to the launcher was closed");
      }
      return null;
    }
    InputStream answers = new FileInputStream(Handshake.path(handshake.readEnd()));
    if (!named && answers.read() >= 0) {
      // The launcher has named its daemon only after the first read.
      Handshake complete = handshake.again();
      if (complete == null || complete.process() != self) {
        answers.close();
        return null;
      }
    }
    handshake.empty();
    return new DaemonEnd(handshake, answers);
  }

  /**
   * Returns this process's id in its own PID namespace, which is the last one in the field. The
   * JDK's way to find it out costs a third of a JVM's start.
   */
  private static int self(ProcStatus status) {
    // A kernel without namespaces has no NSpid.
    int[] ids = status.ids(status.field("NSpid") == null ? "Pid" : "NSpid");
    return ids[ids.length - 1];
  }

  /** {@return the greeting: the bytes that the launcher has passed to {@link LauncherEnd#open}} */
  public byte[] greeting() {
    return handshake.text();
  }

  /**
   * Closes the inherited descriptors. The connection stays open, on descriptors of its own that are
   * marked close-on-exec from now on. A second call does nothing.
   *
   * @throws IOException if other code has closed one of the inherited descriptors
   */
  public synchronized void release() throws IOException {
    if (released) {
      return;
    }
    released = true;
    close(handshake.number());
    close(handshake.readEnd());
    close(handshake.writeEnd());
    // The JDK does not mark the descriptors that it opens.
    for (String name : descriptors()) {
      int number = Integer.parseInt(name);
      if (handshake.isToItsPipes(number)) {
        PosixException.check(
            Files.fcntl(number, Files.F_SETFD, Files.FD_CLOEXEC), "fcntl F_SETFD", number);
      }
    }
  }

  private static void close(int number) throws PosixException {
    PosixException.check(Files.close(number), "close", number);
  }

  /**
   * Reports what this process is doing. Never waits: a launcher that does not read, since it is
   * stopped, misses some of the statuses, and one that has ended gets none. A status for which no
   * thread can be started is lost.
   *
   * @param text a text for people; it is cut off after 8 KiB
   */
  public void status(String text) {
    Objects.requireNonNull(text, "text");
    byte[] message = MessageCodec.encode('S', 0, text);
    synchronized (waiting) {
      boolean first = waiting.isEmpty();
      if (waiting.size() == MAX_WAITING) {
        // The newest status matters most, so the oldest one is dropped.
        waiting.remove();
      }
      waiting.add(message);
      if (!first) {
        // Another thread is sending, and sends this one too.
        return;
      }
    }
    try {
      Thread thread =
          new Thread("daimon-status") {
            @Override
            public void run() {
              sendStatuses();
            }
          };
      thread.setDaemon(true);
      thread.start();
    } catch (OutOfMemoryError noThread) {
      dropWaiting();
    }
  }

  private void sendStatuses() {
    try {
      synchronized (messages) {
        sendWaiting();
      }
    } catch (IOException gone) {
      // awaitLauncher() reports that the launcher has ended.
      return;
    }
  }

  /**
   * Reports that this process is ready. It counts as started when the launcher has confirmed it:
   * see {@link #awaitLauncher()}.
   *
   * @throws IOException if the launcher has ended, or if the report cannot be written: then the
   *     launcher goes on waiting, unless it gets another report or this process ends
   */
  public void ready() throws IOException {
    send(MessageCodec.encode('R', 0, ""));
  }

  /**
   * Reports that this process has failed and gives up.
   *
   * @param exitCode the exit code for the launcher, from 1 to 255
   * @param text the reason; it is cut off after 8 KiB
   * @throws IllegalArgumentException if the exit code is outside that range
   * @throws IOException if the launcher has ended, or if the report cannot be written
   */
  public void failed(int exitCode, String text) throws IOException {
    Objects.requireNonNull(text, "text");
    if (exitCode < 1 || exitCode > 255) {
      throw new IllegalArgumentException("not the exit code of a failure: " + exitCode);
    }
    send(MessageCodec.encode('F', exitCode, text));
  }

  private void send(byte[] message) throws IOException {
    synchronized (messages) {
      sendWaiting();
      messages.write(message);
    }
  }

  private void sendWaiting() throws IOException {
    try {
      for (byte[] status = next(); status != null; status = next()) {
        messages.write(status);
      }
    } catch (IOException | Error failure) {
      dropWaiting();
      throw failure;
    }
  }

  /** Drops the statuses that nobody sends, so that the next one is the first again. */
  private void dropWaiting() {
    synchronized (waiting) {
      waiting.clear();
    }
  }

  private byte @Nullable [] next() {
    synchronized (waiting) {
      return waiting.poll();
    }
  }

  /**
   * Waits until the launcher has confirmed that this process counts as started, or has ended. An
   * interrupt does not end the wait. Do not close the connection meanwhile.
   *
   * @return whether the launcher has confirmed; if not, it no longer waits for this process
   */
  public boolean awaitLauncher() {
    try {
      int letter = answers.read();
      // NAMED is still unread if the launcher named this process before the first read.
      return (letter == MessageCodec.NAMED ? answers.read() : letter) == MessageCodec.CONFIRMED;
    } catch (IOException broken) {
      return false;
    }
  }

  /** Closes the connection and the inherited descriptors. */
  @Override
  public void close() throws IOException {
    try (answers;
        messages) {
      release();
    }
  }
}
