package dev.daimon.privileges;

import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.net.URL;
import org.jspecify.annotations.Nullable;

/** A fresh thread that changes itself, acts, and ends, while its caller waits for it. */
final class DisposableThread<T extends @Nullable Object> implements Runnable {
  /** Held while credentials change: the C library aborts if its threads do not fare alike. */
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

  /** What a thread does to itself. */
  interface Change {
    /** Makes it, and returns what is wrong with the thread even so; null for nothing. */
    @Nullable String make() throws PosixException, CredentialsException;
  }

  /** Runs an action after a change, and returns or throws what it does. */
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
   * Has the class loader open its files while it may: where all classes so far came from an archive
   * (AOT, CDS) it has opened none, and the first class that is not in there would be looked for
   * with the rights of somebody who may not read them.
   */
  private static void openClassPath() {
    // Who looks for what is nowhere looks everywhere.
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
      // The caller's thread throws it again, whatever it is.
      failure = thrown;
    }
  }

  // "NullAway": without a failure the result is what the action returned, null only if T may be.
  @SuppressWarnings("NullAway")
  private T result() throws IOException {
    if (fault != null) {
      // Not made there: in another root directory its class could not be loaded.
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
    return result;
  }
}
