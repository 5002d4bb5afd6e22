package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.posix.UserChange;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Spawning;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A program to run, with everything it starts with: arguments, environment, working directory,
 * session, streams and descriptors.
 *
 * <p>{@link #spawn()} runs the program as a child of this JVM, {@link #detach(int)} runs it as a
 * daemon, {@link #detachInSession(int)} as an orphan, and {@link #exec()} turns this JVM into it.
 *
 * <p>The program inherits what is not set: the environment, the working directory, the session and
 * the standard streams. Of the other descriptors it gets only those that are {@linkplain
 * #keep(Descriptor) kept} or {@linkplain #place placed}, unless {@link
 * #closeOtherDescriptors(boolean)} says otherwise. A program that is spawned or detached starts
 * with the default disposition of every signal, real-time ones included, and with an empty signal
 * mask. Resource limits that are not {@linkplain #limit set}, umask, credentials, root directory,
 * priority and everything else are those of the calling thread. HotSpot raises its own soft {@code
 * nofile} limit, unless {@code -XX:-MaxFDLimit} is given.
 *
 * <p>Not safe for use by several threads at once.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/posix_spawn.3.html">posix_spawn(3)</a>
 * @see <a href="https://man7.org/linux/man-pages/man2/execve.2.html">execve(2)</a>
 */
public final class Program {
  private static final byte[] SHELL = "/bin/sh".getBytes(StandardCharsets.US_ASCII);

  /** What a process id in the environment is overwritten in: as many digits as one can have. */
  private static final String PID_ROOM = "0000000000";

  private final Path path;
  private byte @Nullable [] name;
  private List<byte[]> arguments = List.of();
  private @Nullable Environment environment;
  private byte @Nullable [] pidVariable;
  private @Nullable Path directory;
  private boolean newSession;
  private boolean closeOthers = true;
  private final Redirect[] streams = {Redirect.inherit(), Redirect.inherit(), Redirect.inherit()};
  private final List<Integer> kept = new ArrayList<>();
  private final List<Descriptor> placed = new ArrayList<>();

  /** The number of each placed descriptor in the program. */
  private final List<Integer> places = new ArrayList<>();

  private List<ResourceLimit> limits = List.of();
  private @Nullable Signal ignored;
  private UserChange user = UserChange.NONE;

  private Program(Path path) {
    this.path = path;
  }

  /**
   * Returns the program in this file, without arguments.
   *
   * <p>If the kernel does not know the file's format, {@code /bin/sh} runs it, as with {@code
   * execvp}. Nothing is looked up in {@code PATH}: that is what {@link Executable#find} does.
   *
   * @param path the file; a relative path counts from the JVM's working directory at its start
   * @return a program without arguments
   */
  public static Program at(Path path) {
    Objects.requireNonNull(path, "path");
    return new Program(path);
  }

  /**
   * Sets what the program sees as its own name, {@code argv[0]}. The default is the path.
   *
   * @param name any bytes but NUL
   * @return this
   * @throws IllegalArgumentException if there is a NUL byte in it
   */
  public Program name(byte[] name) {
    Objects.requireNonNull(name, "name");
    this.name = withoutNul(name);
    return this;
  }

  /**
   * Sets the arguments, as UTF-8.
   *
   * @param arguments those after {@code argv[0]}
   * @return this
   * @throws IllegalArgumentException if there is a NUL character in one
   */
  public Program arguments(String... arguments) {
    Objects.requireNonNull(arguments, "arguments");
    List<byte[]> bytes = new ArrayList<>(arguments.length);
    for (String argument : arguments) {
      bytes.add(Objects.requireNonNull(argument, "arguments").getBytes(StandardCharsets.UTF_8));
    }
    return arguments(bytes);
  }

  /**
   * Sets the arguments, byte for byte.
   *
   * @param arguments those after {@code argv[0]}; any bytes but NUL
   * @return this
   * @throws IllegalArgumentException if there is a NUL byte in one
   */
  public Program arguments(List<byte[]> arguments) {
    Objects.requireNonNull(arguments, "arguments");
    List<byte[]> copies = new ArrayList<>(arguments.size());
    for (byte[] argument : arguments) {
      copies.add(withoutNul(Objects.requireNonNull(argument, "arguments")));
    }
    this.arguments = copies;
    return this;
  }

  private static byte[] withoutNul(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a NUL byte in an argument");
      }
    }
    return bytes.clone();
  }

  /**
   * Sets the environment. The default is this JVM's own.
   *
   * @param environment the whole environment
   * @return this
   */
  public Program environment(Environment environment) {
    Objects.requireNonNull(environment, "environment");
    this.environment = environment;
    return this;
  }

  /**
   * Sets a variable of the environment to the program's own process id, in decimal digits: {@code
   * LISTEN_PID} for instance. It replaces all entries of that name, whatever {@link #environment}
   * has.
   *
   * <p>{@link #spawn()} and {@link #detach} then cannot use {@code posix_spawn}, and take some
   * tenths of a millisecond more. The id is that of the PID namespace that this JVM is in.
   *
   * @param name the variable, as UTF-8, not empty and without {@code =}
   * @return this
   * @throws IllegalArgumentException if the name is empty, or contains {@code =} or a NUL
   */
  public Program pidVariable(String name) {
    Objects.requireNonNull(name, "name");
    if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf(0) >= 0) {
      throw new IllegalArgumentException("not a variable's name: \"" + name + "\"");
    }
    pidVariable = name.getBytes(StandardCharsets.UTF_8);
    return this;
  }

  /**
   * Sets the working directory.
   *
   * @param directory a directory that the program may search
   * @return this
   */
  public Program directory(Path directory) {
    Objects.requireNonNull(directory, "directory");
    this.directory = directory;
    return this;
  }

  /**
   * Makes a program that is {@linkplain #spawn() spawned} the leader of a new session, without a
   * controlling terminal.
   *
   * <p>This has no effect on {@link #exec()}, for which there is {@link ThisProcess#setsid()}, and
   * none on {@link #detach(int)}, which always makes a session that the program does not lead.
   *
   * @return this
   */
  public Program newSession() {
    newSession = true;
    return this;
  }

  /**
   * Redirects standard input.
   *
   * @param redirect the redirection; neither {@link Redirect#append} nor {@link Redirect#truncate},
   *     which open a file for writing. To read one, open it and redirect to its descriptor
   * @return this
   * @throws IllegalArgumentException for one of these
   */
  public Program standardInput(Redirect redirect) {
    Objects.requireNonNull(redirect, "redirect");
    if (redirect instanceof Redirect.ToFile(Path file, boolean _)) {
      throw new IllegalArgumentException(
          "standard input cannot be read from a file that is opened for writing: " + file);
    }
    streams[0] = redirect;
    return this;
  }

  /**
   * Redirects standard output.
   *
   * @param redirect the redirection
   * @return this
   */
  public Program standardOutput(Redirect redirect) {
    Objects.requireNonNull(redirect, "redirect");
    streams[1] = redirect;
    return this;
  }

  /**
   * Redirects standard error.
   *
   * @param redirect the redirection
   * @return this
   */
  public Program standardError(Redirect redirect) {
    Objects.requireNonNull(redirect, "redirect");
    streams[2] = redirect;
    return this;
  }

  /**
   * Keeps a descriptor open in the program, under the same number, with its locks.
   *
   * @param descriptor an open descriptor; it must stay open until the program was started
   * @return this
   */
  public Program keep(Descriptor descriptor) {
    Objects.requireNonNull(descriptor, "descriptor");
    return keep(descriptor.number());
  }

  /**
   * Keeps a descriptor open in the program that this JVM has inherited itself.
   *
   * @param number the descriptor's number, from 3 up
   * @return this
   * @throws IllegalArgumentException if it is the number of a standard stream, or negative, or if
   *     another descriptor is {@linkplain #place placed} there
   */
  public Program keep(int number) {
    if (number < ProgramStreams.COUNT) {
      throw new IllegalArgumentException("not a descriptor to keep: " + number);
    }
    if (places.contains(number)) {
      throw new IllegalArgumentException("another descriptor has this number: " + number);
    }
    kept.add(number);
    return this;
  }

  /**
   * Gives the program an open file of this JVM under a number of its own, not close-on-exec.
   *
   * <p>What has this number in this JVM does not matter: it may be closed, one of the JVM's own
   * files, or a descriptor that is placed elsewhere. The JVM keeps what it has. There is one
   * exception: {@link #exec()} replaces the descriptor of that number just before its {@code
   * execve}, and another thread that uses it in that moment uses the program's. If the {@code
   * execve} fails, the descriptor is put back.
   *
   * @param descriptor an open descriptor, which the caller still owns; it must stay open until the
   *     program was started
   * @param number its number in the program, from 3 up. The JVM needs as many free numbers above
   *     the highest one as descriptors are placed; otherwise the start fails with {@code EMFILE}
   * @return this
   * @throws IllegalArgumentException if it is the number of a standard stream, or negative, or if
   *     another descriptor has it in the program: one that is kept or placed
   */
  public Program place(Descriptor descriptor, int number) {
    Objects.requireNonNull(descriptor, "descriptor");
    if (number < ProgramStreams.COUNT) {
      throw new IllegalArgumentException("not a number to place a descriptor at: " + number);
    }
    if (kept.contains(number) || places.contains(number)) {
      throw new IllegalArgumentException("another descriptor has this number: " + number);
    }
    placed.add(descriptor);
    places.add(number);
    return this;
  }

  /**
   * Sets a resource limit of the program, which applies from its first instruction on. This JVM's
   * own limits do not change.
   *
   * <p>For a limit above this JVM's hard limit, call {@link ThisProcess#allow} first.
   *
   * @param limit the limit; it replaces an earlier one on the same resource
   * @return this
   */
  public Program limit(ResourceLimit limit) {
    Objects.requireNonNull(limit, "limit");
    List<ResourceLimit> all = new ArrayList<>();
    for (ResourceLimit other : limits) {
      if (other.resource() != limit.resource()) {
        all.add(other);
      }
    }
    all.add(limit);
    limits = all;
    return this;
  }

  /**
   * Sets the program's user and capabilities, which apply from its first instruction on. If the
   * change fails, the program does not run.
   *
   * <p>This JVM does not change, except by {@link #exec()}, which turns it into the program.
   * Nothing else changes with the user: the program has the calling thread's groups, and the
   * calling thread opens the working directory.
   *
   * @param change the change; another user takes {@code CAP_SETUID} of the calling thread
   * @return this
   */
  public Program become(UserChange change) {
    Objects.requireNonNull(change, "change");
    user = change;
    return this;
  }

  /**
   * Has the program start with a signal ignored: {@code SIGPIPE} for instance, if it is to survive
   * the end of the program that reads what it writes. It and its children can change that.
   *
   * <p>This has no effect on {@link #exec()}: there the program ignores what this JVM ignores.
   *
   * @param signal any signal but {@code SIGKILL} and {@code SIGSTOP}; it replaces an earlier one
   * @return this
   * @throws IllegalArgumentException if no process can ignore the signal
   */
  public Program ignore(Signal signal) {
    Objects.requireNonNull(signal, "signal");
    if (signal.equals(Signal.KILL) || signal.equals(Signal.STOP)) {
      throw new IllegalArgumentException("no process can ignore " + signal);
    }
    ignored = signal;
    return this;
  }

  /**
   * Sets whether every descriptor from 3 up that is neither kept nor placed is closed in the
   * program. The default is that they are closed. Otherwise the program inherits all that are not
   * marked close-on-exec.
   *
   * @param close whether to close them
   * @return this
   */
  public Program closeOtherDescriptors(boolean close) {
    closeOthers = close;
    return this;
  }

  /**
   * Runs the program as a child of this JVM, and returns when it was executed.
   *
   * <p>After a return the program was certainly executed. A child that somebody kills before its
   * {@code execve} is a failure ({@code EINTR}), although {@code posix_spawn} itself succeeds then.
   * There are two exceptions. Where this JVM ignores {@code SIGCHLD}, or other code waits for its
   * children, a program that has ended at once leaves no trace, and counts as executed. And a
   * program that cannot be loaded within its limits, as for address space, is killed in its {@code
   * execve}.
   *
   * <p>If this fails, an output file that was made for the program stays, empty.
   *
   * <p>No Java code runs in the child, and no memory is copied: {@code posix_spawn} is a {@code
   * vfork}, which is safe with any number of threads, and its cost does not grow with the heap.
   * This method returns while the kernel is still in the {@code execve}. For a moment more {@code
   * /proc} shows no arguments and no environment, and inherited descriptors that are marked
   * close-on-exec are open, with their locks; those that {@link #closeOtherDescriptors(boolean)}
   * closes are not.
   *
   * <p>A program that {@linkplain #become becomes} a user can be stopped by that user before it was
   * executed, while this thread waits for it. So it has ten seconds from the change of user to its
   * first instruction; then the kernel kills it.
   *
   * @return the running program
   * @throws ExecException {@code ENOENT} for a file or an interpreter that is missing, {@code
   *     EACCES} for one that may not be executed; nothing runs then
   * @throws PosixException if it could not be started; nothing runs then. {@code E2BIG} for too
   *     long a list of arguments and environment, {@code EAGAIN} for too many processes, {@code
   *     ETXTBSY}, {@code EINTR} if somebody killed the child before it was executed, {@code
   *     ETIMEDOUT} if somebody stopped it
   * @throws IOException if other descriptors are to be closed, but {@code close_range} cannot be
   *     used and there is no {@code /proc} in this thread's root directory; nothing runs then
   */
  public Child spawn() throws IOException {
    requireAllowedLimits();
    try (ProgramStreams standard = new ProgramStreams(streams, lowestSource());
        Spawning spawning = new Spawning()) {
      int flags = newSession ? Spawning.POSIX_SPAWN_SETSID : 0;
      prepare(spawning, flags, standard, /* detached= */ false);
      byte[] file = NativePath.bytes(path);
      List<byte[]> envp = environmentEntries(PID_ROOM);
      int pid = spawning.spawn(file, argv(file), envp);
      if (pid == -Errno.ENOEXEC.number()) {
        pid = spawning.spawn(SHELL, shellArgv(file), envp);
      }
      return new Child(started(pid), path);
    }
  }

  /**
   * Runs the program as a daemon, and returns when it was executed: as a child of init, and in a
   * new session that it does not lead, so that it never gets a controlling terminal by opening one.
   *
   * <p>A child of this JVM starts it: that child leads the session, sets the umask, and ends. This
   * is known as a double fork. No Java code runs in that child either, no memory is copied, and
   * what {@link #spawn()} says applies, except that ignored {@code SIGCHLD}s do not matter. Where
   * this JVM is init itself (of a container), or a subreaper, the program becomes a child of this
   * JVM: see {@link Child#adopt}.
   *
   * @param umask the program's umask, from 0 to {@link ThisProcess#MAX_UMASK}; this JVM keeps its
   *     own
   * @return the running program, to be closed by the caller
   * @throws IllegalArgumentException if the umask is outside that range
   * @throws ExecException as {@link #spawn()}
   * @throws PosixException as {@link #spawn()}; {@code EINTR} also if somebody killed the child in
   *     between; {@code EPERM} for a limit that the program may not have, and where a filter of
   *     system calls forbids a session or a group of its own. Nothing runs then
   * @throws IOException as {@link #spawn()}
   */
  public Detached detach(int umask) throws IOException {
    return detach(umask, /* session= */ true);
  }

  /**
   * Runs the program as an orphan in this JVM's session, and returns when it was executed: as a
   * child of init, and in a new process group that it does not lead. Signals for this JVM's process
   * group, such as those of a terminal, do not reach it.
   *
   * <p>All that {@link #detach(int)} says of children and failures applies.
   *
   * <p>Race: the program may have ended when this method returns, init may have reaped it, and
   * another process may have got its id. Open it as a handle, and then ask {@link
   * Detached#isAlive}: a process that is in its group is the program.
   *
   * @param umask as for {@link #detach(int)}
   * @return the running program, to be closed by the caller
   * @throws ExecException as {@link #detach(int)}
   * @throws PosixException as {@link #detach(int)}
   * @throws IOException as {@link #detach(int)}
   */
  public Detached detachInSession(int umask) throws IOException {
    return detach(umask, /* session= */ false);
  }

  private Detached detach(int umask, boolean session) throws IOException {
    ThisProcess.checkUmask(umask);
    requireAllowedLimits();
    try (ProgramStreams standard = new ProgramStreams(streams, lowestSource());
        Spawning spawning = new Spawning()) {
      prepare(spawning, 0, standard, /* detached= */ true);
      if (!session) {
        spawning.keepSession();
      }
      byte[] file = NativePath.bytes(path);
      List<byte[]> envp = environmentEntries(PID_ROOM);
      int[] leader = new int[1];
      int pid = spawning.detach(umask, file, argv(file), envp, leader);
      if (pid == -Errno.ENOEXEC.number()) {
        pid = spawning.detach(umask, SHELL, shellArgv(file), envp, leader);
      }
      return new Detached(started(pid), leader[0], session, path);
    }
  }

  /**
   * Turns this JVM into the program, with the same process id. No shutdown hook runs, and all other
   * threads end. This method never returns: it throws if it fails.
   *
   * <p>The program starts with the default disposition of each signal that this JVM catches. What
   * this JVM ignores stays ignored, and the calling thread's signal mask is kept.
   *
   * @throws ExecException as {@link #spawn()}
   * @throws PosixException as {@link #spawn()}, and {@code EPERM} for a limit that the program may
   *     not have. The standard streams, the descriptors that placed ones have replaced, and soft
   *     limits are as before then, but the working directory may have changed, hard limits may be
   *     lower, and descriptors are marked close-on-exec. With {@link #become} the calling thread,
   *     and no other, has the user's ids and capabilities for good: end the process then
   * @throws IOException as {@link #spawn()}, with the changes that are named above
   */
  public void exec() throws IOException {
    try (ProgramStreams standard = new ProgramStreams(streams, lowestSource())) {
      standard.open();
      int[][] replacements = replacements(standard);
      requireAllowedLimits();
      if (directory != null) {
        PosixException.check(Processes.chdir(NativePath.bytes(directory)), "chdir", directory);
      }
      if (closeOthers) {
        Descriptors.markCloseOnExec(ProgramStreams.COUNT, Descriptors.MAX);
      }
      for (int number : kept) {
        Descriptors.unmarkCloseOnExec(number);
      }
      standard.emptyFiles();
      byte[] file = NativePath.bytes(path);
      List<byte[]> envp = environmentEntries(Long.toString(ThisProcess.id()));
      long[][] numbers = limitNumbers();
      int error = Processes.execve(user, numbers, replacements, file, argv(file), envp);
      if (error == -Errno.ENOEXEC.number()) {
        error = Processes.execve(user, numbers, replacements, SHELL, shellArgv(file), envp);
      }
      throw failure("execve", error);
    }
  }

  /**
   * Checks that a directory can be a working directory: that it is a directory, and that the
   * calling thread may search it.
   *
   * @param directory the directory
   * @throws PosixException {@code ENOENT}, {@code ENOTDIR}, {@code EACCES} and all others of
   *     open(2)
   */
  public static void checkDirectory(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    openDirectory(directory).close();
  }

  /** Opens the entry "." of the directory, which fails if the directory may not be searched. */
  private static Descriptor openDirectory(Path directory) throws PosixException {
    byte[] bytes = NativePath.bytes(directory);
    byte[] self = Arrays.copyOf(bytes, bytes.length + 2);
    self[bytes.length] = '/';
    self[bytes.length + 1] = '.';
    int flags = Files.O_PATH | Files.O_DIRECTORY | Files.O_CLOEXEC;
    return Descriptor.adopt(PosixException.check(Files.open(self, flags, 0), "open", directory));
  }

  /** Refuses a limit that could not be set later, when only the start itself is left to fail. */
  private void requireAllowedLimits() throws PosixException {
    for (ResourceLimit limit : limits) {
      long[] own = new long[2];
      PosixException.check(Limits.getrlimit(0, limit.resource().number(), own), "prlimit", limit);
      if (ResourceLimit.isAbove(limit.hard(), own[1])) {
        throw new PosixException("prlimit", limit.toString(), Errno.EPERM);
      }
    }
  }

  /** Each as number, soft and hard limit. */
  private long[][] limitNumbers() {
    long[][] numbers = new long[limits.size()][];
    for (int i = 0; i < numbers.length; i++) {
      ResourceLimit limit = limits.get(i);
      numbers[i] = new long[] {limit.resource().number(), limit.soft(), limit.hard()};
    }
    return numbers;
  }

  /** Does everything but the spawn itself: opens files, and says what the child is to do. */
  private void prepare(Spawning spawning, int flags, ProgramStreams standard, boolean detached)
      throws IOException {
    standard.open();
    act(
        spawning.setFlags(
            Spawning.POSIX_SPAWN_SETSIGDEF | Spawning.POSIX_SPAWN_SETSIGMASK | flags));
    act(spawning.setAllSignalsDefault());
    act(spawning.setEmptySignalMask());
    spawning.setUser(user);
    spawning.setLimits(limitNumbers());
    if (ignored != null) {
      spawning.setIgnored(ignored.number());
    }
    if (pidVariable != null) {
      spawning.setPidPlace(pidVariable.length + 1);
    }
    for (int stream = 0; stream < ProgramStreams.COUNT; stream++) {
      if (standard.source(stream) != stream) {
        act(spawning.addDup2(standard.source(stream), stream));
      }
    }
    if (directory != null) {
      act(spawning.addFchdir(standard.hold(openDirectory(directory))));
    }
    for (int number : kept) {
      act(spawning.addDup2(number, number));
    }
    for (int i = 0; i < placed.size(); i++) {
      act(spawning.addDup2(standard.copy(placed.get(i)), places.get(i)));
    }
    if (closeOthers) {
      int last = highestOpen();
      if (detached) {
        last = standard.freeAbove(last);
        spawning.setWitness(last);
      }
      closeOthers(spawning, last);
    }
    standard.emptyFiles();
  }

  /**
   * Returns the lowest number for what this start opens: above the numbers that it replaces in the
   * program, so that none is replaced before it was duplicated.
   */
  private int lowestSource() {
    int lowest = ProgramStreams.COUNT;
    for (int number : places) {
      // Over every limit if it cannot be higher: then duplicating fails.
      lowest = Math.max(lowest, number == Integer.MAX_VALUE ? number : number + 1);
    }
    return lowest;
  }

  /** What {@link Processes#execve} is to replace in this JVM: a source and a number each. */
  private int[][] replacements(ProgramStreams standard) throws PosixException {
    List<int[]> replacements = new ArrayList<>(ProgramStreams.COUNT + placed.size());
    for (int stream = 0; stream < ProgramStreams.COUNT; stream++) {
      if (standard.source(stream) != stream) {
        replacements.add(new int[] {standard.source(stream), stream});
      }
    }
    for (int i = 0; i < placed.size(); i++) {
      replacements.add(new int[] {standard.copy(placed.get(i)), places.get(i)});
    }
    return replacements.toArray(new int[0][]);
  }

  /** Returns the highest number that stays open in the program. */
  private int highestOpen() {
    int highest = lowestSource() - 1;
    for (int number : kept) {
      highest = Math.max(highest, number);
    }
    return highest;
  }

  /** Lets the child close everything from 3 up but what stays open and the highest number given. */
  private void closeOthers(Spawning spawning, int highest) throws IOException {
    // Every number between, not only those open now: another thread may open one meanwhile.
    int number = ProgramStreams.COUNT;
    for (int next : openNumbers()) {
      for (; number < next; number++) {
        act(spawning.addClose(number));
      }
      number = next + 1;
    }
    for (; number < highest; number++) {
      act(spawning.addClose(number));
    }
    if (Spawning.hasCloseFrom()) {
      Descriptors.requireCloseable();
      act(spawning.addCloseFrom(highest + 1));
    } else {
      for (int open : Descriptors.list()) {
        if (open > highest) {
          act(spawning.addClose(open));
        }
      }
    }
  }

  /** The numbers from 3 up that stay open in the program, ascending. */
  private int[] openNumbers() {
    int[] sorted = new int[kept.size() + places.size()];
    int count = 0;
    for (int number : kept) {
      sorted[count++] = number;
    }
    for (int number : places) {
      sorted[count++] = number;
    }
    Arrays.sort(sorted);
    return sorted;
  }

  private void act(int result) throws PosixException {
    PosixException.check(result, "posix_spawn", path);
  }

  /** Returns the process id that a spawn has returned, or throws its error. */
  private int started(int pid) throws PosixException {
    if (pid == -Errno.EINTR.number()) {
      throw new PosixException(
          "posix_spawn", path.toString(), Errno.EINTR, "; it was killed before it was executed");
    }
    if (pid == -Errno.ETIMEDOUT.number()) {
      throw new PosixException(
          "posix_spawn",
          path.toString(),
          Errno.ETIMEDOUT,
          "; it was killed: somebody had stopped it, or its file could not be read in time");
    }
    if (pid < 0) {
      throw failure("posix_spawn", pid);
    }
    return pid;
  }

  private PosixException failure(String call, int error) {
    Errno errno = Errno.of(-error);
    return errno.equals(Errno.ENOENT) || errno.equals(Errno.EACCES)
        ? new ExecException(call, path, errno)
        : new PosixException(call, path.toString(), errno);
  }

  /** The entries; the last one is that of the program's process id, with this value. */
  private List<byte[]> environmentEntries(String pid) {
    Environment all = environment == null ? Environment.current() : environment;
    return pidVariable == null
        ? all.entries()
        : all.with(pidVariable, pid.getBytes(StandardCharsets.US_ASCII)).entries();
  }

  private List<byte[]> argv(byte[] file) {
    List<byte[]> argv = new ArrayList<>(arguments.size() + 1);
    argv.add(name == null ? file : name);
    argv.addAll(arguments);
    return argv;
  }

  /** The arguments of a shell that runs the file, for a format that the kernel does not know. */
  private List<byte[]> shellArgv(byte[] file) {
    List<byte[]> argv = new ArrayList<>(arguments.size() + 2);
    argv.add(name == null ? SHELL : name);
    argv.add(file);
    argv.addAll(arguments);
    return argv;
  }
}
