package dev.daimon.daemon.files;

/**
 * Whom a pidfile names before the start.
 *
 * @param pid the process id in it; 0 if there is no file, or an empty one
 * @param owner the user id of its owner; 0 if there is no file
 */
public record Predecessor(long pid, long owner) {
  /** Of a file that is not there. */
  static final Predecessor NONE = new Predecessor(0, 0);
}
