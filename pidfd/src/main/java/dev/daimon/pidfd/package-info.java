/** A handle of a process that never means another one: signals and waits without a race. */
package dev.daimon.pidfd;
