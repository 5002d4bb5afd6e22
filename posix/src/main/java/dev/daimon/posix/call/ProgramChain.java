package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.daimon.posix.Signal;
import dev.daimon.posix.UserChange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The steps of a child that becomes a user, changes capabilities, gets resource limits or its own
 * process id in a variable, and then executes the program: what {@code posix_spawn} cannot do. The
 * program starts with every signal at its default disposition, and with none blocked.
 *
 * <p><b>No program runs after a failed step.</b> So none runs as root because the change of user
 * failed, or without a limit that could not be set. The chain cannot stop at the failed step: a
 * {@link CallChain} cannot branch, the return of each call leads to the next one. Instead a failed
 * step takes the path away from {@code execve}:
 *
 * <ol>
 *   <li>errno is zero before the first step. A step that fails sets it; one that succeeds leaves it
 *       as it is. So after the last step it is zero if and only if every step has succeeded.
 *   <li>{@code memset} then overwrites as many bytes of the program's path with zeros as errno
 *       says. The path has memory of its own, longer than the largest errno.
 *   <li>{@code execve} gets the path if every step has succeeded. Otherwise it gets the empty
 *       string, fails with {@code ENOENT}, and the child exits.
 * </ol>
 *
 * <p>The steps between a failed one and the {@code execve} still run. They do no harm: the session,
 * descriptors, user, capabilities and limits that they change are the child's own, and the child
 * ends. Limits are set last, so none of them can make an earlier step fail.
 *
 * <p>Steps 1 and 2 are done twice, before and after the steps that close descriptors: these may
 * fail, since the descriptor may not be open. Both values of errno are stored, and the first one
 * that is not zero is the error of the start.
 *
 * <p><b>From the change of user on, that user may signal the child.</b> The parent finds out that a
 * child was killed before its {@code execve} ({@link ExecCheck}, {@link DetachChain}). A child that
 * was stopped would keep the calling thread suspended; so it first makes a timer that sends it
 * {@code SIGKILL}, which also ends a stopped process. An {@code execve} deletes the timer. Every
 * other signal is blocked until just before the {@code execve}. If it then ends the child with a
 * core dump, Linux before 5.16 would kill every process that shares the memory; so the memory is
 * marked as not to be dumped.
 */
final class ProgramChain {
  /** How long a child that has another user's ids has for its {@code execve}, in seconds. */
  private static final long SECONDS = 10;

  /** As {@link #SECONDS}, in nanoseconds. */
  private static final long NANOS = SECONDS * 1_000_000_000;

  /** The memory of the program's path; more bytes than the largest errno. */
  private static final long PATH_BYTES = 4096;

  /** The most digits that an {@code int} has. */
  private static final long PID_BYTES = 10;

  /** Number of the system call {@code timer_create}. */
  static final int SYS_timer_create = Abi.either(222, 107);

  /** Number of the system call {@code timer_settime}. */
  static final int SYS_timer_settime = Abi.either(223, 110);

  static final int SIGEV_SIGNAL = 0;
  static final int PR_SET_DUMPABLE = 4;

  /** An action on a descriptor: it becomes another one, or stays open on exec. */
  static final char DUPLICATES = 'd';

  /** An action on a descriptor: it is closed. */
  static final char CLOSES = 'c';

  /** An action on a descriptor: it and all above are closed. */
  static final char CLOSES_FROM = 'f';

  /** An action on a descriptor: it is the working directory. */
  static final char ENTERS = 'e';

