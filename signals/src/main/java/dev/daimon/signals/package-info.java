/** Signal dispositions, signal masks and kill. */
package dev.daimon.signals;
