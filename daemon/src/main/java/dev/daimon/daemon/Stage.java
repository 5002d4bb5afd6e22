package dev.daimon.daemon;

/** The two runs of a program that daemonizes itself. */
public enum Stage {
  /** The run that a user, a script or an init system has started. */
  LAUNCHER,

  /** The run that the launcher has started as the daemon. */
  DAEMON
}
