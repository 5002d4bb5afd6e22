/**
 * The types that Daimon's modules share: error numbers, signals, owned descriptors, and the
 * exception of a failed system call.
 */
package dev.daimon.posix;
