/** Starting programs as daemons, and becoming them: spawn, session, umask, exec, descriptors. */
package dev.daimon.forking;
