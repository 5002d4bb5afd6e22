/** How a daemon tells its launcher that it is ready, or why it never will be. */
package dev.daimon.readiness;
