package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.daimon.posix.Errno;
import dev.daimon.posix.UserChange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Calls on processes and sessions: {@code unistd.h}, {@code stdlib.h}, {@code sys/wait.h}, {@code
 * sys/stat.h}, {@code sys/prctl.h}.
 */
public final class Processes {
  /** {@code waitpid}: return at once if no child has ended. */
  public static final int WNOHANG = 1;

  /** {@code waitpid}: also for a child that ends without a {@code SIGCHLD}. */
  public static final int __WALL = 0x40000000;

  /** {@code waitid}: the id is a process id. */
  static final int P_PID = 1;

  static final int P_ALL = 0;

  /** {@code waitid}: the id is a pidfd. */
  static final int P_PIDFD = 3;

  /** {@code waitid}: wait for processes that have ended. */
  public static final int WEXITED = 4;

  /** {@code waitid}: leave the process as it is, to be waited for again. */
  public static final int WNOWAIT = 0x01000000;

  /** {@code unshare}: root directory, working directory and umask. */
  static final int CLONE_FS = 0x200;

  static final int PR_SET_CHILD_SUBREAPER = 36;
  static final int PR_SET_PDEATHSIG = 1;

  /** {@code sysconf}: the size of a page of memory. */
  static final int _SC_PAGESIZE = 30;

  /** Number of the system call {@code waitid}. */
  static final int SYS_waitid = Abi.either(247, 95);

  // pid_t getpid(void);
  private static final long GETPID = Libc.address("getpid");
  // pid_t getppid(void);
  private static final long GETPPID = Libc.address("getppid");
  // pid_t getpgrp(void);
  private static final long GETPGRP = Libc.address("getpgrp");
  // pid_t getpgid(pid_t pid);
  private static final long GETPGID = Libc.address("getpgid");
  // int setpgid(pid_t pid, pid_t pgid);
  private static final long SETPGID = Libc.address("setpgid");
  // pid_t getsid(pid_t pid);
  private static final long GETSID = Libc.address("getsid");
  // pid_t setsid(void);
  private static final long SETSID = Libc.address("setsid");
  // mode_t umask(mode_t mask);
  private static final long UMASK = Libc.address("umask");
  // int chdir(const char *path);
  private static final long CHDIR = Libc.address("chdir");
  // int chroot(const char *path);
  private static final long CHROOT = Libc.address("chroot");
  // int unshare(int flags);
  private static final long UNSHARE = Libc.address("unshare");
  // pid_t waitpid(pid_t pid, int *wstatus, int options);
  private static final long WAITPID = Libc.address("waitpid");
  // int waitid(idtype_t idtype, id_t id, siginfo_t *infop, int options);
  private static final long WAITID = Libc.address("waitid");
  // int prctl(int option, ...);
  private static final long PRCTL = Libc.address("prctl");
  // long sysconf(int name);
  private static final long SYSCONF = Libc.address("sysconf");
  // int __cxa_atexit(void (*function)(void *), void *argument, void *library);
  private static final long CXA_ATEXIT = Libc.address("__cxa_atexit");
  // void exit(int status);
  private static final long EXIT = Libc.address("exit");
  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");
  // char **environ;
  private static final long ENVIRON = Libc.address("environ");

  /**
   * Locked while a child gets its mark, and while one is reaped by whoever does not know it: so no
   * child has a mark that was reaped before.
   */
  private static final Object MARKING = new Object();

  private Processes() {}

  /** The process id of this JVM. */
  public static int getpid() {
    return Libc.call(GETPID);
  }

  /** The size of a page of memory, in bytes, in which the kernel counts what a process has. */
  public static int pageSize() {
    return Libc.call(SYSCONF, _SC_PAGESIZE);
  }

  /** The process id of the parent; changes when the parent ends. */
  public static int getppid() {
    return Libc.call(GETPPID);
  }

  /** The process group of this JVM. */
  public static int getpgrp() {
    return Libc.call(GETPGRP);
  }

  /** The process group of a process. */
  public static int getpgid(int pid) {
    return Libc.call(GETPGID, pid);
  }

  /** Moves this JVM, or a child that has executed nothing yet, to another process group. */
  static int setpgid(int pid, int group) {
    return Libc.call(SETPGID, pid, group);
  }

  /** The session of a process; 0 means this JVM. */
  public static int getsid(int pid) {
    return Libc.call(GETSID, pid);
  }

  /** Makes this JVM the leader of a new session, unless it leads a process group. */
  public static int setsid() {
    return Libc.call(SETSID);
  }

  /** Sets the file mode creation mask of the whole process, and returns the old one. */
  public static int umask(int mask) {
    return Libc.call(UMASK, mask);
  }

