/**
 * Lets a daemon tell whoever has started it that it is ready, or why it is not: a launcher of this
 * package, systemd or another service manager, a supervisor such as s6.
 *
 * <h2>A connection of launcher and daemon</h2>
 *
 * <p>The launcher makes the connection and waits for the verdict:
 *
 * {@snippet file="dev/daimon/readiness/Example.java" region="launcher"}
 *
 * <p>The daemon reports:
 *
 * {@snippet file="dev/daimon/readiness/Example.java" region="daemon"}
 *
 * <h2>sd_notify</h2>
 *
 * <p>A service tells its manager how it is getting on. Without a manager, each call does nothing:
 *
 * {@snippet file="dev/daimon/readiness/Example.java" region="service"}
 *
 * <p>A manager starts any program that speaks {@code sd_notify}, and waits for it:
 *
 * {@snippet file="dev/daimon/readiness/Example.java" region="manager"}
 *
 * <h2>A newline</h2>
 *
 * <p>{@link dev.daimon.readiness.NewlineNotifier} and {@link dev.daimon.readiness.NewlinePipe} are
 * the two ends of what s6 and dinit use: a newline on an inherited pipe.
 *
 * <p>Run Java with {@code --enable-native-access=dev.daimon.posix}, or with {@code
 * --enable-native-access=ALL-UNNAMED} on the class path. Where the JVM denies native access, each
 * call throws a {@link dev.daimon.posix.NativeAccessException}.
 */
@NullMarked
package dev.daimon.readiness;

import org.jspecify.annotations.NullMarked;
