/**
 * The settings of a daemon as plain values, and the check for everything that is wrong with them.
 */
package dev.daimon.daemon.config;
