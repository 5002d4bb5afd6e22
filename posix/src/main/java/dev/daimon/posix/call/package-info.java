/**
 * Bindings to the C library, a class for each family of calls.
 *
 * <p>A binding returns the call's value, or the negated error number; it never throws for a failed
 * call. Calls that are interrupted by a signal are made again, but for {@code close}.
 */
package dev.daimon.posix.call;
