package dev.daimon.readiness;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Polling;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The launcher's end of the connection to a daemon, on which the daemon reports how its start goes.
 *
 * <p>The launcher uses it in these steps:
 *
 * <ol>
 *   <li>{@link #open} makes the connection;
 *   <li>the launcher starts the daemon with the {@link #daemonDescriptors()} open in it;
 *   <li>{@link #started} names the daemon's process, and {@link #release()} closes the launcher's
 *       own copies of these descriptors;
 *   <li>{@link #receive} returns messages until one of them is the verdict. The end of the
 *       connection without a verdict is a failure, so a daemon that dies early never counts as
 *       started;
 *   <li>{@link #confirm()} tells a daemon that is ready that it counts as started.
 * </ol>
 *
 * <p>Start the daemon by something that keeps descriptors open, such as {@code Program.keep} of
 * Daimon's module {@code forking}, or native code. {@link ProcessBuilder} closes all descriptors
 * from 3 up.
 *
 * <p>The daemon must have the launcher's effective user when it calls {@link DaemonEnd#find()}, and
 * may change it after that.
 *
 * <p>When the launcher closes this end, or ends, the daemon learns that nobody waits for it.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/pipe.7.html">pipe(7)</a>
 */
public final class LauncherEnd implements AutoCloseable {
  /** The descriptor to read the daemon's messages from. */
  private final Descriptor messages;

  /** The descriptor to write answers to the daemon to. */
  private final Descriptor answers;

  private final Descriptor daemonsMessages;
  private final Descriptor daemonsAnswers;
  private final Descriptor greeting;

  /** Guarded by itself. */
  private final MessageBuffer received = new MessageBuffer();

  /** Whether the daemon has sent an invalid message; the rest is ignored then. */
  private boolean broken;

  private LauncherEnd(Descriptor[] messages, Descriptor[] answers, Descriptor greeting) {
    this.messages = messages[0];
    daemonsMessages = messages[1];
    daemonsAnswers = answers[0];
    this.answers = answers[1];
    this.greeting = greeting;
  }

  /**
   * Makes a connection.
   *
   * <p>The greeting is kept in a file in memory until the daemon reads it. It is not in the
   * daemon's environment, nor in a file with a path.
   *
   * @param greeting bytes to pass to the daemon; may be empty
   * @return this process's end, to be closed by the caller
   * @throws PosixException if there is no descriptor left ({@code EMFILE}), or no memory
   */
  public static LauncherEnd open(byte[] greeting) throws PosixException {
    Objects.requireNonNull(greeting, "greeting");
    Descriptor[] messages = pipe();
    try {
      Descriptor[] answers = pipe();
      try {
        return new LauncherEnd(
            messages, answers, Handshake.create(answers[0], messages[1], greeting));
      } catch (PosixException | RuntimeException failure) {
        closeAfter(failure, answers);
        throw failure;
      }
    } catch (PosixException | RuntimeException failure) {
      closeAfter(failure, messages);
      throw failure;
    }
  }

  /** Makes a non-blocking pipe, read end first. The daemon opens its ends again, as blocking. */
  private static Descriptor[] pipe() throws PosixException {
    int[] pair = new int[2];
    PosixException.check(Files.pipe(Files.O_CLOEXEC | Files.O_NONBLOCK, pair), "pipe2", "");
    return new Descriptor[] {Descriptor.adopt(pair[0]), Descriptor.adopt(pair[1])};
  }

  private static void closeAfter(Exception failure, Descriptor[] pipe) {
    for (Descriptor end : pipe) {
      Cleanup.close(end, failure);
    }
  }

  /** {@return the descriptors to keep open in the daemon, under the same numbers} */
  public List<Descriptor> daemonDescriptors() {
    return List.of(greeting, daemonsAnswers, daemonsMessages);
  }

  /**
   * Names the daemon's process. Until then the daemon waits in {@link DaemonEnd#find()}. Any other
   * process that has inherited the descriptors does not find a connection.
   *
   * @param pid the daemon's process id
   * @throws IllegalArgumentException if that is no process id
   * @throws IllegalStateException if that process runs and has not inherited the {@link
   *     #daemonDescriptors()}, since {@link ProcessBuilder} has started it, for instance: it would
   *     never find its end
   * @throws PosixException if other code has closed a descriptor
   */
  public void started(long pid) throws PosixException {
    if (pid < 1 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    if (!Handshake.isInheritedBy(pid, greeting)) {
      throw new IllegalStateException(
          "process "
              + pid
              + " has not inherited the connection, since ProcessBuilder closes all descriptors but"
              + " the standard streams: start it with the daemonDescriptors() kept open, by"
              + " Program.keep of daimon-forking");
    }
    Handshake.name(greeting, pid);
    answer(MessageCodec.NAMED);
  }

  /**
   * Closes this process's copies of the daemon's descriptors. Without this call the end of the
   * daemon is not noticed.
   *
   * @throws PosixException if other code has closed a descriptor
   */
  public void release() throws PosixException {
    try (greeting;
        daemonsAnswers) {
      daemonsMessages.close();
    }
  }

  /**
   * Receives the next message.
   *
   * <p>Several threads may wait. One of them gets the message; others may return early, without
   * one. An interrupt does not end the wait, and a virtual thread keeps its carrier meanwhile.
   *
   * @param timeout how long to wait, at least 0; 24 days at most
   * @return the message; empty if none arrived in that time, or only a part of one
   * @throws IllegalArgumentException if the timeout is negative
   * @throws PosixException if the connection is broken, or the daemon sent an invalid message
   *     ({@code EINVAL}); after that only {@link Message.Ended} is received
   */
  public Optional<Message> receive(Duration timeout) throws PosixException {
    Deadline deadline = Deadline.after(timeout);
    Message arrived = arrived();
    if (arrived != null) {
      return Optional.of(arrived);
    }
    int number = messages.number();
    if (!deadline.await(number, Polling.POLLIN)) {
      return Optional.empty();
    }
    return Optional.ofNullable(read(number));
  }

  private @Nullable Message read(int number) throws PosixException {
    synchronized (received) {
      // Of one that is broken the rest is read to its end, and dropped.
      byte[] bytes = new byte[broken ? MessageCodec.HEAD : received.space()];
      int length = Files.read(number, bytes);
      if (length == -Errno.EAGAIN.number()) {
        // Another thread was woken up by the same message, and was faster.
        return null;
      }
      if (PosixException.check(length, "read", number) == 0) {
        // A message that has arrived in part is dropped.
        return new Message.Ended();
      }
      if (!broken) {
        received.add(bytes, length);
      }
      return arrived();
    }
  }

  private @Nullable Message arrived() throws PosixException {
    synchronized (received) {
      if (broken) {
        return null;
      }
      try {
        return received.next();
      } catch (PosixException failure) {
        broken = true;
        throw failure;
      }
    }
  }

  /**
   * Tells the daemon that it counts as started. {@link DaemonEnd#awaitLauncher()} waits for this.
   *
   * @throws PosixException if the daemon has ended ({@code EPIPE})
   */
  public void confirm() throws PosixException {
    answer(MessageCodec.CONFIRMED);
  }

  private void answer(byte letter) throws PosixException {
    int number = answers.number();
    // A JVM ignores SIGPIPE.
    PosixException.check(Files.write(number, new byte[] {letter}), "write", number);
  }

  @Override
  public void close() throws PosixException {
    try (messages;
        answers) {
      release();
    }
  }
}
