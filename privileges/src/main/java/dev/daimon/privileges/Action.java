package dev.daimon.privileges;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What is to be done with another identity.
 *
 * @param <T> the type of the result
 * @see Identity#call
 */
@FunctionalInterface
public interface Action<T extends @Nullable Object> {
  /**
   * Does it.
   *
   * @return the result
   * @throws IOException if it fails
   */
  T run() throws IOException;
}
