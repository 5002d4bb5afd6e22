/** What the launcher hands over to the daemon, and how a process finds out which of them it is. */
package dev.daimon.daemon.handover;
