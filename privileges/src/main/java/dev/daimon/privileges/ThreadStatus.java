package dev.daimon.privileges;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The credentials of one thread, as the kernel shows them in {@code /proc}. */
final class ThreadStatus {
  private static final String OWN_NAME = "the calling thread";

  private final String name;
  private final char state;
  private final int[] uids;
  private final int[] gids;
  private final int[] groups;
  private final String status;
  private final long permitted;
  private final long effective;

  private ThreadStatus(String name, String status) throws CredentialsException {
    this.name = name;
    this.status = status;
    state = field(status, "State").charAt(0);
    uids = ids(field(status, "Uid"));
    gids = ids(field(status, "Gid"));
    groups = ids(field(status, "Groups"));
    Arrays.sort(groups);
    permitted = Long.parseUnsignedLong(field(status, "CapPrm"), 16);
    effective = Long.parseUnsignedLong(field(status, "CapEff"), 16);
  }

  /** The calling thread's. */
  static ThreadStatus own() throws PosixException, CredentialsException {
    ThreadStatus own = read("thread-self", OWN_NAME);
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
      return read(fd, path, name);
    } finally {
      Files.close(fd);
    }
  }

  private static @Nullable ThreadStatus read(int fd, String path, String name)
      throws PosixException, CredentialsException {
    byte[] text = new byte[4096];
    int length = 0;
    while (true) {
      byte[] part = new byte[4096];
      int count = Files.pread(fd, part, length);
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
  }

  /**
   * The calling thread's status, open: it can be read where another root directory has no {@code
   * /proc}.
   */
  static final class Own implements AutoCloseable {
    private static final String PATH = "/proc/thread-self/status";

    private final int fd;

    Own() throws PosixException {
      fd =
          PosixException.check(
              Files.open(
                  PATH.getBytes(StandardCharsets.US_ASCII), Files.O_RDONLY | Files.O_CLOEXEC, 0),
              "open",
              PATH);
    }

    ThreadStatus read() throws PosixException, CredentialsException {
      ThreadStatus own = ThreadStatus.read(fd, PATH, OWN_NAME);
      if (own == null) {
        throw new CredentialsException("the calling thread is not in /proc");
      }
      return own;
    }

    @Override
    public void close() {
      Files.close(fd);
    }
  }

  /** The thread, for a message. */
  String name() {
    return name;
  }

  /** Whether it runs no more code: all that is left is its entry in the process table. */
  boolean hasEnded() {
    return state == 'Z' || state == 'X';
  }

  /** Whether it waits for something else than a processor or memory. */
  boolean sleeps() {
    return state == 'S';
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
    return isAble(Capability.SETGID);
  }

  /** Whether it has this capability in effect. */
  boolean isAble(Capability capability) {
    return (effective >> capability.number() & 1) != 0;
  }

  /** What it may do beyond an ordinary user, or may switch on, a bit for each capability. */
  long permitted() {
    return permitted;
  }

  /** What it may do beyond an ordinary user. */
  long effective() {
    return effective;
  }

  /** Another set of capabilities, by its field: {@code CapInh}, {@code CapBnd}, {@code CapAmb}. */
  long capabilities(String field) throws CredentialsException {
    return Long.parseUnsignedLong(field(status, field), 16);
  }

  /** Whether nothing that it executes can give it more. */
  boolean hasNoNewPrivileges() throws CredentialsException {
    return field(status, "NoNewPrivs").equals("1");
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
