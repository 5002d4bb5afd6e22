/**
 * Starts, stops, signals and watches a daemon by its pidfile: {@link
 * dev.daimon.control.DaemonControl}.
 *
 * <p>Start a program as a daemon, unless it runs:
 *
 * {@snippet file="dev/daimon/control/Example.java" region="start"}
 *
 * <p>Ask whether the daemon runs:
 *
 * {@snippet file="dev/daimon/control/Example.java" region="status"}
 *
 * <p>Stop the daemon, and wait until it has ended:
 *
 * {@snippet file="dev/daimon/control/Example.java" region="stop"}
 *
 * <p>Run with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class
 * path. In a JVM that denies native access each call throws {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.control;

import org.jspecify.annotations.NullMarked;
