/** The daemon's standard streams: before it is ready, afterwards, and while it captures its own. */
package dev.daimon.daemon.streams;
