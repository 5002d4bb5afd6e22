/** The files of a daemon: opened, locked, given away and taken back in the one right order. */
package dev.daimon.startup;
