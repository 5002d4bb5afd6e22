package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The process that leads a new session just long enough to start a program in it: {@code unistd.h}.
 *
 * <p>It is a {@link CallChain}. The program itself is started by {@code posix_spawn}, which is such
 * a call, or by a {@link ProgramChain}, if there is to happen what {@code posix_spawn} cannot do.
 *
 * <p>Neither tells a program that was executed from one that was killed before. So the leader makes
 * a pipe, and the program alone keeps its writing end, close-on-exec: the leader reads the end of
 * the file when the kernel has closed that, at the exec or at the program's end. Then {@code
 * setpgid} on a child that has executed fails with {@code EACCES}, and on no other; the leader asks
 * before anybody can reap the program.
 */
final class DetachChain {
  // sighandler_t signal(int signum, sighandler_t handler);
  private static final long SIGNAL = Libc.address("signal");
  // pid_t setsid(void);
  private static final long SETSID = Libc.address("setsid");
  // mode_t umask(mode_t mask);
  private static final long UMASK = Libc.address("umask");
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
  // int close(int fd);
  private static final long CLOSE = Libc.address("close");
  // void _exit(int status);
  private static final long EXIT = Libc.address("_exit");

  private final Arena arena;
  private final CallChain calls;

  /** What the chain leaves, each an {@code int}; the pipe's two ends come first. */
  private final MemorySegment results;

  private final long ends;
  private final long verdict;
  private final long leader;
  private final long program;
  private final long pipeError;
  private final long startError;

  private DetachChain(Arena arena) {
    this.arena = arena;
    calls = new CallChain(arena);
    results = arena.allocate(JAVA_INT, 7);
    ends = results.address();
    verdict = ends + 2 * Integer.BYTES;
    leader = verdict + Integer.BYTES;
    program = leader + Integer.BYTES;
    pipeError = program + Integer.BYTES;
    startError = pipeError + Integer.BYTES;
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
    DetachChain detaching = new DetachChain(arena);
    detaching.look(witness);
    detaching.calls.prepend(spawn, detaching.program, path, actions, attributes, argv, envp);
    detaching.lead(umask, reserved, witness);
    return detaching.start(null, leader);
  }

  /** As the other one, but the leader's child is this chain's. */
  static int detach(
      Arena arena, int reserved, int witness, int umask, ProgramChain program, int[] leader) {
    DetachChain detaching = new DetachChain(arena);
    detaching.look(witness);
    int flags =
        CallChain.CLONE_VM
            | CallChain.CLONE_VFORK
            | CallChain.CLONE_PARENT_SETTID
            | Signals.SIGCHLD;
    detaching.calls.prependChild(program.calls(), flags, detaching.program);
    detaching.lead(umask, reserved, witness);
    return detaching.start(program, leader);
  }

  /** What the leader does first. */
  private void lead(int umask, int reserved, int witness) {
    preparePipe(reserved, witness);
    calls.prepend(UMASK, umask, 0, 0, 0, 0, 0);
    calls.prepend(SETSID, 0, 0, 0, 0, 0, 0);
    // Were it ignored, posix_spawn could not wait for a child whose exec has failed, and would
    // leave the errno of that.
    calls.prepend(SIGNAL, Signals.SIGCHLD, Signals.SIG_DFL, 0, 0, 0, 0);
  }

  /** Makes the pipe, with the witness as its only writing end. */
  private void preparePipe(int reserved, int witness) {
    long writing = ends + Integer.BYTES;
    calls.saveErrno(pipeError);
    long close = calls.prepend(CLOSE, 0, 0, 0, 0, 0, 0);
    calls.load(close, Layouts.ucontext_t.argument_0, writing);
    long duplicate = calls.prepend(DUP3, 0, witness, Files.O_CLOEXEC, 0, 0, 0);
    calls.load(duplicate, Layouts.ucontext_t.argument_0, writing);
    calls.prepend(PIPE2, ends, Files.O_CLOEXEC, 0, 0, 0, 0);
    // So that neither end of the pipe gets this number.
    calls.prepend(DUP2, reserved, witness, 0, 0, 0, 0);
    calls.clearErrno();
  }

  /** What the leader does last: it sees whether the program was executed, and ends. */
  private void look(int witness) {
    calls.prepend(EXIT, 0, 0, 0, 0, 0, 0);
    calls.saveErrno(verdict);
    // The group that it has anyway.
    long ask = calls.prepend(SETPGID, 0, 0, 0, 0, 0, 0);
    calls.load(ask, Layouts.ucontext_t.argument_1, leader);
    calls.load(ask, Layouts.ucontext_t.argument_0, program);
    calls.clearErrno();
    long read = calls.prepend(READ, 0, arena.allocate(JAVA_INT).address(), 1, 0, 0, 0);
    calls.load(read, Layouts.ucontext_t.argument_0, ends);
    calls.prepend(CLOSE, witness, 0, 0, 0, 0, 0);
    calls.saveErrno(startError);
  }

  /** Runs the chain, and takes the leader away if there is no program then. */
  private int start(@Nullable ProgramChain steps, int[] session) {
    // Without an exit signal: neither a JVM that ignores SIGCHLD nor a waitpid(-1) in a library of
    // somebody else's reaps it.
    int child = calls.run(0, leader);
    if (child < 0) {
      return child;
    }
    Processes.awaitEnd(child);
    int id = result(program);
    int error = Libc.EINTR;
    if (result(pipeError) != 0) {
      error = result(pipeError);
    } else if (steps != null && steps.error() != 0) {
      error = steps.error();
    } else if (id == 0) {
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
}
