package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.daimon.posix.Signal;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The process that leads a new session just long enough to start a program in it: {@code sched.h},
 * {@code ucontext.h}.
 *
 * <p>It is a {@code vfork} without a line of code of its own: the child shares this JVM's memory
 * while the calling thread is suspended, and makes a chain of calls of the C library. Each call is
 * a context with its argument registers and a stack; a return from one leads to the next.
 *
 * <p>The program itself is started by {@code posix_spawn}, which is such a call, or by a second
 * chain, if there is to happen what {@code posix_spawn} cannot do.
 */
final class Detaching {
  static final int CLONE_VM = 0x100;
  static final int CLONE_VFORK = 0x4000;
  static final int CLONE_PARENT_SETTID = 0x100000;

  /** An action on a descriptor: it becomes another one, or stays open on exec. */
  static final char DUPLICATES = 'd';

  /** An action on a descriptor: it is closed. */
  static final char CLOSES = 'c';

  /** An action on a descriptor: it and all above are closed. */
  static final char CLOSES_FROM = 'f';

  /** An action on a descriptor: it is the working directory. */
  static final char ENTERS = 'e';

  /** Of each call, and where the child begins; posix_spawn makes room for its own child itself. */
  private static final long STACK_BYTES = 64 * 1024;

  private static final int ALIGNMENT = 16;

  /**
   * Every signal but those of faults: Java code takes null checks and safepoints by them, and is
   * killed by a fault that it blocks.
   */
  private static final long ALL_BUT_FAULTS =
      ~(bit(Signals.SIGILL)
          | bit(Signals.SIGTRAP)
          | bit(Signals.SIGBUS)
          | bit(Signals.SIGFPE)
          | bit(Signals.SIGSEGV));

  // int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
  private static final long CLONE = Libc.address("clone");
  // int getcontext(ucontext_t *ucp);
  private static final long GETCONTEXT = Libc.address("getcontext");
  // void makecontext(ucontext_t *ucp, void (*func)(void), int argc, ...);
  private static final long MAKECONTEXT = Libc.address("makecontext");
  // int setcontext(const ucontext_t *ucp);
  private static final long SETCONTEXT = Libc.address("setcontext");
  // sighandler_t signal(int signum, sighandler_t handler);
  private static final long SIGNAL = Libc.address("signal");
  // pid_t setsid(void);
  private static final long SETSID = Libc.address("setsid");
  // mode_t umask(mode_t mask);
  private static final long UMASK = Libc.address("umask");
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
  // int execve(const char *pathname, char *const argv[], char *const envp[]);
  private static final long EXECVE = Libc.address("execve");
  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");
  // void *memcpy(void *dest, const void *src, size_t n);
  private static final long MEMCPY = Libc.address("memcpy");
  // void *memset(void *s, int c, size_t n);
  private static final long MEMSET = Libc.address("memset");
  // int *__errno_location(void);
  private static final long ERRNO_LOCATION = Libc.address("__errno_location");
  // void _exit(int status);
  private static final long EXIT = Libc.address("_exit");

  private final Arena arena;

  /** The context that the chain begins with. */
  private long first;

  /** What the last call in the child that failed left. */
  private int errno;

  private Detaching(Arena arena) {
    this.arena = arena;
  }

  /**
   * Calls {@code posix_spawn} in a child that leads a new session and has this umask. Returns the
   * program's id, and the leader's in {@code leader[0]}: it has ended then, and is a zombie until
   * {@link Processes#waitpid} with {@link Processes#__WALL}.
   *
   * <p>After {@code EINTR}, somebody killed the leader: its own child is killed too, but may for a
   * moment more use the memory that was given here, and the arena must not be closed.
   */
  static int detach(
      Arena arena,
      int umask,
      long spawn,
      long path,
      long actions,
      long attributes,
      long argv,
      long envp,
      int[] leader) {
    MemorySegment pid = arena.allocate(JAVA_INT);
    Detaching calls = new Detaching(arena);
    calls.prepend(EXIT, 0, 0, 0, 0, 0, 0);
    calls.prepend(spawn, pid.address(), path, actions, attributes, argv, envp);
    calls.lead(umask);
    int child = calls.run();
    if (child < 0) {
      return child;
    }
    Processes.awaitEnd(child);
    int program = Native.view(pid).getInt(0);
    return program == 0 ? calls.failed(child) : found(program, child, leader);
  }

