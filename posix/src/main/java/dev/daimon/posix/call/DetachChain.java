package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The steps of a child that leads a new session, or a new process group, starts a program in it,
 * and exits: the intermediate process of a double fork. {@code unistd.h}.
 *
 * <p>It is a {@link CallChain}. One of its calls starts the program: {@code posix_spawn}, or a
 * {@code clone} that runs a {@link ProgramChain} where {@code posix_spawn} is not enough.
 *
 * <p>Neither call distinguishes a program that was executed from a process that was killed before
 * its {@code execve}. So the leader makes a pipe, and the program alone keeps the write end, marked
 * close-on-exec. The leader reads from the pipe; it gets the end of the file when the kernel has
 * closed the write end, at the {@code execve} or at the end of the process. Then it calls {@code
 * setpgid} on its child: that fails with {@code EACCES} if the child has executed a program, and
 * only then. Nobody can have reaped the child before, since its parent still runs.
 *
 * <p>Newer kernels close the write end some microseconds before {@code setpgid} notices (stable
 * kernels such as 6.12.117 do). So the leader asks again, after pauses, as long as the child seems
 * to have executed nothing, and has not ended.
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
  // pid_t waitpid(pid_t pid, int *wstatus, int options);
  private static final long WAITPID = Libc.address("waitpid");
  // int close(int fd);
  private static final long CLOSE = Libc.address("close");
  // void _exit(int status);
  private static final long EXIT = Libc.address("_exit");

  // int poll(struct pollfd *fds, nfds_t nfds, int timeout);
  private static final long POLL = Libc.address("poll");

  /** The pauses between the questions, in ms; below 256, so that an errno of 1 makes them 0. */
  private static final int[] PAUSES = {1, 20, 250};

  /** More than any errno: a filter of system calls may choose one up to 4095. */
  private static final long FILLED_BYTES = 4096;

  private final Arena arena;
  private final CallChain calls;

  /** The values that the chain stores, each an {@code int}; the pipe's two ends come first. */
  private final MemorySegment results;

  private final long ends;
  private final long verdict;
  private final long leader;

  /** The program's process id, an {@code int}. */
  private final MemorySegment program;

  private final long leadError;
  private final long startError;

  /** How the child has ended, if the leader has reaped it; -1 otherwise. */
  private final long end;

  private DetachChain(Arena arena, MemorySegment program) {
    this.arena = arena;
    this.program = program;
    calls = new CallChain(arena);
    results = arena.allocate(JAVA_INT, 7);
    ends = results.address();
    verdict = ends + 2 * Integer.BYTES;
    leader = verdict + Integer.BYTES;
    leadError = leader + Integer.BYTES;
    startError = leadError + Integer.BYTES;
    end = startError + Integer.BYTES;
    // No descriptors and no answer yet.
    results.asSlice(0, 3 * Integer.BYTES).fill((byte) -1);
    Native.view(results).putInt(6 * Integer.BYTES, -1);
  }

  private int result(long address) {
    return Native.view(results).getInt((int) (address - results.address()));
  }

  /**
   * Calls {@code posix_spawn} in a child that leads a new session, or else a new process group in
   * this one, and has this umask. Returns the program's process id, and stores the leader's in
   * {@code leader[0]}. The leader has ended then, and is a zombie until {@link Processes#waitpid}
   * with {@link Processes#__WALL}.
   *
   * <p>{@code EINTR} means that somebody killed the program before it was executed, or the leader.
   * In the second case the leader's child was killed too, but may still use the memory that was
   * given here for a moment: the arena must not be closed.
   *
   * @param reserved an open descriptor, close-on-exec, that nothing else uses
   * @param witness the number of the pipe's write end in the program, which no action closes; may
   *     be {@code reserved}
   * @param path the address of the program's path, {@linkplain ProgramChain#erasable erasable}
   */
  static int detach(
      Arena arena,
      int reserved,
      int witness,
      boolean session,
      int umask,
      long spawn,
      long path,
      long actions,
      long attributes,
      long argv,
      long envp,
      int[] leader) {
    DetachChain chain = new DetachChain(arena, arena.allocate(JAVA_INT));
    // posix_spawn waits for a child whose exec has failed, and may leave an errno if it has not.
    chain.askAndExit(witness, chain.changeable(0));
    chain.calls.prepend(spawn, chain.program.address(), path, actions, attributes, argv, envp);
    chain.lead(session, umask, reserved, witness, path);
    return chain.start(null, leader);
  }

  /** Does the same with a program that is started by a chain of its own. */
  static int detach(
      Arena arena,
      int reserved,
      int witness,
      boolean session,
      int umask,
      ProgramChain program,
      int[] leader) {
    DetachChain chain = new DetachChain(arena, program.id());
    chain.askAndExit(witness, program.failure());
    int flags =
        CallChain.CLONE_VM
            | CallChain.CLONE_VFORK
            | CallChain.CLONE_PARENT_SETTID
            | Signals.SIGCHLD;
    chain.calls.prependChild(program.calls(), flags, program.id().address());
    chain.lead(session, umask, reserved, witness, program.path());
    return chain.start(program, leader);
  }

  /**
   * Adds the leader's first steps. If one fails, no program is executed, by the means of {@link
   * ProgramChain}: without a session of its own it would be in this JVM's process group, and so
   * would all that is meant for the group.
   */
  private void lead(boolean session, int umask, int reserved, int witness, long path) {
    calls.blankByErrno(path);
    calls.saveErrno(leadError);
    preparePipe(reserved, witness);
    calls.prepend(UMASK, umask, 0, 0, 0, 0, 0);
    if (session) {
      calls.prepend(SETSID, 0, 0, 0, 0, 0, 0);
    } else {
      calls.prepend(SETPGID, 0, 0, 0, 0, 0, 0);
    }
    calls.clearErrno();
    // With SIGCHLD ignored, posix_spawn could not wait for a child whose exec has failed, and would
    // set errno to that failure.
    calls.prepend(SIGNAL, Signals.SIGCHLD, Signals.SIG_DFL, 0, 0, 0, 0);
  }

  /** Makes the pipe; the witness becomes its only write end. */
  private void preparePipe(int reserved, int witness) {
    long writing = ends + Integer.BYTES;
    long close = calls.prepend(CLOSE, 0, 0, 0, 0, 0, 0);
    calls.load(close, Layouts.ucontext_t.argument_0, writing);
    long duplicate = calls.prepend(DUP3, 0, witness, Files.O_CLOEXEC, 0, 0, 0);
    calls.load(duplicate, Layouts.ucontext_t.argument_0, writing);
    calls.prepend(PIPE2, ends, Files.O_CLOEXEC, 0, 0, 0, 0);
    // Takes the number, so that neither end of the pipe gets it.
    calls.prepend(DUP2, reserved, witness, 0, 0, 0, 0);
  }

  /**
   * Adds the leader's last steps: it asks whether the program was executed, reaps a child that has
   * executed nothing, and exits. Otherwise that child would become one of this JVM's where the JVM
   * is init or a subreaper, and stay a zombie.
   *
   * @param failure the address of an {@code int} that is not 0 if the execution has failed: then
   *     there is nothing to ask, and the child ends by itself
   */
  private void askAndExit(int witness, long failure) {
    calls.prepend(EXIT, 0, 0, 0, 0, 0, 0);
    reap(failure);
    for (int i = PAUSES.length - 1; i > 0; i--) {
      ask();
      pause(PAUSES[i], failure);
    }
    // One that was killed is found here, and the next answers are none.
    reap(failure);
    ask();
    pause(PAUSES[0], failure);
    ask();
    long read = calls.prepend(READ, 0, arena.allocate(JAVA_INT).address(), 1, 0, 0, 0);
    calls.load(read, Layouts.ucontext_t.argument_0, ends);
    calls.prepend(CLOSE, witness, 0, 0, 0, 0, 0);
    calls.saveErrno(startError);
  }

  private void reap(long failure) {
    // With any answer but 0 the options are none that exist, and waitpid only fails. After a
    // failure it waits.
    long options = changeable(Processes.WNOHANG);
    long reap = calls.prepend(WAITPID, 0, end, 0, 0, 0, 0);
    calls.load(reap, Layouts.ucontext_t.argument_2, options);
    calls.load(reap, Layouts.ucontext_t.argument_0, program.address());
    calls.fill(options, 0, failure);
    calls.fill(options, -1, verdict);
  }

  /** Adds a pause that any answer but 0, or a failure, shortens to nothing. */
  private void pause(int millis, long failure) {
    long time = changeable(millis);
    long pause = calls.prepend(POLL, 0, 0, 0, 0, 0, 0);
    calls.load(pause, Layouts.ucontext_t.argument_2, time);
    calls.fill(time, 0, verdict);
    calls.fill(time, 0, failure);
  }

  private void ask() {
    calls.saveErrno(verdict);
    // Names the group that the child is in already, so nothing changes.
    long ask = calls.prepend(SETPGID, 0, 0, 0, 0, 0, 0);
    calls.load(ask, Layouts.ucontext_t.argument_1, leader);
    calls.load(ask, Layouts.ucontext_t.argument_0, program.address());
    calls.clearErrno();
  }

  /** The address of a number of which as many bytes can be overwritten as an errno says. */
  private long changeable(int number) {
    MemorySegment memory = arena.allocate(FILLED_BYTES, Integer.BYTES);
    Native.view(memory).putInt(0, number);
    return memory.address();
  }

  /** Runs the chain, and reaps the leader if no program was executed. */
  private int start(@Nullable ProgramChain steps, int[] session) {
    // Without an exit signal, neither an ignored SIGCHLD nor a library's waitpid(-1) reaps it.
    int child = calls.run(0, leader);
    if (child < 0) {
      return child;
    }
    Processes.awaitEnd(child);
    int id = Native.view(program).getInt(0);
    int error = Libc.EINTR;
    if (result(leadError) != 0) {
      error = result(leadError);
    } else if (steps != null && steps.error() != 0) {
      error = steps.error();
    } else if (id == 0) {
      error = result(startError);
    } else if (result(verdict) > 0 && result(end) < 0) {
      // EACCES: it was executed. Any other error forbids the question; then it counts as executed.
      session[0] = child;
      return id;
    }
    return failed(child, error);
  }

  /** Kills the rest of the leader's group and reaps the leader; returns the negated error. */
  private static int failed(int child, int error) {
    // Before the leader is reaped: until then nobody else can have this group.
    Signals.kill(-child, Signals.SIGKILL);
    int[] status = new int[1];
    Processes.waitpid(child, status, Processes.__WALL);
    return status[0] == 0 ? -error : -Libc.EINTR;
  }
}