  // pid_t setsid(void);
  private static final long SETSID = Libc.address("setsid");
  // int fchdir(int fd);
  private static final long FCHDIR = Libc.address("fchdir");
  // int dup2(int oldfd, int newfd);
  private static final long DUP2 = Libc.address("dup2");
  // int fcntl(int fd, int cmd, ... /* arg */);
  private static final long FCNTL = Libc.address("fcntl");
  // int close(int fd);
  private static final long CLOSE = Libc.address("close");
  // void closefrom(int lowfd);
  private static final long CLOSEFROM = Libc.optionalAddress("closefrom");
  // int prctl(int option, ...);
  private static final long PRCTL = Libc.address("prctl");
  // int execve(const char *pathname, char *const argv[], char *const envp[]);
  private static final long EXECVE = Libc.address("execve");
  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");
  // int snprintf(char *str, size_t size, const char *format, ...);
  private static final long SNPRINTF = Libc.address("snprintf");
  // void _exit(int status);
  private static final long EXIT = Libc.address("_exit");

  private final Arena arena;
  private final CallChain calls;

  /** Where whoever makes the child has its process id stored, before it runs: an {@code int}. */
  private final MemorySegment id;

  /** The values that the chain stores, each an {@code int}. */
  private final MemorySegment results;

  private final long timer;

  /** The program's path. */
  private final long file;

  /**
   * Makes the chain.
   *
   * @param pidPlace where the program's process id is written into the last entry of the
   *     environment, which has {@value #PID_BYTES} bytes of room there; -1 for nowhere
   * @param ignored a signal that the program ignores; 0 for none
   */
  ProgramChain(
      Arena arena,
      boolean session,
      List<int[]> actions,
      UserChange user,
      long[][] limits,
      byte[] path,
      List<byte[]> argv,
      List<byte[]> envp,
      int pidPlace,
      int ignored) {
    this.arena = arena;
    calls = new CallChain(arena);
    id = arena.allocate(JAVA_INT);
    results = arena.allocate(JAVA_INT, 4);
    long early = results.address();
    long late = early + Integer.BYTES;
    long executing = late + Integer.BYTES;
    timer = executing + Integer.BYTES;
    file = erasable(arena, path);

    // A chain is built from its last call to its first one.
    calls.prepend(EXIT, 1, 0, 0, 0, 0, 0);
    calls.saveErrno(executing);
    long arguments = Native.strings(arena, argv).address();
    MemorySegment environment = Native.strings(arena, envp);
    calls.prepend(EXECVE, file, arguments, environment.address(), 0, 0, 0);
    calls.unblock();
    calls.blankByErrno(file);
    calls.saveErrno(late);
    if (pidPlace >= 0) {
      long entry = Native.view(environment).getLong((envp.size() - 1) * Long.BYTES);
      prependPid(entry + pidPlace);
    }
    // The last steps, so that no other step is limited. The user needs no privilege for them: no
    // limit is above the hard one that the process has.
    for (long[] limit : limits) {
      Limits.prepend(calls, arena, (int) limit[0], limit[1], limit[2]);
    }
    prependUser(user);
    // Forgets that a descriptor to close was not open.
    calls.clearErrno();
    prependActions(actions, /* closing= */ true);
    calls.blankByErrno(file);
    calls.saveErrno(early);
    prependActions(actions, /* closing= */ false);
    prependDefaults(ignored);
    if (session) {
      calls.prepend(SETSID, 0, 0, 0, 0, 0, 0);
    }
    calls.clearErrno();
    if (user.uid().isPresent()) {
      // Made before the change of user: a timer counts as a pending signal of the user that makes
      // it, and the target user may have none left.
      prependDeadline();
    }
  }

  /** Writes the child's process id to an address, in decimal digits with a NUL byte. */
  private void prependPid(long to) {
    long format = Native.string(arena, new byte[] {'%', 'd'}).address();
    long print = calls.prepend(SNPRINTF, to, PID_BYTES + 1, format, 0, 0, 0);
    calls.load(print, Layouts.ucontext_t.argument_3, id.address());
  }

  private void prependUser(UserChange user) {
    if (user.capabilities().isPresent()) {
      Capabilities.prependKeeping(calls, arena, user.capabilities().getAsLong());
    }
    if (user.uid().isPresent()) {
      long uid = user.uid().getAsLong();
      calls.prepend(PRCTL, PR_SET_DUMPABLE, 0, 0, 0, 0, 0);
      calls.prepend(SYSCALL, Credentials.SYS_setresuid, uid, uid, uid, 0, 0);
    }
  }

