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
 *
 * <p>Neither tells a program that was executed from one that was killed before. So the leader makes
 * a pipe, and the program alone keeps its writing end, close-on-exec: the leader reads the end of
 * the file when the kernel has closed that, at the exec or at the program's end. Then {@code
 * setpgid} on a child that has executed fails with {@code EACCES}, and on no other; the leader asks
 * before anybody can reap the program.
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

  /** Where the child begins, and of posix_spawn, which makes room for its own child itself. */
  private static final long STACK_BYTES = 64 * 1024;

  /** Of a call that is little more than a system call. */
  private static final long SMALL_STACK_BYTES = 8 * 1024;

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
  // int dup3(int oldfd, int newfd, int flags);
  private static final long DUP3 = Libc.address("dup3");
  // int pipe2(int pipefd[2], int flags);
  private static final long PIPE2 = Libc.address("pipe2");
  // ssize_t read(int fd, void *buf, size_t count);
  private static final long READ = Libc.address("read");
  // int setpgid(pid_t pid, pid_t pgid);
  private static final long SETPGID = Libc.address("setpgid");
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

  /** What the chain leaves, each an {@code int}; the pipe's two ends come first. */
  private final MemorySegment results;

  private final long ends;
  private final long verdict;
  private final long leader;
  private final long program;
  private final long pipeError;
  private final long startError;

  /** Of a program with limits: whether the execve has failed, and errno before the first close. */
  private final long failed;

  private final long early;

  private Detaching(Arena arena) {
    this.arena = arena;
    results = arena.allocate(JAVA_INT, 9);
    ends = results.address();
    verdict = ends + 2 * Integer.BYTES;
    leader = verdict + Integer.BYTES;
    program = leader + Integer.BYTES;
    pipeError = program + Integer.BYTES;
    startError = pipeError + Integer.BYTES;
    failed = startError + Integer.BYTES;
    early = failed + Integer.BYTES;
    // No descriptors, and no verdict.
    results.asSlice(0, 3 * Integer.BYTES).fill((byte) -1);
  }

  private int result(long address) {
    return Native.view(results).getInt((int) (address - results.address()));
  }

  /**
   * Calls {@code posix_spawn} in a child that leads a new session and has this umask. Returns the
   * program's id, and the leader's in {@code leader[0]}: it has ended then, and is a zombie until
   * {@link Processes#waitpid} with {@link Processes#__WALL}.
   *
   * <p>After {@code EINTR}, somebody killed the program before it was executed, or the leader: its
   * own child is killed too then, but may for a moment more use the memory that was given here, and
   * the arena must not be closed.
   *
   * @param reserved an open descriptor, close-on-exec, that nothing else uses
   * @param witness the number in the program that no action closes; {@code reserved} will do
   */
  static int detach(
      Arena arena,
      int reserved,
      int witness,
      int umask,
      long spawn,
      long path,
      long actions,
      long attributes,
      long argv,
      long envp,
      int[] leader) {
    Detaching calls = new Detaching(arena);
    calls.look(witness);
    calls.prepend(STACK_BYTES, spawn, calls.program, path, actions, attributes, argv, envp);
    calls.lead(umask, reserved, witness);
    return calls.start(/* errnoTells= */ false, leader);
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
      int reserved,
      int witness,
      int umask,
      List<int[]> actions,
      long[][] limits,
      long path,
      long argv,
      long envp,
      int[] leader) {
    long errno = Libc.raw(ERRNO_LOCATION, 0);
    Detaching calls = new Detaching(arena);
    Detaching program = new Detaching(arena);
    program.prepend(EXIT, 1, 0, 0, 0, 0, 0);
    program.prepend(MEMSET, calls.failed, 1, 1, 0, 0, 0);
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
    program.prepend(MEMCPY, calls.early, errno, Integer.BYTES, 0, 0, 0);
    program.prependActions(actions, false);
    program.prependDefaults();
    program.prepend(MEMSET, errno, 0, Integer.BYTES, 0, 0, 0);

    calls.look(witness);
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | Signals.SIGCHLD;
    long top = program.stack(STACK_BYTES) + STACK_BYTES;
    calls.prepend(CLONE, SETCONTEXT, top, flags, program.first, calls.program, 0);
    calls.lead(umask, reserved, witness);
    return calls.start(/* errnoTells= */ true, leader);
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
  private void lead(int umask, int reserved, int witness) {
    preparePipe(reserved, witness);
    prepend(UMASK, umask, 0, 0, 0, 0, 0);
    prepend(SETSID, 0, 0, 0, 0, 0, 0);
    // Were it ignored, posix_spawn could not wait for a child whose exec has failed, and would
    // leave the errno of that.
    prepend(SIGNAL, Signals.SIGCHLD, Signals.SIG_DFL, 0, 0, 0, 0);
  }

  /** Makes the pipe, with the witness as its only writing end. */
  private void preparePipe(int reserved, int witness) {
    long errno = Libc.raw(ERRNO_LOCATION, 0);
    long writing = ends + Integer.BYTES;
    prepend(MEMCPY, pipeError, errno, Integer.BYTES, 0, 0, 0);
    long close = prepend(CLOSE, 0, 0, 0, 0, 0, 0);
    load(close, Layouts.ucontext_t.argument_0, writing);
    long duplicate = prepend(DUP3, 0, witness, Files.O_CLOEXEC, 0, 0, 0);
    load(duplicate, Layouts.ucontext_t.argument_0, writing);
    prepend(PIPE2, ends, Files.O_CLOEXEC, 0, 0, 0, 0);
    // So that neither end of the pipe gets this number.
    prepend(DUP2, reserved, witness, 0, 0, 0, 0);
    prepend(MEMSET, errno, 0, Integer.BYTES, 0, 0, 0);
  }

  /** What the leader does last: it sees whether the program was executed, and ends. */
  private void look(int witness) {
    long errno = Libc.raw(ERRNO_LOCATION, 0);
    prepend(EXIT, 0, 0, 0, 0, 0, 0);
    prepend(MEMCPY, verdict, errno, Integer.BYTES, 0, 0, 0);
    // The group that it has anyway.
    long ask = prepend(SETPGID, 0, 0, 0, 0, 0, 0);
    load(ask, Layouts.ucontext_t.argument_1, leader);
    load(ask, Layouts.ucontext_t.argument_0, program);
    prepend(MEMSET, errno, 0, Integer.BYTES, 0, 0, 0);
    long read = prepend(READ, 0, arena.allocate(JAVA_INT).address(), 1, 0, 0, 0);
    load(read, Layouts.ucontext_t.argument_0, ends);
    prepend(CLOSE, witness, 0, 0, 0, 0, 0);
    prepend(MEMCPY, startError, errno, Integer.BYTES, 0, 0, 0);
  }

  /** Makes an {@code int} that is known only then an argument of a call, just before it. */
  private void load(long context, int argument, long from) {
    prepend(MEMCPY, context + argument, from, Integer.BYTES, 0, 0, 0);
  }

  /**
   * Runs the chain, and takes the leader away if there is no program then.
   *
   * @param errnoTells whether errno is that of the program's start, even if there is a program
   */
  private int start(boolean errnoTells, int[] session) {
    int child = run();
    if (child < 0) {
      return child;
    }
    Processes.awaitEnd(child);
    int id = result(program);
    int error = Libc.EINTR;
    if (result(pipeError) != 0) {
      error = result(pipeError);
    } else if (result(early) != 0) {
      error = result(early);
    } else if (id == 0 || result(failed) != 0 || (errnoTells && result(startError) != 0)) {
      error = result(startError);
    } else if (result(verdict) > 0) {
      // EACCES: executed. Where setpgid is forbidden by other means, nobody can tell.
      session[0] = child;
      return id;
    }
    return failed(child, error);
  }

  /** Takes the ended leader away, with what it has left; why there is no program. */
  private static int failed(int child, int error) {
    // Before the leader is reaped, while the group is its own.
    Signals.kill(-child, Signals.SIGKILL);
    int[] status = new int[1];
    Processes.waitpid(child, status, Processes.__WALL);
    return status[0] == 0 ? -error : -Libc.EINTR;
  }

  /** Puts a call before those there are, and returns its context. */
  long prepend(long function, long a, long b, long c, long d, long e, long f) {
    return prepend(SMALL_STACK_BYTES, function, a, b, c, d, e, f);
  }

  private long prepend(
      long stackBytes, long function, long a, long b, long c, long d, long e, long f) {
    MemorySegment context = arena.allocate(Layouts.ucontext_t.SIZE, ALIGNMENT);
    Libc.raw(GETCONTEXT, context.address());
    ByteBuffer fields = Native.view(context);
    fields.putLong(Layouts.ucontext_t.uc_link, first);
    fields.putLong(Layouts.ucontext_t.stack_pointer, stack(stackBytes));
    fields.putLong(Layouts.ucontext_t.stack_size, stackBytes);
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
    return first;
  }

  /** Makes the calls in a child, and returns when it has exited. */
  private int run() {
    long top = stack(STACK_BYTES) + STACK_BYTES;
    long[] before = new long[1];
    // Until the first context blocks them: a signal of the terminal may come at once.
    int error = Signals.sigmask(Signals.SIG_SETMASK, ALL_BUT_FAULTS, before);
    if (error != 0) {
      return error;
    }
    try {
      // Without an exit signal: neither a JVM that ignores SIGCHLD nor a waitpid(-1) in a library
      // of somebody else's reaps it.
      int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID;
      return Libc.call(CLONE, SETCONTEXT, top, flags, first, leader, 0);
    } finally {
      Signals.sigmask(Signals.SIG_SETMASK, before[0], new long[1]);
    }
  }

  private long stack(long bytes) {
    return arena.allocate(bytes, ALIGNMENT).address();
  }

  private static long bit(int signal) {
    return 1L << (signal - 1);
  }
}
