package dev.daimon.startup;

/**
 * The process that a pidfile names before the start.
 *
 * @param pid the process id in the file; 0 if there is no file, or an empty one
 * @param owner the user id of the file's owner; 0 if there is no file
 */
public record NamedProcess(long pid, long owner) {
  /** No file. */
  static final NamedProcess NONE = new NamedProcess(0, 0);
}
