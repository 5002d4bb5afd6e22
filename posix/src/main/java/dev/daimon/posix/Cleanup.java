package dev.daimon.posix;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Clean-up that does not hide the first failure: what fails later is added to it as {@linkplain
 * Throwable#addSuppressed suppressed}.
 */
public final class Cleanup {
  private Cleanup() {}

  /**
   * Closes a resource after a failure. If that fails too, the second failure is added to the first
   * one, and nothing is thrown.
   *
   * <p>Where nothing has failed before, use {@code try} with the resource.
   *
   * @param resource what to close
   * @param failure the failure that the caller is about to throw
   */
  public static void close(AutoCloseable resource, Throwable failure) {
    Objects.requireNonNull(resource, "resource");
    Objects.requireNonNull(failure, "failure");
    try {
      resource.close();
    } catch (Throwable second) {
      // The JVM has a few objects for a lack of memory, and may throw the same one again.
      if (!second.equals(failure)) {
        failure.addSuppressed(second);
      }
    }
  }

  /**
   * Keeps the first of several failures, where each step is to be done whatever becomes of the
   * others.
   *
   * @param first the failure so far; null if nothing has failed yet
   * @param next the failure of a further step
   * @param <E> the type of both
   * @return the first failure, with the further one added to it; the further one if it is the first
   */
  public static <E extends Exception> E first(@Nullable E first, E next) {
    Objects.requireNonNull(next, "next");
    if (first == null) {
      return next;
    }
    first.addSuppressed(next);
    return first;
  }
}
