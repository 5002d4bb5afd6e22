/**
 * Handles signals on an ordinary thread, reads and sets signal dispositions and masks, and sends
 * signals.
 *
 * {@snippet file="dev/daimon/signals/Example.java" region="handle-signals"}
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.signals;

import org.jspecify.annotations.NullMarked;
