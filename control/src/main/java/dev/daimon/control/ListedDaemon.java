package dev.daimon.control;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * An entry in a {@link DaemonRegistry}'s list.
 *
 * @param daemon the daemon
 * @param defined whether there is a definition, be it right or wrong
 * @param status its status when it was examined; the programs that read its output are not looked
 *     for, and left out
 * @param memory the resident set of its process in bytes, without its children's; empty if it does
 *     not run, or the process is hidden from this user
 */
public record ListedDaemon(
    NamedDaemon daemon, boolean defined, DaemonStatus status, OptionalLong memory) {
  /** Requires every object. */
  public ListedDaemon {
    Objects.requireNonNull(daemon, "daemon");
    Objects.requireNonNull(status, "status");
    Objects.requireNonNull(memory, "memory");
  }
}
