/**
 * The command {@code daimon}: order and policy, and no system call of its own. {@link
 * dev.daimon.cli.Main} is its entry; {@link dev.daimon.cli.StartCommand} starts programs, {@link
 * dev.daimon.cli.Control} controls daemons, and {@link dev.daimon.cli.Command} and {@link
 * dev.daimon.cli.CommandOption} are the tables of commands and options.
 */
package dev.daimon.cli;
