/** Users and groups, as the system resolves them, and switching to them. */
package dev.daimon.privileges;
