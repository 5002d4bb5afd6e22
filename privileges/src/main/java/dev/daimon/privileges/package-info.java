/** Users and groups, as the system resolves them, acting as them, and giving privileges up. */
package dev.daimon.privileges;
