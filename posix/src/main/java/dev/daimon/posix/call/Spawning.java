package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.daimon.posix.Errno;
import dev.daimon.posix.Resource;
import dev.daimon.posix.UserChange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code posix_spawn}: {@code spawn.h}. An object of this class is a spawn with its attributes and
 * file actions; close it after use.
 *
 * <p>The child makes the file actions in the order in which they were added.
 */
public final class Spawning implements AutoCloseable {
  /** Set the signals' dispositions to their defaults. */
  public static final int POSIX_SPAWN_SETSIGDEF = 0x04;

  /** Set the signal mask. */
  public static final int POSIX_SPAWN_SETSIGMASK = 0x08;

  /** Start a new session. */
  public static final int POSIX_SPAWN_SETSID = 0x80;

  // int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *file_actions,
  //                 const posix_spawnattr_t *attrp, char *const argv[], char *const envp[]);
  private static final long SPAWN = Libc.address("posix_spawn");
  // int posix_spawnattr_init(posix_spawnattr_t *attr);
  private static final long ATTR_INIT = Libc.address("posix_spawnattr_init");
  // int posix_spawnattr_destroy(posix_spawnattr_t *attr);
  private static final long ATTR_DESTROY = Libc.address("posix_spawnattr_destroy");
  // int posix_spawnattr_setflags(posix_spawnattr_t *attr, short flags);
  private static final long SETFLAGS = Libc.address("posix_spawnattr_setflags");
  // int posix_spawnattr_setsigdefault(posix_spawnattr_t *attr, const sigset_t *sigdefault);
  private static final long SETSIGDEFAULT = Libc.address("posix_spawnattr_setsigdefault");
  // int posix_spawnattr_setsigmask(posix_spawnattr_t *attr, const sigset_t *sigmask);
  private static final long SETSIGMASK = Libc.address("posix_spawnattr_setsigmask");
  // int posix_spawn_file_actions_init(posix_spawn_file_actions_t *file_actions);
  private static final long ACTIONS_INIT = Libc.address("posix_spawn_file_actions_init");
  // int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *file_actions);
  private static final long ACTIONS_DESTROY = Libc.address("posix_spawn_file_actions_destroy");
  // int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *file_actions, int fildes,
  //                                      int newfildes);
  private static final long ADDDUP2 = Libc.address("posix_spawn_file_actions_adddup2");
  // int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *file_actions, int fildes);
  private static final long ADDCLOSE = Libc.address("posix_spawn_file_actions_addclose");
  // int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *file_actions,
  //                                              int from);
  private static final long ADDCLOSEFROM =
      Libc.optionalAddress("posix_spawn_file_actions_addclosefrom_np");
  // int posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *file_actions,
  //                                           int fildes);
  private static final long ADDFCHDIR = Libc.address("posix_spawn_file_actions_addfchdir_np");

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment attributes =
      arena.allocate(Layouts.posix_spawnattr_t.SIZE, Long.BYTES);
  private final MemorySegment actions =
      arena.allocate(Layouts.posix_spawn_file_actions_t.SIZE, Long.BYTES);

  /** The file actions again, for a {@link ProgramChain}. */
  private final List<int[]> recorded = new ArrayList<>();

  private int flags;
  private UserChange user = UserChange.NONE;
  private long[][] limits = {};

  /** Where the last entry of the environment is to have the program's process id, or -1. */
  private int pidPlace = -1;

  /** Whether {@link #detach} makes a session, and not only a process group. */
  private boolean newSession = true;

  /** The signal that the program ignores, or 0. */
  private int ignored;

  /** The number of the pipe's write end in a detached program (see {@link DetachChain}), or 0. */
  private int witness;

  /** Whether a child that was killed may still read this memory, so that it must not be freed. */
  private boolean abandoned;

  /** Makes a spawn without flags and file actions. */
  public Spawning() {
    // In glibc both functions only clear the memory, and cannot fail.
    Libc.raw(ATTR_INIT, attributes.address());
    Libc.raw(ACTIONS_INIT, actions.address());
  }

  /** Whether the C library can close every descriptor from a number up. */
  public static boolean hasCloseFrom() {
    return ADDCLOSEFROM != 0;
  }

  /** Sets the flags, {@code POSIX_SPAWN_…}. */
  public int setFlags(int flags) {
    this.flags = flags;
    return result(SETFLAGS, attributes, flags, 0);
  }

