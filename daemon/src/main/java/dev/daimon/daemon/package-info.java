/** A Java program daemonizes itself in one call. */
package dev.daimon.daemon;
