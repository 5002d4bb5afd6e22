/**
 * Starts programs as children or as daemons, and turns this JVM into a program.
 *
 * {@snippet file="dev/daimon/forking/Example.java" region="start-daemon"}
 *
 * <p>A child of this JVM is waited for:
 *
 * {@snippet file="dev/daimon/forking/Example.java" region="run-child"}
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.forking;

import org.jspecify.annotations.NullMarked;
