package dev.daimon.testing;

/** What a process does with a pidfile while daemons start. */
public enum Meddling {
  /** It changes the file under its lock. */
  OBEYS,

  /** It unlinks and renames the file, whoever has the lock. */
  REMOVES,

  /** It also puts other files in its place. */
  REPLACES
}
