/**
 * Understands the command line of a JVM, as the {@code java} launcher does: derives from it the
 * command that runs the same program in another directory, and tells which program it names.
 */
package dev.daimon.daemon.javacommand;
