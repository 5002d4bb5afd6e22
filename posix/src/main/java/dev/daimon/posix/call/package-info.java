/**
 * Bindings to the C library, a class for each family of calls.
 *
 * <p>A binding returns the call's value, or the negated error number; it never throws for a failed
 * call. A call that a signal interrupts is repeated, except {@code close}.
 */
package dev.daimon.posix.call;
