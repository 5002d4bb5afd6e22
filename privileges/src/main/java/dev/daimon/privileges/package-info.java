/**
 * Looks up users and groups, accesses files as another user, and gives up privileges.
 *
 * <p>To access a file with a user's permissions, on one thread:
 *
 * {@snippet file="dev/daimon/privileges/Example.java" region="access-files"}
 *
 * <p>To give up root in the whole process, permanently:
 *
 * {@snippet file="dev/daimon/privileges/Example.java" region="drop-privileges"}
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.privileges;

import org.jspecify.annotations.NullMarked;
