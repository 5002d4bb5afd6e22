/**
 * Handlers of signals on ordinary threads, signal dispositions, signal masks and kill.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
package dev.daimon.signals;
