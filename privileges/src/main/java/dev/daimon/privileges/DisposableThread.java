package dev.daimon.privileges;

import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.net.URL;
import org.jspecify.annotations.Nullable;

/** A new thread that changes its credentials, runs an action, and ends; its caller waits for it. */
final class DisposableThread<T extends @Nullable Object> implements Runnable {
  /**
   * Locked while credentials change: the C library aborts the process if a change of all threads
   * succeeds in one and fails in another.
   */
  static final Object CHANGING = new Object();

  private final Change change;
  private final FileAction<T> action;
  private @Nullable String fault;
  private @Nullable T result;
  private @Nullable Throwable failure;

  private DisposableThread(Change change, FileAction<T> action) {
    this.change = change;
    this.action = action;
  }

  /** A change that a thread makes to itself. */
  interface Change {
    /**
     * Makes the change, and returns what is wrong with the thread afterwards; null if nothing is.
     */
    @Nullable String make() throws PosixException, CredentialsException;
  }

  /** Runs an action after a change, and returns or throws what the action does. */
  static <T extends @Nullable Object> T call(Change change, FileAction<T> action)
      throws IOException {
    openClassPath();
    DisposableThread<T> acting = new DisposableThread<>(change, action);
    Thread thread = new Thread(acting, "daimon-identity");
    thread.setDaemon(true);
    thread.start();
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return acting.result();
  }

  /**
   * Makes the class loader open its files now. If all classes so far came from an archive (AOT,
   * CDS), it has opened none yet, and would open them for the first class that is not in the
   * archive: with the credentials of a user who may not read them.
   */
  private static void openClassPath() {
    // A resource that does not exist is looked for in every file of the class path.
    URL _ = ClassLoader.getSystemResource("dev/daimon/nowhere");
  }

  @Override
  public void run() {
    try {
      synchronized (CHANGING) {
        fault = change.make();
      }
      if (fault == null) {
        result = action.run();
      }
    } catch (Throwable thrown) {
      // The caller's thread throws it again.
      failure = thrown;
    }
  }

  // "NullAway": without a failure the result is what the action returned, null only if T may be.
  @SuppressWarnings("NullAway")
  private T result() throws IOException {
    if (fault != null) {
      // Not made on the thread: in another root directory its class might not be found.
      throw new CredentialsException(fault);
    }
    if (failure instanceof IOException exception) {
      throw exception;
    }
    if (failure instanceof RuntimeException exception) {
      throw exception;
    }
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure != null) {
      // A checked exception that the action must not throw, but can, in other languages.
      throw new UndeclaredThrowableException(failure);
    }
    return result;
  }
}
