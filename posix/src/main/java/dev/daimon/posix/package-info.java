/**
 * The types that Daimon's modules share: error numbers, signals, capabilities, resource limits,
 * descriptors that are closed by their owner, and the exception of a failed system call.
 *
 * <p>A failed call tells its error and its subject:
 *
 * {@snippet file="dev/daimon/posix/Example.java" region="failed-call"}
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.posix;

import org.jspecify.annotations.NullMarked;
