package dev.daimon.privileges;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An action that accesses files as another user.
 *
 * @param <T> the type of the result
 * @see Identity#accessFiles
 */
@FunctionalInterface
public interface FileAction<T extends @Nullable Object> {
  /**
   * Runs the action as the user.
   *
   * @return the result
   * @throws IOException if it fails. Another checked exception, as other languages throw it,
   *     reaches the caller as an {@link java.lang.reflect.UndeclaredThrowableException}
   */
  T run() throws IOException;
}
