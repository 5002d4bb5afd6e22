package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.daimon.posix.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Calls on user and group ids and on keyrings: {@code unistd.h}, {@code grp.h}, {@code
 * linux/keyctl.h}. Ids are unsigned; -1 leaves an id unchanged.
 *
 * <p>The C library's functions change every thread of the process. The methods {@code thread…} are
 * the bare system calls, and change the calling thread alone.
 */
public final class Credentials {
  static final int KEYCTL_JOIN_SESSION_KEYRING = 1;

  /** Number of the system call {@code keyctl}. */
  static final int SYS_keyctl = Abi.either(250, 219);

  /** Number of the system call {@code setgroups}. */
  static final int SYS_setgroups = Abi.either(116, 159);

  /** Number of the system call {@code setresuid}. */
  static final int SYS_setresuid = Abi.either(117, 147);

  /** Number of the system call {@code setresgid}. */
  static final int SYS_setresgid = Abi.either(119, 149);

  /** Number of the system call {@code setfsuid}. */
  static final int SYS_setfsuid = Abi.either(122, 151);

  /** Number of the system call {@code setfsgid}. */
  static final int SYS_setfsgid = Abi.either(123, 152);

  // int setgroups(size_t size, const gid_t *list);
  private static final long SETGROUPS = Libc.address("setgroups");
  // int getgroups(int size, gid_t list[]);
  private static final long GETGROUPS = Libc.address("getgroups");
  // int setresgid(gid_t rgid, gid_t egid, gid_t sgid);
  private static final long SETRESGID = Libc.address("setresgid");
  // int setresuid(uid_t ruid, uid_t euid, uid_t suid);
  private static final long SETRESUID = Libc.address("setresuid");
  // int getresgid(gid_t *rgid, gid_t *egid, gid_t *sgid);
  private static final long GETRESGID = Libc.address("getresgid");
  // int getresuid(uid_t *ruid, uid_t *euid, uid_t *suid);
  private static final long GETRESUID = Libc.address("getresuid");
  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");

  private Credentials() {}

  /** Sets the supplementary groups of every thread. */
  public static int setgroups(int[] groups) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(SETGROUPS, groups.length, ids(arena, groups).address());
    }
  }

  /** Sets the real, effective and saved group id of every thread. */
  public static int setresgid(int real, int effective, int saved) {
    return Libc.call(SETRESGID, real, effective, saved);
  }

  /** Sets the real, effective and saved user id of every thread. */
  public static int setresuid(int real, int effective, int saved) {
    return Libc.call(SETRESUID, real, effective, saved);
  }

  /** Sets the supplementary groups of the calling thread alone. */
  public static int threadSetgroups(int[] groups) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(SYSCALL, SYS_setgroups, groups.length, ids(arena, groups).address());
    }
  }

  /** Sets the real, effective and saved group id of the calling thread alone. */
  public static int threadSetresgid(int real, int effective, int saved) {
    return Libc.call(SYSCALL, SYS_setresgid, real, effective, saved, 0, 0);
  }

  /** Sets the real, effective and saved user id of the calling thread alone. */
  public static int threadSetresuid(int real, int effective, int saved) {
    return Libc.call(SYSCALL, SYS_setresuid, real, effective, saved, 0, 0);
  }

  /**
   * Sets the user id with which the calling thread alone accesses files. The system call does not
   * report a failure, so the id is read afterwards: {@code EPERM} if it has not changed.
   */
  public static int threadSetfsuid(int uid) {
    return setFileId(SYS_setfsuid, uid);
  }

  /** As {@link #threadSetfsuid}, the group id. */
  public static int threadSetfsgid(int gid) {
    return setFileId(SYS_setfsgid, gid);
  }

  private static int setFileId(int call, int id) {
    Libc.raw(SYSCALL, call, id, 0, 0, 0, 0);
    int actual = (int) Libc.raw(SYSCALL, call, -1, 0, 0, 0, 0);
    if (actual == -1) {
      return -Libc.errno();
    }
    return actual == id ? 0 : -Errno.EPERM.number();
  }

  /**
   * Returns the user id with which the calling thread accesses files; the effective one by default.
   */
  public static int fsuid() {
    int id = (int) Libc.raw(SYSCALL, SYS_setfsuid, -1, 0, 0, 0, 0);
    if (id != -1) {
      return id;
    }
    // The system call is missing or forbidden, so nobody can have set it.
    int[] ids = new int[3];
    getresuid(ids);
    return ids[1];
  }

  /** As {@link #fsuid}, the group id. */
  public static int fsgid() {
    int id = (int) Libc.raw(SYSCALL, SYS_setfsgid, -1, 0, 0, 0, 0);
    if (id != -1) {
      return id;
    }
    int[] ids = new int[3];
    getresgid(ids);
    return ids[1];
  }

  /**
   * Gives the calling thread, and the processes that it starts, a new and empty session keyring. It
   * counts against the thread's user: {@code EDQUOT} if that user has too many keys. {@code ENOSYS}
   * if the kernel has no keyrings, {@code EPERM} where a container forbids it.
   */
  public static int joinNewSessionKeyring() {
    return Math.min(0, Libc.call(SYSCALL, SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0));
  }

  /** Reads real, effective and saved user id of the calling thread into an array of three. */
  public static int getresuid(int[] ids) {
    return three(GETRESUID, ids);
  }

  /** Reads real, effective and saved group id of the calling thread into an array of three. */
  public static int getresgid(int[] ids) {
    return three(GETRESGID, ids);
  }

  /** Reads the calling thread's supplementary groups; with an empty array returns their number. */
  public static int getgroups(int[] groups) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(JAVA_INT, Math.max(1, groups.length));
      int count = Libc.call(GETGROUPS, groups.length, memory.address());
      if (groups.length > 0 && count > 0) {
        Native.view(memory).asIntBuffer().get(groups, 0, count);
      }
      return count;
    }
  }

  private static int three(long function, int[] ids) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(JAVA_INT, 3);
      long first = memory.address();
      int result = Libc.call(function, first, first + Integer.BYTES, first + 2L * Integer.BYTES);
      Native.view(memory).asIntBuffer().get(ids, 0, 3);
      return result;
    }
  }

  private static MemorySegment ids(Arena arena, int[] ids) {
    MemorySegment memory = arena.allocate(JAVA_INT, Math.max(1, ids.length));
    Native.view(memory).asIntBuffer().put(ids);
    return memory;
  }
}