  /**
   * Names every signal for {@link #POSIX_SPAWN_SETSIGDEF}. {@code sigfillset} would leave out 32
   * and 33, and with glibc before 2.41 the child would get these two as ignored.
   */
  public int setAllSignalsDefault() {
    return result(SETSIGDEFAULT, attributes, signalSet((byte) 0xff), 0);
  }

  /** Names the empty mask for {@link #POSIX_SPAWN_SETSIGMASK}. */
  public int setEmptySignalMask() {
    return result(SETSIGMASK, attributes, signalSet((byte) 0), 0);
  }

  private long signalSet(byte value) {
    return arena.allocate(Layouts.sigset_t.SIZE, Long.BYTES).fill(value).address();
  }

  /** Duplicates a descriptor; if both numbers are the same, it stays open on exec. */
  public int addDup2(int from, int to) {
    recorded.add(new int[] {ProgramChain.DUPLICATES, from, to});
    return result(ADDDUP2, actions, from, to);
  }

  /** Closes a descriptor, if it is open. */
  public int addClose(int fd) {
    recorded.add(new int[] {ProgramChain.CLOSES, fd});
    return result(ADDCLOSE, actions, fd, 0);
  }

  /**
   * Closes every descriptor from a number up; only where {@link #hasCloseFrom()}. Where the child
   * can neither use {@code close_range} nor list {@code /proc/self/fd}, a {@link ProgramChain}
   * aborts: {@code closefrom} has no other way to fail.
   */
  public int addCloseFrom(int first) {
    recorded.add(new int[] {ProgramChain.CLOSES_FROM, first});
    return result(ADDCLOSEFROM, actions, first, 0);
  }

  /** Changes the working directory to that of a descriptor. */
  public int addFchdir(int fd) {
    recorded.add(new int[] {ProgramChain.ENTERS, fd});
    return result(ADDFCHDIR, actions, fd, 0);
  }

  /**
   * Sets the descriptor number of the pipe by which {@link #detach} recognizes the exec. It is open
   * in the child, whatever it is here, and the exec closes it. It must not be a number of a file
   * action. If it is not set, no file action may close a descriptor that it does not name.
   */
  public void setWitness(int number) {
    witness = number;
  }

  /**
   * Sets the program's user. With a change of user, limits or a process id in the environment, the
   * child is a {@link ProgramChain} instead of {@code posix_spawn}: then every signal has its
   * default and none is blocked, whatever was set.
   */
  public void setUser(UserChange change) {
    user = change;
  }

  /**
   * Sets resource limits of the program.
   *
   * @param limits each as number, soft and hard limit; not above this process's hard limit
   */
  public void setLimits(long[][] limits) {
    this.limits = limits;
  }

  /**
   * Has the program's process id written into the last entry of the environment, in decimal digits
   * and with a NUL byte.
   *
   * @param place the index of the first digit; the entry must have ten bytes from there on
   */
  public void setPidPlace(int place) {
    pidPlace = place;
  }

  /** Has {@link #detach} start the program in this session, and in a new process group. */
  public void keepSession() {
    newSession = false;
  }

  /** Has the program ignore a signal. The child is a {@link ProgramChain} then. */
  public void setIgnored(int signal) {
    ignored = signal;
  }

  private boolean isPlain() {
    return user.isNone() && limits.length == 0 && pidPlace < 0 && ignored == 0;
  }

  /**
   * Starts the program, and returns its process id when it was executed. Returns {@code EINTR} if
   * somebody killed it before ({@code posix_spawn} itself would not report that), and {@code
   * ETIMEDOUT} if it got another user's ids and was not executed in time, so that the kernel has
   * killed it.
   *
   * <p>Where this JVM ignores {@code SIGCHLD}, or other code waits for its children, a program that
   * has ended at once counts as executed.
   */
  public int spawn(byte[] path, List<byte[]> argv, List<byte[]> envp) {
    requireOpen();
    long start = System.nanoTime();
    try (Arena own = Arena.ofConfined()) {
      int child = isPlain() ? plain(own, path, argv, envp) : chained(own, path, argv, envp);
      if (child < 0) {
        return child;
      }
      if (ExecCheck.neverHappened(child)) {
        Processes.waitpid(child, new int[1], 0);
        return killed(start);
      }
      Processes.markOwn(child);
      return child;
    }
  }

