/**
 * The facade: one call makes a Java program a daemon, or ends it with the reason why that failed.
 *
 * {@snippet file="dev/daimon/daemon/Example.java" region="daemonize"}
 *
 * <p>Start with {@link dev.daimon.daemon.Daemonizer}, which explains the two processes, launcher
 * and daemon. {@link dev.daimon.daemon.DaemonConfig} has the settings, {@link
 * dev.daimon.daemon.Daemon} the actions of the running daemon.
 *
 * <p>Run it with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the
 * class path: a JVM that denies native access fails each call by a {@link
 * dev.daimon.posix.NativeAccessException}.
 *
 * <p>Daimon's documentation has more: {@code docs/testing.md} about tests of such a program, {@code
 * docs/logging.md} about logging frameworks in a daemon.
 */
@NullMarked
package dev.daimon.daemon;

import org.jspecify.annotations.NullMarked;
