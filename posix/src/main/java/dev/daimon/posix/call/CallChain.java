package dev.daimon.posix.call;

import dev.daimon.posix.Pause;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * A sequence of calls of the C library that a child process makes without any code of its own:
 * {@code sched.h}, {@code ucontext.h}.
 *
 * <p><b>Why this way.</b> A child has to call {@code setsid}, {@code setresuid}, {@code prlimit}
 * and the like between its creation and its {@code execve}. There are these ways to run code there:
 *
 * <table>
 *   <caption>Ways to run code in a child of a JVM</caption>
 *   <tr><th>way</th><th>from a JVM</th></tr>
 *   <tr><td>{@code fork}</td><td>The child has one thread, and the locks that all other threads held
 *       stay locked: Java code waits for ever at its first allocation or safepoint. The cost grows
 *       with the heap, whose page tables are copied.</td></tr>
 *   <tr><td>{@code vfork}</td><td>It returns twice into one stack frame. Called from Java, the child
 *       returns into the JVM and writes over the frames that the parent still needs.</td></tr>
 *   <tr><td>{@code clone} with {@code CLONE_VM} and {@code CLONE_VFORK}</td><td>The child runs one
 *       native function on a stack of its own, at a cost that does not depend on the heap. The
 *       function must not be Java code, and Daimon ships no native library.</td></tr>
 *   <tr><td>{@code posix_spawn}</td><td>It is such a {@code clone} with a function of the C
 *       library's, and {@link Spawning} uses it wherever it can do all that is wanted. It cannot set
 *       the umask, the user, capabilities or limits, and its child cannot be the child of a session
 *       leader that ends.</td></tr>
 *   <tr><td>a helper program</td><td>It takes a second {@code execve} for each start, and an
 *       executable for each architecture that has to be shipped, found and trusted; or the tools of
 *       a system ({@code setpriv}, {@code prlimit}), which not every machine has.</td></tr>
 * </table>
 *
 * <p>So this is {@code clone}, and the function is one that the C library has: {@code setcontext},
 * which calls what a {@code ucontext_t} says and, when that returns, goes on with the next {@code
 * ucontext_t}. A context holds one call: its function, its argument registers and its stack.
 *
 * <p><b>What a chain can do.</b> It is built from its last call to its first one. It cannot branch
 * or repeat; but an argument of a call can come from memory, where an earlier call has left it
 * ({@link #load}). While it runs, the child shares this JVM's memory, and the calling thread is
 * suspended.
 */
final class CallChain {
  static final int CLONE_VM = 0x100;
  static final int CLONE_VFORK = 0x4000;
  static final int CLONE_PARENT_SETTID = 0x100000;

  static final int ALIGNMENT = 16;

  /** The stack that a call may use, in bytes. */
  private static final long STACK_BYTES = 64 * 1024;

  /**
   * The bytes that makecontext fills at the top of a stack: the return address, the next context.
   */
  private static final long TOP_BYTES = 64;

  /** How many calls have the tops of their stacks in one piece of memory. */
  private static final long TOPS = 256;

  /**
   * Every signal but those of faults. The JVM needs these for null checks and safepoints, and the
   * kernel kills a thread that faults while it blocks them.
   */
  private static final long ALL_BUT_FAULTS =
      ~(bit(Signals.SIGILL)
          | bit(Signals.SIGTRAP)
          | bit(Signals.SIGBUS)
          | bit(Signals.SIGFPE)
          | bit(Signals.SIGSEGV));

  private static final long PAUSE_NANOS = 10_000_000;

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

  /** The address of the calling thread's errno, which is the child's too: they share memory. */
  private final long errno = Libc.raw(ERRNO_LOCATION, 0);

  /** The address of the first context; 0 if there is none. */
  private long first;

  /** The top of the next call's stack. */
  private long top;

  /** The lowest address at which a stack may begin. */
  private long lowest;

  /** Makes an empty chain. The thread that makes it must {@linkplain #run} it. */
  CallChain(Arena arena) {
    this.arena = arena;
  }

  /** Adds a call at the beginning of the chain, and returns the address of its context. */
  long prepend(long function, long a, long b, long c, long d, long e, long f) {
    if (top == lowest) {
      lowest = arena.allocate(STACK_BYTES + TOPS * TOP_BYTES, ALIGNMENT).address() + STACK_BYTES;
      top = lowest + TOPS * TOP_BYTES;
    }
    MemorySegment context = arena.allocate(Layouts.ucontext_t.SIZE, ALIGNMENT);
    Libc.raw(GETCONTEXT, context.address());
    ByteBuffer fields = Native.view(context);
    fields.putLong(Layouts.ucontext_t.uc_link, first);
    // Many stacks share one piece of memory. Each begins a little below that of the next call, so
    // a call overwrites only stacks of calls that have returned.
    fields.putLong(Layouts.ucontext_t.stack_pointer, top - STACK_BYTES);
    fields.putLong(Layouts.ucontext_t.stack_size, STACK_BYTES);
    top -= TOP_BYTES;
    // No handler of the JVM may run in the child, not even that of a fault: all are blocked.
    fields.putLong(Layouts.ucontext_t.signal_mask, -1L);
    // makecontext itself passes ints; the registers are set below instead.
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

  /** Lets no signal be blocked from the present first call on. */
  void unblock() {
    Native.view(Libc.memory(first, Layouts.ucontext_t.SIZE))
        .putLong(Layouts.ucontext_t.signal_mask, 0);
  }

  /** Copies an {@code int} from memory into an argument of a call, just before that call. */
  void load(long context, int argument, long from) {
    prepend(MEMCPY, context + argument, from, Integer.BYTES, 0, 0, 0);
  }

  /** Sets errno to zero. */
  void clearErrno() {
    prepend(MEMSET, errno, 0, Integer.BYTES, 0, 0, 0);
  }

  /** Stores errno at an address. */
  void saveErrno(long to) {
    prepend(MEMCPY, to, errno, Integer.BYTES, 0, 0, 0);
  }

  /** Writes as many zero bytes to an address as errno says: none if nothing has failed so far. */
  void blankByErrno(long address) {
    fill(address, 0, errno);
  }

  /** Writes a byte to an address, as often as an {@code int} in memory says. */
  void fill(long address, int value, long length) {
    long fill = prepend(MEMSET, address, value, 0, 0, 0, 0);
    load(fill, Layouts.ucontext_t.argument_2, length);
  }

  /** Adds a call at the beginning that runs another chain in a child of the child. */
  void prependChild(CallChain calls, int flags, long id) {
    prepend(CLONE, SETCONTEXT, calls.top, flags, calls.first, id, 0);
  }

  /**
   * Runs the chain in a child, and returns when that has exited or executed a program.
   *
   * @param exitSignal the signal that this JVM gets when the child ends; 0 for none
   * @param id the address where the child's process id is stored
   */
  int run(int exitSignal, long id) {
    long[] before = new long[1];
    // The first context blocks all signals, but one from the terminal may arrive before.
    int error = Signals.sigmask(Signals.SIG_SETMASK, ALL_BUT_FAULTS, before);
    if (error != 0) {
      return error;
    }
    try {
      int flags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | exitSignal;
      return Libc.call(CLONE, SETCONTEXT, top, flags, first, id, 0);
    } finally {
      setBack(before);
    }
  }

  /**
   * Sets the signal mask back, as soon as there is memory for that. It takes no more than the call
   * before took, which is free again unless another thread has got it: so a thread that has all the
   * memory itself does not wait for it here.
   */
  private static void setBack(long[] mask) {
    for (boolean again = false; ; again = true) {
      try {
        if (again) {
          Pause.nanos(PAUSE_NANOS);
        }
        Signals.sigmask(Signals.SIG_SETMASK, mask[0], mask);
        return;
      } catch (OutOfMemoryError scarce) {
        // A thread that blocks signals for good would miss what they ask of it.
      }
    }
  }

  private static long bit(int signal) {
    return 1L << (signal - 1);
  }
}
