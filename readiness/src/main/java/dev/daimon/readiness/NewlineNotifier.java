package dev.daimon.readiness;

import dev.daimon.posix.VisibleText;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Tells a supervisor that this process is ready, as s6 wants it: by a newline on a pipe that the
 * process has inherited.
 *
 * <p>Makes no native call before {@link #ready()}. Safe for use by several threads.
 *
 * @see <a href="https://skarnet.org/software/s6/notifywhenup.html">s6: service startup
 *     notifications</a>
 */
public final class NewlineNotifier {
  private static final int ABSENT = -1;

  /** The inherited descriptor, or {@link #ABSENT}. */
  private final int number;

  /** Why there is no usable number; null if there is one. */
  private final @Nullable String mistake;

  private boolean done;

  private NewlineNotifier(int number, @Nullable String mistake) {
    this.number = number;
    this.mistake = mistake;
  }

  /**
   * Returns a notifier on an inherited descriptor.
   *
   * @param descriptor its number, such as 3; use this only if the supervisor passes it, since a JVM
   *     opens files of its own
   * @return the notifier
   * @throws IllegalArgumentException if the number is negative
   */
  public static NewlineNotifier to(int descriptor) {
    if (descriptor < 0) {
      throw new IllegalArgumentException("not a descriptor: " + descriptor);
    }
    return new NewlineNotifier(descriptor, null);
  }

  /**
   * Returns a notifier on the descriptor whose number is the value of an environment variable.
   *
   * @param variable the variable's name, such as {@code NOTIFY_FD}; there is no common one, and s6
   *     sets none
   * @return the notifier; one that does nothing if the variable is absent or empty, and one whose
   *     {@link #ready()} fails if its value is not a descriptor's number
   */
  public static NewlineNotifier fromEnvironment(String variable) {
    Objects.requireNonNull(variable, "variable");
    return of(variable, System.getenv(variable));
  }

  static NewlineNotifier of(String variable, @Nullable String value) {
    if (value == null || value.isEmpty()) {
      return new NewlineNotifier(ABSENT, null);
    }
    int number = number(value);
    return new NewlineNotifier(
        number,
        number == ABSENT
            ? variable + "=" + VisibleText.line(value) + ": not the number of a descriptor"
            : null);
  }

  private static int number(String value) {
    int number = 0;
    for (int i = 0; i < value.length(); i++) {
      char digit = value.charAt(i);
      if (digit < '0' || digit > '9' || i == 9) {
        return ABSENT;
      }
      number = 10 * number + digit - '0';
    }
    return number;
  }

  /** {@return whether there is a descriptor to write to: false if the variable is absent} */
  public boolean isPresent() {
    return number != ABSENT || mistake != null;
  }

  /**
   * Writes the newline and closes the descriptor. Of standard input, output and error the number
   * stays in use, and leads to the null device from then on: the next file that is opened would get
   * it.
   *
   * <p>Only the first call does something. It waits at most five seconds for a pipe that is full.
   *
   * @return whether the newline was written: false if there is no descriptor, or after the first
   *     call
   * @throws IOException if the variable's value is not the number of a descriptor, or the
   *     descriptor is not a pipe to write to ({@code EBADF}, then it is left alone), or nobody
   *     reads the pipe ({@code EPIPE}), or it stays full ({@code ETIMEDOUT})
   */
  public synchronized boolean ready() throws IOException {
    if (mistake != null) {
      throw new IOException(mistake);
    }
    if (done || number == ABSENT) {
      return false;
    }
    NewlineWriter.requirePipe(number);
    done = true;
    NewlineWriter.write(number);
    return true;
  }
}