  private int plain(Arena own, byte[] path, List<byte[]> argv, List<byte[]> envp) {
    MemorySegment pid = own.allocate(JAVA_INT);
    int error =
        (int)
            Libc.raw(
                SPAWN,
                pid.address(),
                Native.string(own, path).address(),
                actions.address(),
                attributes.address(),
                Native.strings(own, argv).address(),
                Native.strings(own, envp).address());
    return error != 0 ? -error : Native.view(pid).getInt(0);
  }

  private int chained(Arena own, byte[] path, List<byte[]> argv, List<byte[]> envp) {
    ProgramChain program = program(own, path, argv, envp);
    int child = program.calls().run(Signals.SIGCHLD, program.id().address());
    if (child >= 0 && program.error() != 0) {
      Processes.waitpid(child, new int[1], 0);
      return -program.error();
    }
    return child;
  }

  private ProgramChain program(Arena own, byte[] path, List<byte[]> argv, List<byte[]> envp) {
    boolean session = (flags & POSIX_SPAWN_SETSID) != 0;
    return new ProgramChain(
        own, session, recorded, user, limits, path, argv, envp, pidPlace, ignored);
  }

  /** Returns why a program that was started at this time was killed: its timer, or somebody. */
  private int killed(long startNanos) {
    return user.uid().isPresent() && ProgramChain.isOverdue(startNanos)
        ? -Errno.ETIMEDOUT.number()
        : -Libc.EINTR;
  }

  /**
   * Starts the program as {@link #spawn} does, but as the child of a child of this JVM, with this
   * umask, in a new session that it does not lead; or in a new process group, as {@link
   * #keepSession} says. Returns its process id, and stores that of the leader of the session, or of
   * the group, in {@code leader[0]}. The leader has ended, and stays a zombie until {@link
   * Processes#waitpid} with {@link Processes#__WALL} reaps it.
   *
   * <p>Set a signal mask: otherwise the program inherits one with every signal blocked. Returns
   * {@code EINTR} if somebody killed the program before it was executed, or the leader.
   */
  public int detach(int umask, byte[] path, List<byte[]> argv, List<byte[]> envp, int[] leader) {
    requireOpen();
    int reserved = reserve();
    if (reserved < 0) {
      return reserved;
    }
    long start = System.nanoTime();
    int last = witness == 0 ? reserved : witness;
    int result =
        isPlain()
            ? DetachChain.detach(
                arena,
                reserved,
                last,
                newSession,
                umask,
                SPAWN,
                ProgramChain.erasable(arena, path),
                actions.address(),
                attributes.address(),
                Native.strings(arena, argv).address(),
                Native.strings(arena, envp).address(),
                leader)
            : DetachChain.detach(
                arena, reserved, last, newSession, umask, program(arena, path, argv, envp), leader);
    Files.close(reserved);
    if (result == -Libc.EINTR) {
      abandoned = true;
      return killed(start);
    }
    return result;
  }

  /** A number above the standard streams and all that file actions replace. */
  private int lowestFree() {
    int lowest = 3;
    for (int[] action : recorded) {
      if (action[0] == ProgramChain.DUPLICATES && action[1] != action[2]) {
        lowest = Math.max(lowest, action[2] + 1);
      }
    }
    return lowest;
  }

  /** Opens a descriptor that no file action replaces. */
  private int reserve() {
    long[] numbers = new long[2];
    Limits.getrlimit(0, Resource.NOFILE.number(), numbers);
    if (Long.compareUnsigned(witness, numbers[0]) >= 0) {
      return -Errno.EMFILE.number();
    }
    int[] pipe = new int[2];
    int result = Files.pipe(Files.O_CLOEXEC, pipe);
    if (result < 0) {
      return result;
    }
    int reserved = Files.fcntl(pipe[0], Files.F_DUPFD_CLOEXEC, lowestFree());
    Files.close(pipe[0]);
    Files.close(pipe[1]);
    return reserved;
  }

  /** Calls a function that returns the error number itself. */
  private int result(long function, MemorySegment object, long a, long b) {
    requireOpen();
    return -(int) Libc.raw(function, object.address(), a, b, 0, 0, 0);
  }

  /** Checks that the memory is not freed: the C library gets bare addresses. */
  private void requireOpen() {
    if (!arena.scope().isAlive()) {
      throw new IllegalStateException("the spawn is closed");
    }
  }

  /** Frees what the C library holds; a second call does nothing. */
  @Override
  public void close() {
    if (abandoned || !arena.scope().isAlive()) {
      return;
    }
    Libc.raw(ATTR_DESTROY, attributes.address());
    Libc.raw(ACTIONS_DESTROY, actions.address());
    arena.close();
  }
}
