package dev.daimon.control;

/** What an action has met. What went wrong is an exception. */
public enum Outcome {
  /** It was done. */
  OK,

  /** There was nothing to do: running when it was to be started, not running when to be stopped. */
  ALREADY_DONE,

  /** Nobody was there to take the signal. */
  NOT_RUNNING,

  /**
   * The daemon had gone and left its pidfile. It was started for all that; or there was nothing to
   * stop, and the file is gone now; or nobody was there to take the signal.
   */
  STALE
}
