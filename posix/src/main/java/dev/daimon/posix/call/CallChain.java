package dev.daimon.posix.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Calls of the C library that a child makes one after the other, without a line of code of its own:
 * {@code sched.h}, {@code ucontext.h}.
 *
 * <p>It is a {@code vfork}: the child shares this JVM's memory while the calling thread is
 * suspended. Each call is a context with its argument registers and a stack; a return from one
 * leads to the next. A chain is made from its end to its beginning. It cannot branch and it cannot
 * repeat anything; but an argument of a call can come from memory, where an earlier call has left
 * it.
 */
final class CallChain {
  static final int CLONE_VM = 0x100;
  static final int CLONE_VFORK = 0x4000;
  static final int CLONE_PARENT_SETTID = 0x100000;

  static final int ALIGNMENT = 16;

  /** What a call may use of its stack. */
  private static final long STACK_BYTES = 64 * 1024;

  /** What makecontext leaves at the top of a stack: where to return to, and where to go on. */
  private static final long TOP_BYTES = 64;

  /** Calls that have their tops in one piece of memory. */
  private static final long TOPS = 256;

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
  // void *memcpy(void *dest, const void *src, size_t n);
  private static final long MEMCPY = Libc.address("memcpy");
  // void *memset(void *s, int c, size_t n);
  private static final long MEMSET = Libc.address("memset");
  // int *__errno_location(void);
  private static final long ERRNO_LOCATION = Libc.address("__errno_location");

  private final Arena arena;

  /** Of the calling thread, and so of the child: they share their memory. */
  private final long errno = Libc.raw(ERRNO_LOCATION, 0);

  /** The context that the chain begins with; 0 if there is none. */
  private long first;

  /** The top of the next call's stack. */
  private long top;

  /** The lowest address at which a stack may begin. */
  private long lowest;

  /** A chain of no calls, which must be {@linkplain #run run} by the thread that makes it. */
  CallChain(Arena arena) {
    this.arena = arena;
  }

  /** Puts a call before those there are, and returns its context. */
  long prepend(long function, long a, long b, long c, long d, long e, long f) {
    if (top == lowest) {
      lowest = arena.allocate(STACK_BYTES + TOPS * TOP_BYTES, ALIGNMENT).address() + STACK_BYTES;
      top = lowest + TOPS * TOP_BYTES;
    }
    MemorySegment context = arena.allocate(Layouts.ucontext_t.SIZE, ALIGNMENT);
    Libc.raw(GETCONTEXT, context.address());
    ByteBuffer fields = Native.view(context);
    fields.putLong(Layouts.ucontext_t.uc_link, first);
    // One piece of memory for many stacks, each a little below the one of the next call: a call
    // writes over those of the calls before it alone.
    fields.putLong(Layouts.ucontext_t.stack_pointer, top - STACK_BYTES);
    fields.putLong(Layouts.ucontext_t.stack_size, STACK_BYTES);
    top -= TOP_BYTES;
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

  /** Has no signal blocked from the first call on. */
  void unblock() {
    Native.view(Libc.memory(first, Layouts.ucontext_t.SIZE))
        .putLong(Layouts.ucontext_t.signal_mask, 0);
  }

  /** Makes an {@code int} that is known only then an argument of a call, just before it. */
  void load(long context, int argument, long from) {
    prepend(MEMCPY, context + argument, from, Integer.BYTES, 0, 0, 0);
  }

  /** Forgets what errno was. */
  void clearErrno() {
    prepend(MEMSET, errno, 0, Integer.BYTES, 0, 0, 0);
  }

  /** Leaves at an address what errno is. */
  void saveErrno(long to) {
    prepend(MEMCPY, to, errno, Integer.BYTES, 0, 0, 0);
  }

  /** Writes as many zeros to an address as errno says, so none if all went well until then. */
  void blankByErrno(long address) {
    long blank = prepend(MEMSET, address, 0, 0, 0, 0, 0);
    load(blank, Layouts.ucontext_t.argument_2, errno);
  }

  /** Puts a call before those there are that makes another chain's calls in a child. */
  void prependChild(CallChain calls, int flags, long id) {
    prepend(CLONE, SETCONTEXT, calls.top, flags, calls.first, id, 0);
  }

  /**
   * Makes the calls in a child, and returns when it has exited or executed a program.
   *
   * @param exitSignal what this JVM gets when the child ends; 0 for nothing
   * @param id where to leave the child's process id
   */
  int run(int exitSignal, long id) {
    long[] before = new long[1];
    // Until the first context blocks them: a signal of the terminal may come at once.
    int error = Signals.sigmask(Signals.SIG_SETMASK, ALL_BUT_FAULTS, before);
    if (error != 0) {
      return error;
    }
    try {
      int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | exitSignal;
      return Libc.call(CLONE, SETCONTEXT, top, flags, first, id, 0);
    } finally {
      Signals.sigmask(Signals.SIG_SETMASK, before[0], new long[1]);
    }
  }

  private static long bit(int signal) {
    return 1L << (signal - 1);
  }
}
