/**
 * Handles of processes that stay valid when process ids are reused: {@link dev.daimon.pidfd.PidFd}.
 *
 * <p>Stop a process, and wait for its end:
 *
 * {@snippet file="dev/daimon/pidfd/Example.java" region="stop"}
 *
 * <p>Wait for a child of one's own, and take its exit status:
 *
 * {@snippet file="dev/daimon/pidfd/Example.java" region="wait"}
 *
 * <p>Describe a process:
 *
 * {@snippet file="dev/daimon/pidfd/Example.java" region="info"}
 *
 * <p>Run with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class
 * path. In a JVM that denies native access each call throws {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.pidfd;

import org.jspecify.annotations.NullMarked;
