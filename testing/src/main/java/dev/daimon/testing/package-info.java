/** What the tests of Daimon's modules share: child JVMs, commands, and views of {@code /proc}. */
@NullMarked
package dev.daimon.testing;

import org.jspecify.annotations.NullMarked;