  /**
   * As {@link #detach}, with resource limits, which {@code posix_spawn} cannot set; and which are
   * the last thing before the {@code execve}, so that nothing else has to do with them. Every
   * signal has its default then, and none is blocked.
   *
   * <p>A call in the chain goes on to the next one if it has failed. What errno tells afterwards is
   * too late to keep the program from starting, so it is killed then: only what cannot fail, or was
   * made sure of, may be among the actions and limits.
   *
   * @param actions each as kind, descriptor and, if there is one, the descriptor that it becomes
   * @param limits each as number, soft and hard limit
   */
  static int detach(
      Arena arena,
      int umask,
      List<int[]> actions,
      long[][] limits,
      long path,
      long argv,
      long envp,
      int[] leader) {
    long errno = Libc.raw(ERRNO_LOCATION, 0);
    // The program's id, whether the execve has failed, and errno before anything was closed.
    MemorySegment pid = arena.allocate(JAVA_INT);
    MemorySegment failed = arena.allocate(JAVA_INT);
    MemorySegment early = arena.allocate(JAVA_INT);
    Detaching program = new Detaching(arena);
    program.prepend(EXIT, 1, 0, 0, 0, 0, 0);
    program.prepend(MEMSET, failed.address(), 1, 1, 0, 0, 0);
    program.prepend(EXECVE, path, argv, envp, 0, 0, 0);
    // No handler is left by then.
    Native.view(Libc.memory(program.first, Layouts.ucontext_t.SIZE))
        .putLong(Layouts.ucontext_t.signal_mask, 0);
    for (long[] limit : limits) {
      Limits.prepend(program, arena, (int) limit[0], limit[1], limit[2]);
    }
    // What was not open to be closed is no failure.
    program.prepend(MEMSET, errno, 0, Integer.BYTES, 0, 0, 0);
    program.prependActions(actions, true);
    program.prepend(MEMCPY, early.address(), errno, Integer.BYTES, 0, 0, 0);
    program.prependActions(actions, false);
    program.prependDefaults();
    program.prepend(MEMSET, errno, 0, Integer.BYTES, 0, 0, 0);

    Detaching calls = new Detaching(arena);
    calls.prepend(EXIT, 0, 0, 0, 0, 0, 0);
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | Signals.SIGCHLD;
    long top = program.stack() + STACK_BYTES;
    calls.prepend(CLONE, SETCONTEXT, top, flags, program.first, pid.address(), 0);
    calls.lead(umask);
    int child = calls.run();
    if (child < 0) {
      return child;
    }
    Processes.awaitEnd(child);
    int id = Native.view(pid).getInt(0);
    if (id == 0 || Native.view(failed).getInt(0) != 0) {
      return calls.failed(child);
    }
    int earlyErrno = Native.view(early).getInt(0);
    if (earlyErrno != 0 || calls.errno != 0) {
      calls.errno = earlyErrno == 0 ? calls.errno : earlyErrno;
      return calls.failed(child);
    }
    return found(id, child, leader);
  }

  /** Those that close come last, so either them or the others. */
  private void prependActions(List<int[]> actions, boolean closing) {
    for (int[] action : actions.reversed()) {
      int fd = action[1];
      boolean closes = action[0] == CLOSES || action[0] == CLOSES_FROM;
      if (closes != closing) {
        continue;
      }
      if (action[0] == CLOSES) {
        prepend(CLOSE, fd, 0, 0, 0, 0, 0);
      } else if (action[0] == CLOSES_FROM) {
        prepend(CLOSEFROM, fd, 0, 0, 0, 0, 0);
      } else if (action[0] == ENTERS) {
        prepend(FCHDIR, fd, 0, 0, 0, 0, 0);
      } else if (fd == action[2]) {
        prepend(FCNTL, fd, Files.F_SETFD, 0, 0, 0, 0);
      } else {
        prepend(DUP2, fd, action[2], 0, 0, 0, 0);
      }
    }
  }

