package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.PosixException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Who holds a lock, for people to read. */
final class Holders {
  /** How many are named in a message. */
  private static final int NAMED = 8;

  /** Names are told to people, and nothing depends on them. */
  private static final Duration NAMING = Duration.ofSeconds(1);

  private Holders() {}

  /** Those that can be seen within a second. */
  static List<Holder> of(LockedFile file) throws PosixException {
    List<Holder> holders = new ArrayList<>();
    for (long pid : file.holders(NAMING)) {
      holders.add(new Holder(pid, name(pid)));
    }
    return holders;
  }

  private static String name(long pid) {
    try (PidFd process = PidFd.open(pid)) {
      return process.name();
    } catch (PosixException gone) {
      return "";
    }
  }

  /**
   * Such as {@code " by process 1 (init), process 2 (x) and 40 more"}, or {@code " by a process
   * that cannot be seen from here"}.
   */
  static String by(List<Holder> holders) {
    if (holders.isEmpty()) {
      return " by a process that cannot be seen from here";
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < holders.size() && i < NAMED; i++) {
      text.append(text.isEmpty() ? " by " : ", ").append(holders.get(i));
    }
    return holders.size() <= NAMED
        ? text.toString()
        : text.append(" and ").append(holders.size() - NAMED).append(" more").toString();
  }
}
