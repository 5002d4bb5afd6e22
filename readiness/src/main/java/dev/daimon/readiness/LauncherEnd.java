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
 * The launcher's end of the connection on which a daemon tells how its start goes.
 *
 * <p>The launcher makes the connection, starts the daemon with the {@link #daemonDescriptors()}
 * open in it, says by {@link #started} which process that is, closes its own copies of them by
 * {@link #release()}, and then receives messages until one of them is the verdict. The end of the
 * connection without a verdict is a failure: a daemon that dies early never looks started.
 *
 * <p>To start it takes something that keeps descriptors open, such as {@code Program.keep} of
 * module {@code daimon-forking}, or native code. {@link ProcessBuilder} closes all from 3 up.
 *
 * <p>The daemon must have the launcher's effective user when it looks for its end, and may change
 * it after that.
 *
 * <p>Closing this end, or dying, tells the daemon that nobody waits any more.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/pipe.7.html">pipe(7)</a>
 */
public final class LauncherEnd implements AutoCloseable {
  /** What the daemon says. */
  private final Descriptor messages;

  /** What the daemon is told. */
  private final Descriptor answers;

  private final Descriptor daemonsMessages;
  private final Descriptor daemonsAnswers;
  private final Descriptor greeting;

  /** Guarded by itself. */
  private final MessageBuffer arrivals = new MessageBuffer();

  /** Whether the daemon has sent what is no message; nothing after that counts. */
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
   * <p>The greeting waits in a file in memory until the daemon reads it: nothing depends on when it
   * does, and nothing is in its environment or in a file that has a path.
   *
   * @param greeting what the daemon is to know
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

  /** Where to read, and where to write; for this process alone both never wait. */
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

  /** {@return the daemon's end, to be kept open in the daemon under the same numbers} */
  public List<Descriptor> daemonDescriptors() {
    return List.of(greeting, daemonsAnswers, daemonsMessages);
  }

  /**
   * Says which process the daemon is: without that it waits, and nothing else that gets hold of its
   * end takes itself for it.
   *
   * @param pid the daemon's process id
   * @throws IllegalStateException if that process runs and has not inherited the {@link
   *     #daemonDescriptors()}, as one that was started by {@link ProcessBuilder}: it would never
   *     find its end
   * @throws PosixException if somebody else has closed a descriptor
   */
  public void started(long pid) throws PosixException {
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
   * Closes this process's copies of the daemon's end; only then the daemon's death can be noticed.
   *
   * @throws PosixException if somebody else has closed a descriptor
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
   * <p>Several threads may wait; one of them gets it, and others may return early, with nothing.
   *
   * @param timeout how long to wait for it, at least 0
   * @return the message, or nothing if none came in that time, or only a part of one
   * @throws PosixException if the connection broke, or the daemon sent what is no message ({@code
   *     EINVAL}): after that nothing is received but the end
   */
  public Optional<Message> receive(Duration timeout) throws PosixException {
    Objects.requireNonNull(timeout, "timeout");
    Message arrived = arrived();
    if (arrived != null) {
      return Optional.of(arrived);
    }
    int number = messages.number();
    int millis = (int) Math.min(Integer.MAX_VALUE, timeout.toMillis());
    if (PosixException.check(Polling.poll(number, Polling.POLLIN, millis), "poll", number) == 0) {
      return Optional.empty();
    }
    return Optional.ofNullable(read(number));
  }

  private @Nullable Message read(int number) throws PosixException {
    synchronized (arrivals) {
      byte[] bytes = new byte[arrivals.space()];
      int length = Files.read(number, bytes);
      if (length == -Errno.EAGAIN.number()) {
        // Another thread was woken up by it as well, and was faster.
        return null;
      }
      if (PosixException.check(length, "read", number) == 0) {
        // What it began to say, it has not said.
        return new Message.Ended();
      }
      if (!broken) {
        arrivals.add(bytes, length);
      }
      return arrived();
    }
  }

  private @Nullable Message arrived() throws PosixException {
    synchronized (arrivals) {
      if (broken) {
        return null;
      }
      try {
        return arrivals.next();
      } catch (PosixException failure) {
        broken = true;
        throw failure;
      }
    }
  }

  /**
   * Confirms that the daemon counts as started, for which {@link DaemonEnd#awaitLauncher()} waits.
   *
   * @throws PosixException if the daemon is gone ({@code EPIPE})
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
