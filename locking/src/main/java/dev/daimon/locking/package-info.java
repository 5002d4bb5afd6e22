/**
 * Locks that at most one process holds, such as the lock on a daemon's pidfile.
 *
 * <p>A {@link dev.daimon.locking.SingletonLock} makes sure that a program runs only once:
 *
 * {@snippet file="dev/daimon/locking/Example.java" region="acquire"}
 *
 * <p>A {@link dev.daimon.locking.LockedFile} tells which processes hold such a lock:
 *
 * {@snippet file="dev/daimon/locking/Example.java" region="holders"}
 *
 * <p>Run with {@code --enable-native-access=dev.daimon.posix}, or {@code ALL-UNNAMED} on the class
 * path. In a JVM that denies native access each call throws {@link
 * dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.locking;

import org.jspecify.annotations.NullMarked;
