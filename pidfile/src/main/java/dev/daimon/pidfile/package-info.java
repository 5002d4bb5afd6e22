/** Pidfiles that are read, written and removed atomically. */
package dev.daimon.pidfile;
