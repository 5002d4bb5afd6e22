package dev.daimon.signals;

import dev.daimon.posix.Signal;

/** What is done when a signal has come, on an ordinary thread: it may block, lock and allocate. */
@FunctionalInterface
public interface SignalHandler {
  /**
   * Does it.
   *
   * @param signal the signal that has come
   * @throws Exception anything; it is reported, and the events go on
   */
  void handle(Signal signal) throws Exception;
}
