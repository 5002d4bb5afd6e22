package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * The process that leads a new session just long enough to start a program in it: {@code sched.h},
 * {@code ucontext.h}.
 *
 * <p>It is a {@code vfork} without a line of code of its own: the child shares this JVM's memory
 * while the calling thread is suspended, and makes a chain of calls of the C library. Each call is
 * a context with its argument registers and a stack; a return from one leads to the next.
 */
final class Detaching {
  static final int CLONE_VM = 0x100;
  static final int CLONE_VFORK = 0x4000;

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
   * <p>Before that it sets resource limits, each as number, soft and hard limit. Nobody tells
   * whether it could: they are to be read from the leader afterwards.
   *
   * <p>After {@code EINTR}, somebody killed the leader: its own child is killed too, but may for a
   * moment more use the memory that was given here, and the arena must not be closed.
   */
  static int detach(
      Arena arena,
      int umask,
      long[][] limits,
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
    for (long[] limit : limits) {
      Limits.prepend(calls, arena, (int) limit[0], limit[1], limit[2]);
    }
    calls.prepend(UMASK, umask, 0, 0, 0, 0, 0);
    calls.prepend(SETSID, 0, 0, 0, 0, 0, 0);
    // Were it ignored, posix_spawn could not wait for a child whose exec has failed, and would
    // leave the errno of that.
    calls.prepend(SIGNAL, Signals.SIGCHLD, Signals.SIG_DFL, 0, 0, 0, 0);
    int child = calls.run();
    if (child < 0) {
      return child;
    }
    Processes.awaitEnd(child);
    int program = Native.view(pid).getInt(0);
    if (program != 0) {
      leader[0] = child;
      return program;
    }
    // Before the leader is reaped, while the group is its own.
    Signals.kill(-child, Signals.SIGKILL);
    int[] status = new int[1];
    Processes.waitpid(child, status, Processes.__WALL);
    return status[0] == 0 ? -calls.errno : -Libc.EINTR;
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
