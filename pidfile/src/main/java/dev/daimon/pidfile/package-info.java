/**
 * Reads, writes and removes pidfiles.
 *
 * {@snippet file="dev/daimon/pidfile/Example.java" region="write"}
 *
 * <p>{@link dev.daimon.pidfile.PidFile#prepare()} finds out whether the file can be written before
 * the process exists that it will name:
 *
 * {@snippet file="dev/daimon/pidfile/Example.java" region="prepare"}
 *
 * <p>A pidfile names a process, and does not show that it runs. The lock that shows this is in
 * {@code dev.daimon.locking}.
 *
 * <p>Run with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class
 * path. In a JVM that denies native access each call throws {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.pidfile;

import org.jspecify.annotations.NullMarked;
