/**
 * The command line of a program that daemonizes itself: {@link dev.daimon.command.DaemonCommand} is
 * its {@code main}.
 */
@NullMarked
package dev.daimon.command;

import org.jspecify.annotations.NullMarked;
