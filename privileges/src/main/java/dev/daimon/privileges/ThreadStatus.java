package dev.daimon.privileges;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The credentials of one thread, as the kernel shows them in {@code /proc}. */
final class ThreadStatus {
  private static final int CAP_SETGID = 6;

  private final String name;
  private final boolean ended;
  private final int[] uids;
  private final int[] gids;
  private final int[] groups;
  private final long permitted;
  private final long effective;

  private ThreadStatus(String name, String status) throws CredentialsException {
    this.name = name;
    char state = field(status, "State").charAt(0);
    ended = state == 'Z' || state == 'X';
    uids = ids(field(status, "Uid"));
    gids = ids(field(status, "Gid"));
    groups = ids(field(status, "Groups"));
    Arrays.sort(groups);
    permitted = Long.parseUnsignedLong(field(status, "CapPrm"), 16);
    effective = Long.parseUnsignedLong(field(status, "CapEff"), 16);
  }

  /** The calling thread's. */
  static ThreadStatus own() throws PosixException, CredentialsException {
    ThreadStatus own = read("thread-self", "the calling thread");
    if (own == null) {
      throw new CredentialsException("the calling thread is not in /proc");
    }
    return own;
  }

  /** That of a thread of this process; null if it has ended. */
  static @Nullable ThreadStatus of(String thread) throws PosixException, CredentialsException {
    return read("self/task/".concat(thread), "thread ".concat(thread));
  }

  private static @Nullable ThreadStatus read(String directory, String name)
      throws PosixException, CredentialsException {
    String path = "/proc/".concat(directory).concat("/status");
    int fd =
        Files.open(path.getBytes(StandardCharsets.US_ASCII), Files.O_RDONLY | Files.O_CLOEXEC, 0);
    if (fd == -Errno.ENOENT.number() || fd == -Errno.ESRCH.number()) {
      return null;
    }
    PosixException.check(fd, "open", path);
    try {
      byte[] text = new byte[4096];
      int length = 0;
      while (true) {
        byte[] part = new byte[4096];
        int count = Files.read(fd, part);
        if (count == -Errno.ESRCH.number()) {
          return null;
        }
        if (PosixException.check(count, "read", path) == 0) {
          return new ThreadStatus(name, new String(text, 0, length, StandardCharsets.US_ASCII));
        }
        if (length + count > text.length) {
          text = Arrays.copyOf(text, 2 * text.length);
        }
        System.arraycopy(part, 0, text, length, count);
        length += count;
      }
    } finally {
      Files.close(fd);
    }
  }

  /** The thread, for a message. */
  String name() {
    return name;
  }

  /** Whether it runs no more code: all that is left is its entry in the process table. */
  boolean hasEnded() {
    return ended;
  }

  /** Real, effective, saved and file system user id. */
  int[] uids() {
    return uids;
  }

  /** Real, effective, saved and file system group id. */
  int[] gids() {
    return gids;
  }

  /** The supplementary groups, sorted as signed numbers. */
  int[] groups() {
    return groups;
  }

  /** Whether one of its user ids is root's, so that a change of all of them takes capabilities. */
  boolean hasRootId() {
    return uids[0] == 0 || uids[1] == 0 || uids[2] == 0;
  }

  /** Whether it could do what only root may. */
  boolean hasCapabilities() {
    return (permitted | effective) != 0;
  }

  /** Whether it may change its groups. */
  boolean maySetGroups() {
    return (effective >> CAP_SETGID & 1) != 0;
  }

  /** What tells its credentials from another thread's; null for nothing. */
  @Nullable String difference(ThreadStatus other) {
    if (!Arrays.equals(uids, other.uids)) {
      return "user ids " + list(uids);
    }
    if (!Arrays.equals(gids, other.gids)) {
      return "group ids " + list(gids);
    }
    if (!Arrays.equals(groups, other.groups)) {
      return "supplementary groups " + list(groups);
    }
    return null;
  }

  /** Ids as the kernel prints them: unsigned, with blanks between. */
  static String list(int[] ids) {
    StringBuilder list = new StringBuilder();
    for (int id : ids) {
      list.append(list.isEmpty() ? "" : " ").append(Integer.toUnsignedLong(id));
    }
    return list.toString();
  }

  /** The text after a field's name. The name of a thread, which it chooses, cannot forge a line. */
  private static String field(String status, String field) throws CredentialsException {
    int start = status.indexOf("\n".concat(field).concat(":"));
    int end = status.indexOf('\n', start + 1);
    if (start < 0 || end < 0) {
      throw new CredentialsException("/proc shows no " + field + " of a thread");
    }
    return status.substring(start + field.length() + 2, end).strip();
  }

  private static int[] ids(String text) {
    int[] ids = new int[text.length() / 2 + 1];
    int count = 0;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > ' ') {
        int end = i;
        while (end < text.length() && text.charAt(end) > ' ') {
          end++;
        }
        ids[count++] = Integer.parseUnsignedInt(text, i, end, 10);
        i = end;
      }
    }
    return Arrays.copyOf(ids, count);
  }
}
