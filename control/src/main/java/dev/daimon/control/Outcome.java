package dev.daimon.control;

/** The outcome of an action that did not fail; a failure is an exception. */
public enum Outcome {
  /** The action was done. */
  OK,

  /** There was nothing to do: a start found the daemon running, or a stop found it not running. */
  ALREADY_DONE,

  /** The daemon did not run, so no signal was sent. */
  NOT_RUNNING,

  /**
   * The daemon had ended, and had left its pidfile. A start has started a new one; a stop has
   * removed the file; a signal was not sent.
   */
  STALE
}
