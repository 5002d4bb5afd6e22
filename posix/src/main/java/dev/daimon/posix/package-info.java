/**
 * The types that Daimon's modules share: error numbers, signals, owned descriptors, and the
 * exception of a failed system call.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 */
package dev.daimon.posix;