  /** The default of every signal that can have another one, those of the C library included. */
  private void prependDefaults() {
    long action = arena.allocate(Layouts.kernel_sigaction.SIZE, Long.BYTES).address();
    for (int signal = 1; signal <= Signal.MAX_NUMBER; signal++) {
      if (signal != Signals.SIGKILL && signal != Signal.STOP.number()) {
        prepend(
            SYSCALL, Signals.SYS_rt_sigaction, signal, action, 0, Signals.KERNEL_SIGSET_SIZE, 0);
      }
    }
  }

  /** What the leader does first. */
  private void lead(int umask) {
    prepend(UMASK, umask, 0, 0, 0, 0, 0);
    prepend(SETSID, 0, 0, 0, 0, 0, 0);
    // Were it ignored, posix_spawn could not wait for a child whose exec has failed, and would
    // leave the errno of that.
    prepend(SIGNAL, Signals.SIGCHLD, Signals.SIG_DFL, 0, 0, 0, 0);
  }

  private static int found(int program, int child, int[] leader) {
    leader[0] = child;
    return program;
  }

  /** Takes the ended leader away, with what it has left; why there is no program. */
  private int failed(int child) {
    // Before the leader is reaped, while the group is its own.
    Signals.kill(-child, Signals.SIGKILL);
    int[] status = new int[1];
    Processes.waitpid(child, status, Processes.__WALL);
    return status[0] == 0 ? -errno : -Libc.EINTR;
  }

  /** Puts a call before those there are. */
  void prepend(long function, long a, long b, long c, long d, long e, long f) {
    MemorySegment context = arena.allocate(Layouts.ucontext_t.SIZE, ALIGNMENT);
    Libc.raw(GETCONTEXT, context.address());
    ByteBuffer fields = Native.view(context);
    fields.putLong(Layouts.ucontext_t.uc_link, first);
    fields.putLong(Layouts.ucontext_t.stack_pointer, stack());
    fields.putLong(Layouts.ucontext_t.stack_size, STACK_BYTES);
    // A handler of the JVM must not run in the child, not even that of a fault: all are blocked.
    fields.putLong(Layouts.ucontext_t.signal_mask, -1L);
    // Arguments of makecontext itself would be ints.
    Libc.raw(MAKECONTEXT, context.address(), function, 0, 0, 0, 0);
    fields.putLong(Layouts.ucontext_t.argument_0, a);
    fields.putLong(Layouts.ucontext_t.argument_1, b);
    fields.putLong(Layouts.ucontext_t.argument_2, c);
    fields.putLong(Layouts.ucontext_t.argument_3, d);
    fields.putLong(Layouts.ucontext_t.argument_4, e);
    fields.putLong(Layouts.ucontext_t.argument_5, f);
    first = context.address();
  }

  /** Makes the calls in a child, and returns when it has exited. */
  private int run() {
    long top = stack() + STACK_BYTES;
    long[] before = new long[1];
    // Until the first context blocks them: a signal of the terminal may come at once.
    int error = Signals.sigmask(Signals.SIG_SETMASK, ALL_BUT_FAULTS, before);
    if (error != 0) {
      return error;
    }
    try {
      // Without an exit signal: neither a JVM that ignores SIGCHLD nor a waitpid(-1) in a library
      // of somebody else's reaps it.
      int child = Libc.call(CLONE, SETCONTEXT, top, CLONE_VM | CLONE_VFORK, first, 0, 0);
      // Of this thread, whose memory the child had.
      errno = Libc.errno();
      return child;
    } finally {
      Signals.sigmask(Signals.SIG_SETMASK, before[0], new long[1]);
    }
  }

  private long stack() {
    return arena.allocate(STACK_BYTES, ALIGNMENT).address();
  }

  private static long bit(int signal) {
    return 1L << (signal - 1);
  }
}