  /** Lets the kernel kill a child that has executed nothing when the time is over. */
  private void prependDeadline() {
    MemorySegment time = arena.allocate(Layouts.itimerspec.SIZE, Long.BYTES);
    Native.view(time).putLong(Layouts.itimerspec.first_seconds, SECONDS);
    MemorySegment event = arena.allocate(Layouts.sigevent.SIZE, Long.BYTES);
    Native.view(event).putInt(Layouts.sigevent.sigev_signo, Signals.SIGKILL);
    Native.view(event).putInt(Layouts.sigevent.sigev_notify, SIGEV_SIGNAL);
    long set = calls.prepend(SYSCALL, SYS_timer_settime, 0, 0, time.address(), 0, 0);
    calls.load(set, Layouts.ucontext_t.argument_1, timer);
    calls.prepend(SYSCALL, SYS_timer_create, Clocks.CLOCK_MONOTONIC, event.address(), timer, 0, 0);
  }

  /** Adds the actions that close descriptors, or all others: those that close come last. */
  private void prependActions(List<int[]> actions, boolean closing) {
    for (int i = actions.size() - 1; i >= 0; i--) {
      int[] action = actions.get(i);
      int fd = action[1];
      boolean closes = action[0] == CLOSES || action[0] == CLOSES_FROM;
      if (closes != closing) {
        continue;
      }
      if (action[0] == CLOSES) {
        calls.prepend(CLOSE, fd, 0, 0, 0, 0, 0);
      } else if (action[0] == CLOSES_FROM) {
        calls.prepend(CLOSEFROM, fd, 0, 0, 0, 0, 0);
      } else if (action[0] == ENTERS) {
        calls.prepend(FCHDIR, fd, 0, 0, 0, 0, 0);
      } else if (fd == action[2]) {
        calls.prepend(FCNTL, fd, Files.F_SETFD, 0, 0, 0, 0);
      } else {
        calls.prepend(DUP2, fd, action[2], 0, 0, 0, 0);
      }
    }
  }

  /** Resets every signal to its default disposition, the two of the C library included, but one. */
  private void prependDefaults(int ignored) {
    long action = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES).address();
    MemorySegment ignoring = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES);
    Native.view(ignoring).putLong(Layouts.kernel_sigaction.sa_handler, Signals.SIG_IGN);
    for (int signal = 1; signal <= Signal.MAX_NUMBER; signal++) {
      if (signal != Signals.SIGKILL && signal != Signal.STOP.number()) {
        long set = signal == ignored ? ignoring.address() : action;
        calls.prepend(
            SYSCALL, Signals.SYS_rt_sigaction, signal, set, 0, Signals.KERNEL_SIGSET_SIZE, 0);
      }
    }
  }

  CallChain calls() {
    return calls;
  }

  /** The memory that must have the child's process id before the child runs. */
  MemorySegment id() {
    return id;
  }

  /**
   * Copies a program's path to memory of its own, where {@link CallChain#blankByErrno} may erase
   * it, and returns the address.
   */
  static long erasable(Arena arena, byte[] path) {
    return Native.string(arena, path, PATH_BYTES).address();
  }

  /** The address of the program's path, which is {@linkplain #erasable erasable}. */
  long path() {
    return file;
  }

  /** The address of an {@code int} that is not 0 if the program could not be executed. */
  long failure() {
    return results.address() + 2 * Integer.BYTES;
  }

  /** The error of the first step that has failed; 0 if none has. */
  int error() {
    for (int i = 0; i < 3; i++) {
      int error = Native.view(results).getInt(i * Integer.BYTES);
      if (error != 0) {
        return error;
      }
    }
    return 0;
  }

  /** Whether a child that was started at this time and killed had used up its time. */
  static boolean isOverdue(long startNanos) {
    return System.nanoTime() - startNanos >= NANOS;
  }
}
