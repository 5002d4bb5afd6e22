package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Look-ups of users and groups through every source the C library is configured for: {@code pwd.h},
 * {@code grp.h}.
 */
public final class Accounts {
  /** How many supplementary groups a process may have: {@code linux/limits.h}. */
  private static final int NGROUPS_MAX = 65536;

  private static final int ENOENT = 2;
  private static final int ESRCH = 3;
  private static final int ERANGE = 34;

  // int getpwnam_r(const char *name, struct passwd *pwd, char *buf, size_t buflen,
  //                struct passwd **result);
  private static final long GETPWNAM = Libc.address("getpwnam_r");
  // int getpwuid_r(uid_t uid, struct passwd *pwd, char *buf, size_t buflen,
  //                struct passwd **result);
  private static final long GETPWUID = Libc.address("getpwuid_r");
  // int getgrnam_r(const char *name, struct group *grp, char *buf, size_t buflen,
  //                struct group **result);
  private static final long GETGRNAM = Libc.address("getgrnam_r");
  // int getgrouplist(const char *user, gid_t group, gid_t *groups, int *ngroups);
  private static final long GETGROUPLIST = Libc.address("getgrouplist");

  private Accounts() {}

  /** An entry of the passwd database, its ids unsigned. */
  public static final class User {
    private final byte[] name;
    private final int uid;
    private final int gid;
    private final byte[] home;
    private final byte[] shell;

    private User(MemorySegment passwd) {
      name = string(passwd, Layouts.passwd.pw_name);
      uid = Native.view(passwd).getInt(Layouts.passwd.pw_uid);
      gid = Native.view(passwd).getInt(Layouts.passwd.pw_gid);
      home = string(passwd, Layouts.passwd.pw_dir);
      shell = string(passwd, Layouts.passwd.pw_shell);
    }

    /** The login name. */
    public byte[] name() {
      return name;
    }

    /** The user id. */
    public int uid() {
      return uid;
    }

    /** The primary group id. */
    public int gid() {
      return gid;
    }

    /** The home directory. */
    public byte[] home() {
      return home;
    }

    /** The login shell. */
    public byte[] shell() {
      return shell;
    }
  }

  /** Finds a user by name: {@code found[0]}, or null. Returns 0, or the negated error number. */
  public static int getpwnam(byte[] name, @Nullable User[] found) {
    try (Arena arena = CallMemory.open()) {
      return user(GETPWNAM, Native.string(arena, name).address(), found);
    }
  }

  /** Finds a user by id: {@code found[0]}, or null. Returns 0, or the negated error number. */
  public static int getpwuid(int uid, @Nullable User[] found) {
    return user(GETPWUID, Integer.toUnsignedLong(uid), found);
  }

  private static int user(long function, long key, @Nullable User[] found) {
    for (long size = 1024; ; size *= 2) {
      try (Arena arena = CallMemory.open()) {
        MemorySegment entry = arena.allocate(Layouts.passwd.SIZE, Long.BYTES);
        int result = lookUp(arena, function, key, entry, size);
        if (result != -ERANGE) {
          found[0] = result > 0 ? new User(entry) : null;
          return Math.min(result, 0);
        }
      }
    }
  }

  /** Finds a group's id by name: {@code found[0]}, or null. Returns 0, or the negated error. */
  public static int getgrnam(byte[] name, @Nullable Integer[] found) {
    for (long size = 1024; ; size *= 2) {
      try (Arena arena = CallMemory.open()) {
        MemorySegment entry = arena.allocate(Layouts.group.SIZE, Long.BYTES);
        long key = Native.string(arena, name).address();
        int result = lookUp(arena, GETGRNAM, key, entry, size);
        if (result != -ERANGE) {
          found[0] = result > 0 ? Native.view(entry).getInt(Layouts.group.gr_gid) : null;
          return Math.min(result, 0);
        }
      }
    }
  }

  /** Returns 1 if there is such an entry, 0 if there is none, or the negated error number. */
  private static int lookUp(Arena arena, long function, long key, MemorySegment entry, long size) {
    MemorySegment result = arena.allocate(JAVA_LONG);
    long buffer = arena.allocate(size).address();
    int error;
    do {
      error = (int) Libc.raw(function, key, entry.address(), buffer, size, result.address(), 0);
    } while (error == Libc.EINTR);
    // Some sources report a missing entry like this; glibc does if there is no /etc/passwd.
    if (error == ENOENT || error == ESRCH) {
      return 0;
    }
    if (error != 0) {
      return -error;
    }
    return Native.view(result).getLong(0) == 0 ? 0 : 1;
  }

  /** Returns the groups of a user, the given one included. */
  public static int[] getgrouplist(byte[] user, int group) {
    for (int size = 64; size <= 2 * NGROUPS_MAX; size *= 2) {
      try (Arena arena = CallMemory.open()) {
        MemorySegment count = arena.allocate(JAVA_INT);
        Native.view(count).putInt(0, size);
        MemorySegment groups = arena.allocate(JAVA_INT, size);
        int result =
            (int)
                Libc.raw(
                    GETGROUPLIST,
                    Native.string(arena, user).address(),
                    group,
                    groups.address(),
                    count.address(),
                    0,
                    0);
        if (result >= 0) {
          int[] list = new int[size];
          Native.view(groups).asIntBuffer().get(list);
          return Arrays.copyOf(list, Native.view(count).getInt(0));
        }
      }
    }
    // To return only some of the groups would be a silent loss.
    throw new IllegalStateException("the user is in more groups than the kernel allows");
  }

  private static byte[] string(MemorySegment entry, int offset) {
    byte[] bytes = Libc.string(Native.view(entry).getLong(offset));
    return bytes == null ? new byte[0] : bytes;
  }
}
