package dev.daimon.privileges;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcStatus;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The credentials of one thread, as the kernel shows them in {@code /proc}. */
final class ThreadStatus {
  private static final String OWN_NAME = "the calling thread";

  /** Without them the system calls that change groups and ids fail. */
  private static final Capability[] CHANGING = {Capability.SETGID, Capability.SETUID};

  private final String name;
  private final char state;
  private final int[] uids;
  private final int[] gids;
  private final int[] groups;
  private final ProcStatus status;
  private final long permitted;
  private final long effective;

  private ThreadStatus(String name, ProcStatus status) throws CredentialsException {
    this.name = name;
    this.status = status;
    state = field(status, "State").charAt(0);
    uids = status.ids("Uid");
    gids = status.ids("Gid");
    groups = status.ids("Groups");
    Arrays.sort(groups);
    permitted = Long.parseUnsignedLong(field(status, "CapPrm"), 16);
    effective = Long.parseUnsignedLong(field(status, "CapEff"), 16);
  }

  /** Reads the calling thread's. */
  static ThreadStatus own() throws PosixException, CredentialsException {
    ThreadStatus own = read("/proc/thread-self", OWN_NAME);
    if (own == null) {
      throw new CredentialsException("the calling thread is not in /proc");
    }
    return own;
  }

  /** Reads that of a thread of this process; null if the thread has ended. */
  static @Nullable ThreadStatus of(String thread) throws PosixException, CredentialsException {
    return read("/proc/self/task/".concat(thread), "thread ".concat(thread));
  }

  private static @Nullable ThreadStatus read(String directory, String name)
      throws PosixException, CredentialsException {
    String path = directory.concat("/status");
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
        String status = new String(text, 0, length, StandardCharsets.US_ASCII);
        return new ThreadStatus(name, new ProcStatus(status));
      }
      if (length + count > text.length) {
        text = Arrays.copyOf(text, 2 * text.length);
      }
      System.arraycopy(part, 0, text, length, count);
      length += count;
    }
  }

  /**
   * The calling thread's status file, kept open: it can still be read when the thread's new root
   * directory has no {@code /proc}.
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

  /** The thread's name for a message. */
  String name() {
    return name;
  }

  /** Whether the thread has ended, and only its entry in the process table is left. */
  boolean hasEnded() {
    return state == 'Z' || state == 'X';
  }

  /** Whether the thread waits for something else than a processor or memory. */
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

  /**
   * Whether one of the user ids is root's. When a thread gives up the last of them, the kernel
   * drops its capabilities.
   */
  boolean hasRootId() {
    return uids[0] == 0 || uids[1] == 0 || uids[2] == 0;
  }

  /** Whether the thread has any capability. */
  boolean hasCapabilities() {
    return (permitted | effective) != 0;
  }

  /** Whether the thread may change its groups. */
  boolean maySetGroups() {
    return isAble(Capability.SETGID);
  }

  /** Whether the thread has this effective capability. */
  boolean isAble(Capability capability) {
    return (effective >> capability.number() & 1) != 0;
  }

  /** The permitted capabilities, a bit for each. */
  long permitted() {
    return permitted;
  }

  /** The effective capabilities, a bit for each. */
  long effective() {
    return effective;
  }

  /** A set of capabilities, by its field: {@code CapInh}, {@code CapBnd} or {@code CapAmb}. */
  long capabilities(String field) throws CredentialsException {
    return Long.parseUnsignedLong(field(status, field), 16);
  }

  /** Whether executing a program cannot give the thread more privileges. */
  boolean hasNoNewPrivileges() throws CredentialsException {
    return field(status, "NoNewPrivs").equals("1");
  }

  /**
   * Returns how the credentials, and if asked for, the right to change them, differ from another
   * thread's; null if they do not.
   */
  @Nullable String difference(ThreadStatus other, boolean change) {
    if (!Arrays.equals(uids, other.uids)) {
      return "user ids " + list(uids);
    }
    if (!Arrays.equals(gids, other.gids)) {
      return "group ids " + list(gids);
    }
    if (!Arrays.equals(groups, other.groups)) {
      return "supplementary groups " + list(groups);
    }
    for (Capability capability : CHANGING) {
      if (change && isAble(capability) != other.isAble(capability)) {
        return (isAble(capability) ? "" : "no ") + capability;
      }
    }
    return null;
  }

  /** Formats ids as the kernel does: unsigned, with spaces between. */
  static String list(int[] ids) {
    StringBuilder list = new StringBuilder();
    for (int id : ids) {
      list.append(list.isEmpty() ? "" : " ").append(Integer.toUnsignedLong(id));
    }
    return list.toString();
  }

  private static String field(ProcStatus status, String name) throws CredentialsException {
    String value = status.field(name);
    if (value == null) {
      throw new CredentialsException("/proc shows no " + name + " of a thread");
    }
    return value;
  }
}
