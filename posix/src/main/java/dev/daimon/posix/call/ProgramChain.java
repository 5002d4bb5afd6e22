package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.daimon.posix.Signal;
import dev.daimon.posix.UserChange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What a child does until it is the program, where {@code posix_spawn} cannot do it: it becomes a
 * user, keeps or loses capabilities, and gets limits.
 *
 * <p><b>No program runs after a step that has failed,</b> so none runs as root because the change
 * of user failed. A chain cannot branch, but an argument can come from memory. Each step leaves
 * errno as it is if it succeeds, and above zero if it fails, and nothing sets it back to zero
 * before {@code memset} writes so many zero bytes over the program's path. The path lies in memory
 * of its own, larger than the largest errno; so {@code execve} gets the path if every step has
 * succeeded, and the empty string otherwise, which is {@code ENOENT}. This is done twice: the steps
 * that only close descriptors may fail, since there may be none, and come in between. What errno
 * was is kept, and is what the start fails with.
 *
 * <p><b>From the change of user on that user may signal the child.</b> Killed, it is no start, and
 * the parent finds that out. Stopped, it would keep the calling thread suspended. So it first makes
 * a timer that sends it {@code SIGKILL}, which also ends what is stopped; an {@code execve} deletes
 * it. Every other signal is blocked until just before the {@code execve}. One with a core dump is
 * pending until then; before Linux 5.16 a dump killed every process that shared the memory, so the
 * memory is marked as not to be dumped.
 *
 * <p>Every signal has its default in the program, and none is blocked.
 */
final class ProgramChain {
  /** How long a child that has another user's ids has for its {@code execve}, in seconds. */
  private static final long SECONDS = 10;

  /** As {@link #SECONDS}, in nanoseconds. */
  private static final long NANOS = SECONDS * 1_000_000_000;

  /** More than the largest errno. */
  private static final long PATH_BYTES = 4096;

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
  // void _exit(int status);
  private static final long EXIT = Libc.address("_exit");

  private final Arena arena;
  private final CallChain calls;

  /** What the chain leaves, each an {@code int}. */
  private final MemorySegment results;

  private final long timer;

  ProgramChain(
      Arena arena,
      boolean session,
      List<int[]> actions,
      UserChange user,
      long[][] limits,
      byte[] path,
      List<byte[]> argv,
      List<byte[]> envp) {
    this.arena = arena;
    calls = new CallChain(arena);
    results = arena.allocate(JAVA_INT, 4);
    long early = results.address();
    long late = early + Integer.BYTES;
    long executing = late + Integer.BYTES;
    timer = executing + Integer.BYTES;
    long file = Native.string(arena, path, PATH_BYTES).address();

    // Last things first.
    calls.prepend(EXIT, 1, 0, 0, 0, 0, 0);
    calls.saveErrno(executing);
    long arguments = Native.strings(arena, argv).address();
    calls.prepend(EXECVE, file, arguments, Native.strings(arena, envp).address(), 0, 0, 0);
    calls.unblock();
    calls.blankByErrno(file);
    calls.saveErrno(late);
    // Set last, so that nothing else has to do with them; but for these the user needs no right.
    for (long[] limit : limits) {
      Limits.prepend(calls, arena, (int) limit[0], limit[1], limit[2]);
    }
    prependUser(user);
    // What was not open to be closed is no failure.
    calls.clearErrno();
    prependActions(actions, /* closing= */ true);
    calls.blankByErrno(file);
    calls.saveErrno(early);
    prependActions(actions, /* closing= */ false);
    prependDefaults();
    if (session) {
      calls.prepend(SETSID, 0, 0, 0, 0, 0, 0);
    }
    calls.clearErrno();
    if (user.uid().isPresent()) {
      // It fails without room for a pending signal, which is for root alone to decide.
      prependDeadline();
    }
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

  /** A child that has executed nothing by then is killed by the kernel. */
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

  /** Those that close come last, so either them or the others. */
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

  /** The default of every signal that can have another one, those of the C library included. */
  private void prependDefaults() {
    long action = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES).address();
    for (int signal = 1; signal <= Signal.MAX_NUMBER; signal++) {
      if (signal != Signals.SIGKILL && signal != Signal.STOP.number()) {
        calls.prepend(
            SYSCALL, Signals.SYS_rt_sigaction, signal, action, 0, Signals.KERNEL_SIGSET_SIZE, 0);
      }
    }
  }

  CallChain calls() {
    return calls;
  }

  /** Why there is no program; 0 if nothing has failed so far. */
  int error() {
    for (int i = 0; i < 3; i++) {
      int error = Native.view(results).getInt(i * Integer.BYTES);
      if (error != 0) {
        return error;
      }
    }
    return 0;
  }

  /** Whether a child that was killed, started at this time, has had all the time it gets. */
  static boolean isOverdue(long startNanos) {
    return System.nanoTime() - startNanos >= NANOS;
  }
}
