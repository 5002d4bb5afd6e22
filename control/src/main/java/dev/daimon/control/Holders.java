package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.PosixException;
import java.util.ArrayList;
import java.util.List;

/** Who holds a lock, for people to read. */
final class Holders {
  private Holders() {}

  static List<Holder> of(LockedFile file) throws PosixException {
    List<Holder> holders = new ArrayList<>();
    for (long pid : file.holders()) {
      holders.add(new Holder(pid, name(pid)));
    }
    return holders;
  }

  private static String name(long pid) {
    try (PidFd process = PidFd.open(pid)) {
      return process.info().name();
    } catch (PosixException gone) {
      return "";
    }
  }

  /** Such as {@code " by process 1 (init), process 2 (x)"}; empty if none can be seen. */
  static String by(List<Holder> holders) {
    StringBuilder text = new StringBuilder();
    for (Holder holder : holders) {
      text.append(text.isEmpty() ? " by " : ", ").append(holder);
    }
    return text.toString();
  }
}
