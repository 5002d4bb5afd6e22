/**
 * The part of a start that the command and the facade share: its files, the identity that the
 * daemon becomes, and the reasons and exit codes of a failure.
 *
 * <p>{@link dev.daimon.startup.DaemonFiles} opens and locks the files in the one order in which
 * each failure can be taken back:
 *
 * {@snippet file="dev/daimon/startup/Example.java" region="start"}
 */
@NullMarked
package dev.daimon.startup;

import org.jspecify.annotations.NullMarked;
