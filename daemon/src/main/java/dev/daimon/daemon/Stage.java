package dev.daimon.daemon;

/** Which of the two runs of a program that daemonizes itself this one is. */
public enum Stage {
  /** The run that a user, a script or an init system started. */
  LAUNCHER,

  /** The run that the first one started, as a daemon. */
  DAEMON
}
