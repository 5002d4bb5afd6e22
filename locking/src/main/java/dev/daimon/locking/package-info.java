/** A singleton lock that is held by at most one process at a time, and through a spawn. */
package dev.daimon.locking;
