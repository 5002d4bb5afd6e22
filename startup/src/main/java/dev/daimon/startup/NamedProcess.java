package dev.daimon.startup;

/**
 * Whom a pidfile names before the start.
 *
 * @param pid the process id in it; 0 if there is no file, or an empty one
 * @param owner the user id of its owner; 0 if there is no file
 */
public record NamedProcess(long pid, long owner) {
  /** Of a file that is not there. */
  static final NamedProcess NONE = new NamedProcess(0, 0);
}
