/**
 * The facade: a Java program daemonizes itself, and ends with a reason if it cannot.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 *
 * <p>More in Daimon's documentation: testing such a program, {@code docs/testing.md}; logging
 * frameworks in a daemon, {@code docs/logging.md}.
 */
package dev.daimon.daemon;
