/**
 * The command line of a program that daemonizes itself: {@link dev.daimon.command.DaemonCommand} is
 * its {@code main}.
 */
package dev.daimon.command;
