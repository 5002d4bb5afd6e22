package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.VisibleText;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What a program has told a {@link NotifySocket} in one datagram, and who it was. Who sent it, the
 * kernel says. What it says, anybody may have written: judge the sender first.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sd_notify.3.html">sd_notify(3)</a>
 */
public final class Notification implements AutoCloseable {
  private static final long MICROS = 1_000_000;
  private static final long MICRO = 1000;
  private static final int MAX_ERRNO = 4095;

  /** Each with a name, {@code =}, and a value. */
  private final List<String> assignments;

  private final long senderPid;
  private final long senderUid;
  private final @Nullable Descriptor senderHandle;

  Notification(
      List<String> assignments, long senderPid, long senderUid, @Nullable Descriptor handle) {
    this.assignments = assignments;
    this.senderPid = senderPid;
    this.senderUid = senderUid;
    senderHandle = handle;
  }

  /**
   * Returns who sent this, by the kernel's word. Only root may send in another process's name. The
   * sender may have ended since, and its id may be another process's: see {@link #senderHandle()}.
   *
   * @return the sender's process id; 0 if it is in a PID namespace that this process cannot see
   */
  public long senderPid() {
    return senderPid;
  }

  /**
   * {@return a user id that the sender had when it sent this, by the kernel's word: the real one,
   * unless the sender chose its effective or saved one}
   */
  public long senderUid() {
    return senderUid;
  }

  /**
   * Returns a pidfd of the sender, which means that process for good.
   *
   * @return the pidfd, closed with this object; empty before Linux 6.5, or if the sender had ended
   *     already, or this process has no descriptor left
   */
  public Optional<Descriptor> senderHandle() {
    return Optional.ofNullable(senderHandle);
  }

  /**
   * Returns the value of an assignment.
   *
   * @param name the name before the {@code =}, such as {@code STATUS}
   * @return the value as it was sent; the first one if there are several; empty if there is none
   */
  public Optional<String> value(String name) {
    Objects.requireNonNull(name, "name");
    return Optional.ofNullable(find(name));
  }

  private @Nullable String find(String name) {
    for (String assignment : assignments) {
      if (assignment.indexOf('=') == name.length() && assignment.startsWith(name)) {
        return assignment.substring(name.length() + 1);
      }
    }
    return null;
  }

  /** {@return whether it says that the service is ready, or done with a reload: {@code READY=1}} */
  public boolean isReady() {
    return assignments.contains("READY=1");
  }

  /** {@return whether it says that a reload begins: {@code RELOADING=1}} */
  public boolean isReloading() {
    return assignments.contains("RELOADING=1");
  }

  /** {@return whether it says that the service shuts down: {@code STOPPING=1}} */
  public boolean isStopping() {
    return assignments.contains("STOPPING=1");
  }

  /** {@return whether it says that the service works: {@code WATCHDOG=1}} */
  public boolean isPing() {
    return assignments.contains("WATCHDOG=1");
  }

  /**
   * Returns what the service says that it is doing: {@code STATUS=}.
   *
   * @return the text, of at most 4 KiB, with whatever control characters are in it: before it is
   *     shown, {@link VisibleText#line} makes it harmless; empty if there is none
   */
  public Optional<String> status() {
    return Optional.ofNullable(find("STATUS"));
  }

  /**
   * Returns the process id of the service's main process: {@code MAINPID}.
   *
   * @return the process id, from 1 to 2<sup>31</sup> - 1; empty if there is none, or it is not one
   */
  public OptionalLong mainPid() {
    long pid = number("MAINPID", Integer.MAX_VALUE);
    return pid < 1 ? OptionalLong.empty() : OptionalLong.of(pid);
  }

  /**
   * Returns for how much more time the service asks: {@code EXTEND_TIMEOUT_USEC}.
   *
   * @return the time from now on, from 0 to 2<sup>63</sup> - 1 microseconds, 292,000 years; empty
   *     if there is none, or it is not a number, or a larger one
   */
  public Optional<Duration> extendTimeout() {
    long micros = number("EXTEND_TIMEOUT_USEC", Long.MAX_VALUE);
    return micros < 0
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds(micros / MICROS, micros % MICROS * MICRO));
  }

  /**
   * Returns the error with which the service fails: {@code ERRNO}.
   *
   * @return the error; empty if there is none, or it is not a number from 1 to 4095
   */
  public Optional<Errno> errno() {
    long number = number("ERRNO", MAX_ERRNO);
    return number < 1 ? Optional.empty() : Optional.of(Errno.of((int) number));
  }

  private long number(String name, long max) {
    String text = find(name);
    long number = text == null ? -1 : number(text);
    return number <= max ? number : -1;
  }

  /** Returns a number that has digits alone; -1 if the text is none, or a larger one than fits. */
  static long number(String text) {
    if (text.isEmpty()) {
      return -1;
    }
    long number = 0;
    for (int i = 0; i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9 || number > (Long.MAX_VALUE - digit) / 10) {
        return -1;
      }
      number = 10 * number + digit;
    }
    return number;
  }

  /** Closes the {@link #senderHandle()}. */
  @Override
  public void close() throws PosixException {
    if (senderHandle != null) {
      senderHandle.close();
    }
  }

  /** {@return sender and assignments, with hidden characters replaced; for people to read} */
  @Override
  public String toString() {
    return "process " + senderPid + ": " + VisibleText.line(String.join(", ", assignments));
  }
}
