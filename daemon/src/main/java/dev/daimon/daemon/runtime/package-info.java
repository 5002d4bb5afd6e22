/**
 * What a running daemon has and does: its open resources, its reports to the launcher, and the
 * removal of its pidfile at the end.
 */
package dev.daimon.daemon.runtime;
