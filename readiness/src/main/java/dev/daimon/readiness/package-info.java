/**
 * Lets a daemon tell the process that has started it, its launcher, that it is ready, or why it is
 * not.
 *
 * <p>The launcher makes the connection and waits for the verdict:
 *
 * {@snippet file="dev/daimon/readiness/Example.java" region="launcher"}
 *
 * <p>The daemon reports:
 *
 * {@snippet file="dev/daimon/readiness/Example.java" region="daemon"}
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
package dev.daimon.readiness;