  /** Changes the working directory of the whole process. */
  public static int chdir(byte[] path) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(CHDIR, Native.string(arena, path).address());
    }
  }

  /**
   * Gives the calling thread, and the processes that it spawns, a root directory, a working
   * directory and a umask of their own, which begin as copies of the process's.
   */
  public static int unshareDirectories() {
    return Libc.call(UNSHARE, CLONE_FS);
  }

  /** Changes the root directory, but not the working directory, of all threads that share them. */
  public static int chroot(byte[] path) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(CHROOT, Native.string(arena, path).address());
    }
  }

  /**
   * Executes another program in this process, as another user, with resource limits, each as
   * number, soft and hard limit, and with descriptors under other numbers, each as present number
   * and number in the program. All of this is done just before the {@code execve}, which is not
   * made unless all of it was.
   *
   * <p>It returns only if it fails. Then descriptors that were replaced are put back, the soft
   * limits are restored, and the hard ones as far as that is allowed. The calling thread, and no
   * other, may have the user's ids then, permanently.
   */
  public static int execve(
      UserChange user,
      long[][] limits,
      int[][] places,
      byte[] path,
      List<byte[]> argv,
      List<byte[]> envp) {
    try (Arena arena = CallMemory.open()) {
      long file = Native.string(arena, path).address();
      long arguments = Native.strings(arena, argv).address();
      long environment = Native.strings(arena, envp).address();
      int result = become(user);
      long[][] before = new long[limits.length][2];
      for (int i = 0; i < limits.length && result >= 0; i++) {
        result = Limits.getrlimit(0, (int) limits[i][0], before[i]);
      }
      if (result >= 0) {
        result = Replacement.execve(places, limits, before, file, arguments, environment);
      }
      return result;
    }
  }

  /** Changes the user of the calling thread alone. */
  private static int become(UserChange user) {
    int result = 0;
    if (user.uid().isPresent()) {
      int uid = (int) user.uid().getAsLong();
      result = Credentials.threadSetresuid(uid, uid, uid);
    }
    return result < 0 || user.capabilities().isEmpty()
        ? result
        : Capabilities.keep(user.capabilities().getAsLong());
  }

  /** Makes this JVM the parent of its descendants whose parents end. */
  public static int adoptOrphans() {
    return Libc.call(PRCTL, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
  }

  /**
   * Has the kernel send this JVM a signal when the thread ends that has started it; 0 for none. A
   * change of the calling thread's user takes that back.
   */
  public static int signalAtParentsEnd(int signal) {
    return Libc.call(PRCTL, PR_SET_PDEATHSIG, signal, 0, 0, 0, 0);
  }

  /**
   * Has every later {@code exit} of this JVM end with this exit code: what is registered here calls
   * {@code exit} once more, and of several calls the C library takes the last one's code. What was
   * registered first is called last, so the first registration counts. Not 0: there is no memory.
   */
  public static int fixExitCode(int code) {
    return Libc.call(CXA_ATEXIT, EXIT, code, 0);
  }

  /** Waits until a child has ended, and leaves it a zombie: its pid stays its own. */
  public static int awaitEnd(int pid) {
    return Libc.call(WAITID, P_PID, pid, 0, WEXITED | WNOWAIT | __WALL, 0, 0);
  }

  /** Stores in a {@code siginfo_t}, unless that is 0, whether a child has ended; reaps nothing. */
  static int peek(int pid, long info) {
    int options = WEXITED | WNOHANG | WNOWAIT | __WALL;
    return Libc.call(WAITID, P_PID, pid, info, options, 0, 0);
  }

  /** Makes a child one of {@link OwnChildren} that was started just now, unless it was reaped. */
  static void markOwn(int pid) {
    synchronized (MARKING) {
      if (peek(pid, 0) != -Errno.ECHILD.number()) {
        OwnChildren.add(pid);
      } else {
        // An earlier child with this id was waited for by other code.
        OwnChildren.remove(pid, OwnChildren.mark(pid));
      }
    }
  }

  /**
   * Reaps a child that has ended, whoever has started it, and returns its id; 0 if none has, or a
   * negative error.
   */
  public static int reapAny() {
    synchronized (MARKING) {
      int pid = anyEnded();
      if (pid > 0) {
        waitpid(pid, new int[1], WNOHANG);
      }
      return pid;
    }
  }

  /** Returns the id of a child that has ended, without reaping it; 0 if there is none. */
  public static int anyEnded() {
    try (Arena arena = CallMemory.open()) {
      MemorySegment info = arena.allocate(Layouts.siginfo_t.SIZE, Long.BYTES);
      int result = Libc.call(WAITID, P_ALL, 0, info.address(), WEXITED | WNOHANG | WNOWAIT, 0, 0);
      return result < 0 ? result : Native.view(info).getInt(Layouts.siginfo_t.si_pid);
    }
  }

  /**
   * Waits for a child and reaps it; {@code status[0]} becomes its wait status. For one of {@link
   * OwnChildren} only if it has ended, or with {@link #WNOHANG}.
   */
  public static int waitpid(int pid, int[] status, int options) {
    Object mark = OwnChildren.mark(pid);
    if (mark == null) {
      return reap(pid, status, options);
    }
    synchronized (mark) {
      int result = reap(pid, status, options);
      if (result == pid) {
        OwnChildren.remove(pid, mark);
      }
      return result;
    }
  }

  private static int reap(int pid, int[] status, int options) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(JAVA_INT);
      int result = Libc.call(WAITPID, pid, memory.address(), options);
      status[0] = Native.view(memory).getInt(0);
      return result;
    }
  }

  /**
   * Waits for the child of a pidfd; with {@link #WNOHANG}, {@code end} may have no process. This is
   * the bare system call, since the C library's function does not return the used resources.
   */
  public static int waitid(int pidfd, ProcessEnd end, int options) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment info = arena.allocate(Layouts.siginfo_t.SIZE, Long.BYTES);
      MemorySegment usage = arena.allocate(Layouts.rusage.SIZE, Long.BYTES);
      int result =
          Libc.call(SYSCALL, SYS_waitid, P_PIDFD, pidfd, info.address(), options, usage.address());
      end.read(info, usage);
      return result;
    }
  }

  /** Returns the C library's environment: the one that Java was started with, usually. */
  public static List<byte[]> environ() {
    List<byte[]> entries = new ArrayList<>();
    long array = pointer(ENVIRON);
    if (array != 0) {
      byte[] entry;
      while ((entry = Libc.string(pointer(array))) != null) {
        entries.add(entry);
        array += Long.BYTES;
      }
    }
    return entries;
  }

  private static long pointer(long address) {
    return Native.view(Libc.memory(address, Long.BYTES)).getLong(0);
  }
}
