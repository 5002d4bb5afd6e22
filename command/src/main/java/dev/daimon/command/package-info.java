/**
 * The command line of a program that daemonizes itself: {@link dev.daimon.command.DaemonCommand} is
 * its {@code main}.
 *
 * {@snippet file="dev/daimon/command/Example.java" region="main"}
 */
@NullMarked
package dev.daimon.command;

import org.jspecify.annotations.NullMarked;
