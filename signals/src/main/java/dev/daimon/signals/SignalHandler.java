package dev.daimon.signals;

import dev.daimon.posix.Signal;

/** A handler of signals. It runs on an ordinary thread, so it may block, lock and allocate. */
@FunctionalInterface
public interface SignalHandler {
  /**
   * Handles a signal that has arrived.
   *
   * @param signal the signal
   * @throws Exception any failure; it is reported, and later signals are still handled
   */
  void handle(Signal signal) throws Exception;
}
