/**
 * The control of a daemon that somebody else has started: {@link dev.daimon.control.DaemonControl}.
 */
package dev.daimon.control;
