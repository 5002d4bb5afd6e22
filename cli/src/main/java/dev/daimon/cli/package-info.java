/** The command {@code daimon}: order and policy of a start, and no system call of its own. */
package dev.daimon.cli;
