/** Handlers of signals on ordinary threads, signal dispositions, signal masks and kill. */
package dev.daimon.signals;
