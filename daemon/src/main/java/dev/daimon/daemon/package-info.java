/** The facade: a Java program daemonizes itself, and ends with a reason if it cannot. */
package dev.daimon.daemon;
