package dev.daimon.readiness;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's end of the connection on which it tells its launcher how the start goes.
 *
 * <p>Nothing of it makes a native call but {@link #release()} and {@link #close()}: the first one
 * takes a JVM about as long as its own start, and a launcher is waiting.
 *
 * <p>Safe for use by several threads: one may wait for the launcher while others tell.
 */
public final class DaemonEnd implements AutoCloseable {
  private static final int STANDARD_ERROR = 2;

  /** How many statuses wait for a launcher that does not read. */
  private static final int MAX_WAITING = 64;

  private final Handshake greeting;
  private final InputStream answers;
  private boolean released;

  /** Guarded by itself. */
  private final OutputStream messages;

  /** Statuses that are still to be told; guarded by itself. */
  private final Queue<byte[]> waiting = new ArrayDeque<>();

  private DaemonEnd(Handshake greeting, InputStream answers) throws IOException {
    this.greeting = greeting;
    this.answers = answers;
    messages = new FileOutputStream(Handshake.path(greeting.writeEnd()));
  }

  /**
   * Finds the connection among the descriptors that this process was started with.
   *
   * <p>It cannot be mistaken for anything else, and nobody else's pipe or file is read or changed:
   * it begins with a file in memory of a name that only {@link LauncherEnd} gives, in which the
   * launcher has named this very process and the pipes that this has inherited. A program that got
   * all of it from the daemon does not find it. It can be found once, since finding it takes the
   * greeting out.
   *
   * <p>It cannot be forged by who starts this process with other rights, by {@code sudo} or the
   * like: only a file counts that belongs to this process's effective user, and that nobody else
   * may write to. The daemon inherits it open for reading, so nobody who inherits it from there can
   * make another one of it. Standard input, output and error never count.
   *
   * <p>The inherited descriptors stay open, and would be inherited on, until {@link #release()}.
   *
   * @return this process's end; null if it was not started by a launcher, or by one that did not
   *     keep {@link LauncherEnd#daemonDescriptors()} open in it, as {@link ProcessBuilder} does not
   * @throws IOException if the connection was found and is of no use: of another version of this
   *     class, or closed in parts
   */
  public static @Nullable DaemonEnd find() throws IOException {
    String status = status();
    int self = self(status);
    Integer user = user(status);
    for (String name : descriptors()) {
      int number = Integer.parseInt(name);
      Handshake greeting = number <= STANDARD_ERROR ? null : Handshake.in(number, user);
      DaemonEnd end = greeting == null ? null : of(greeting, self);
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

  private static @Nullable DaemonEnd of(Handshake greeting, int self) throws IOException {
    boolean named = greeting.process() == self;
    if (!named && greeting.process() != Handshake.NOBODY) {
      return null;
    }
    if (!greeting.isOfThisVersion()) {
      throw new IOException("the launcher has another version of " + DaemonEnd.class.getName());
    }
    if (!greeting.hasItsPipes()) {
      if (named) {
        throw new IOException("the connection to the launcher was closed");
      }
      return null;
    }
    InputStream answers = new FileInputStream(Handshake.path(greeting.readEnd()));
    if (!named && answers.read() >= 0) {
      // The launcher was slow, and has named its daemon only now.
      Handshake complete = greeting.again();
      if (complete == null || complete.process() != self) {
        answers.close();
        return null;
      }
    }
    greeting.takeOut();
    return new DaemonEnd(greeting, answers);
  }

  private static String status() throws IOException {
    try (FileInputStream file = new FileInputStream("/proc/self/status")) {
      return new String(file.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  /**
   * This process's id in its own namespace, the last one there. The JDK's way to find it out costs
   * a third of a JVM's start.
   */
  private static int self(String status) {
    int line = status.indexOf("\nNSpid:");
    if (line < 0) {
      // A kernel without namespaces.
      line = status.indexOf("\nPid:");
    }
    int end = status.indexOf('\n', line + 1);
    return Integer.parseInt(status, status.lastIndexOf('\t', end) + 1, end, 10);
  }

  /** This process's effective user id, the second one there. */
  private static int user(String status) {
    int real = status.indexOf("\nUid:\t") + "\nUid:\t".length();
    int effective = status.indexOf('\t', real) + 1;
    return Integer.parseUnsignedInt(status, effective, status.indexOf('\t', effective), 10);
  }

  /** {@return what the launcher wanted this process to know} */
  public byte[] greeting() {
    return greeting.text();
  }

  /**
   * Closes the descriptors that were inherited, which nothing else may have closed; the connection
   * goes on, through descriptors of its own that are close-on-exec from now on. A second call does
   * nothing.
   *
   * @throws IOException if somebody else has closed one
   */
  public synchronized void release() throws IOException {
    if (released) {
      return;
    }
    released = true;
    close(greeting.number());
    close(greeting.readEnd());
    close(greeting.writeEnd());
    // The JDK leaves that to whoever spawns.
    for (String name : descriptors()) {
      int number = Integer.parseInt(name);
      if (greeting.isToItsPipes(number)) {
        PosixException.check(
            Files.fcntl(number, Files.F_SETFD, Files.FD_CLOEXEC), "fcntl F_SETFD", number);
      }
    }
  }

  private static void close(int number) throws PosixException {
    PosixException.check(Files.close(number), "close", number);
  }

  /**
   * Tells what this process is doing. Never waits: a launcher that does not read, since it is
   * stopped, misses some of it, and one that is gone all of it.
   *
   * @param text for people to read; after 8 KiB it is cut off
   */
  public void status(String text) {
    Objects.requireNonNull(text, "text");
    byte[] message = MessageCodec.encode('S', 0, text);
    synchronized (waiting) {
      boolean first = waiting.isEmpty();
      if (waiting.size() == MAX_WAITING) {
        // What this process is doing now says more than what it did.
        waiting.remove();
      }
      waiting.add(message);
      if (!first) {
        // Somebody is at it.
        return;
      }
    }
    Thread thread =
        new Thread("daimon-status") {
          @Override
          public void run() {
            tellStatus();
          }
        };
    thread.setDaemon(true);
    thread.start();
  }

  private void tellStatus() {
    try {
      synchronized (messages) {
        tellWhatWaits();
      }
    } catch (IOException gone) {
      // Whoever waits for the launcher finds out.
      return;
    }
  }

  /**
   * Tells that this process does its work. It counts as started when the launcher has confirmed it:
   * see {@link #awaitLauncher()}.
   *
   * @throws IOException if the launcher is gone
   */
  public void ready() throws IOException {
    send(MessageCodec.encode('R', 0, ""));
  }

  /**
   * Tells that this process gives up.
   *
   * @param exitCode what the launcher should exit with, from 1 to 255
   * @param text why; after 8 KiB it is cut off
   * @throws IllegalArgumentException if the exit code is outside that range
   * @throws IOException if the launcher is gone
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
      tellWhatWaits();
      messages.write(message);
    }
  }

  private void tellWhatWaits() throws IOException {
    for (byte[] status = next(); status != null; status = next()) {
      messages.write(status);
    }
  }

  private byte @Nullable [] next() {
    synchronized (waiting) {
      return waiting.poll();
    }
  }

  /**
   * Waits until the launcher has confirmed that this process counts as started, or is gone. Cannot
   * be interrupted, and must not run while the connection is closed.
   *
   * @return whether it has confirmed; if not, nobody waits for this process any more
   */
  public boolean awaitLauncher() {
    try {
      int letter = answers.read();
      // It was named in time, so that nobody has waited for this.
      return (letter == MessageCodec.NAMED ? answers.read() : letter) == MessageCodec.CONFIRMED;
    } catch (IOException broken) {
      return false;
    }
  }

  /** Closes the connection, and what was inherited. */
  @Override
  public void close() throws IOException {
    try (answers;
        messages) {
      release();
    }
  }
}
