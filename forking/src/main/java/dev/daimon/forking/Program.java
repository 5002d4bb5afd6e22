package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
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
 * session, streams and descriptors. {@link #spawn()} runs it as a child, {@link #detach(int)} as a
 * daemon in a session of its own, {@link #exec()} turns this JVM into it.
 *
 * <p>What is not set is inherited: the environment, the working directory, the session, the
 * standard streams. Of the other descriptors a program gets only those that are {@linkplain
 * #keep(Descriptor) kept}, unless {@link #closeOtherDescriptors(boolean)} says otherwise. A program
 * that is spawned or detached starts with the default disposition of every signal, real-time ones
 * included, and with an empty signal mask. Resource limits that are not {@linkplain #limit set},
 * umask, credentials, root directory, priority and everything else are those of the calling thread;
 * note that HotSpot raises its own soft {@code nofile} limit, unless {@code -XX:-MaxFDLimit} is
 * given.
 *
 * <p>Not safe for use by several threads at once.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/posix_spawn.3.html">posix_spawn(3)</a>
 * @see <a href="https://man7.org/linux/man-pages/man2/execve.2.html">execve(2)</a>
 */
public final class Program {
  private static final byte[] SHELL = "/bin/sh".getBytes(StandardCharsets.US_ASCII);
  private static final int STREAMS = 3;

  private final Path path;
  private byte @Nullable [] name;
  private List<byte[]> arguments = List.of();
  private @Nullable Environment environment;
  private @Nullable Path directory;
  private boolean newSession;
  private boolean closeOthers = true;
  private final Redirect[] streams = {Redirect.inherit(), Redirect.inherit(), Redirect.inherit()};
  private final List<Integer> kept = new ArrayList<>();
  private List<ResourceLimit> limits = List.of();
  private UserChange user = UserChange.NONE;

  private Program(Path path) {
    this.path = path;
  }

  /**
   * The program in this file.
   *
   * <p>A file that the kernel does not know how to execute is run by {@code /bin/sh}, as {@code
   * execvp} does.
   *
   * @param path the file; a relative path is one of the JVM's working directory at its start, and
   *     nothing is looked up in {@code PATH}: see {@link Executable#find}
   * @return a program without arguments
   */
  public static Program at(Path path) {
    Objects.requireNonNull(path, "path");
    return new Program(path);
  }

  /**
   * Sets what the program sees as its own name, {@code argv[0]}; the path if this is not called.
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
      bytes.add(argument.getBytes(StandardCharsets.UTF_8));
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
      copies.add(withoutNul(argument));
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
   * Sets the environment; this JVM's own if this is not called.
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
   * Makes the spawned program the leader of a session of its own, without a controlling terminal.
   * {@link #exec()} does not look at this: see {@link ThisProcess#setsid()}; and {@link
   * #detach(int)} makes a session in any case, which the program does not lead.
   *
   * @return this
   */
  public Program newSession() {
    newSession = true;
    return this;
  }

  /**
   * Sets where standard input leads.
   *
   * @param redirect the redirection
   * @return this
   */
  public Program standardInput(Redirect redirect) {
    Objects.requireNonNull(redirect, "redirect");
    streams[0] = redirect;
    return this;
  }

  /**
   * Sets where standard output leads.
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
   * Sets where standard error leads.
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
   * Keeps a descriptor that this JVM has inherited open in the program.
   *
   * @param number the descriptor's number, from 3 up
   * @return this
   * @throws IllegalArgumentException if it is the number of a standard stream, or negative
   */
  public Program keep(int number) {
    if (number < STREAMS) {
      throw new IllegalArgumentException("not a descriptor to keep: " + number);
    }
    kept.add(number);
    return this;
  }

  /**
   * Sets a resource limit that the program has from its first instruction on, and this JVM has not.
   *
   * <p>A limit above the hard one of this JVM takes {@link ThisProcess#allow} beforehand.
   *
   * @param limit the limit; of two on one resource the last one holds
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
   * Sets the user that the program is, and the capabilities it has, from its first instruction on.
   * This JVM does not change: its process becomes the user's by {@link #exec()} alone. No program
   * runs without the change.
   *
   * <p>Everything else of the user's, groups included, is the calling thread's: the working
   * directory is opened by that thread.
   *
   * @param change what to become, by the calling thread's right ({@code CAP_SETUID}) unless that is
   *     the user already
   * @return this
   */
  public Program become(UserChange change) {
    Objects.requireNonNull(change, "change");
    user = change;
    return this;
  }

  /**
   * Sets whether the program loses every descriptor from 3 up that is not kept; so it is if this is
   * not called. Otherwise it inherits all that are not marked close-on-exec.
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
   * <p>That it was executed is certain: a child that somebody has killed before is a failure
   * ({@code EINTR}), though {@code posix_spawn} succeeds then. Only where this JVM ignores {@code
   * SIGCHLD}, or somebody else waits for its children, a program that has ended at once has left no
   * trace, and counts as executed.
   *
   * <p>No Java code runs in the child, and no memory is copied: {@code posix_spawn} is a {@code
   * vfork}, safe with any number of threads, and its cost does not grow with the heap. This returns
   * in the midst of the exec: for a moment more {@code /proc} shows no arguments and no
   * environment, and descriptors marked close-on-exec, with their locks, are open unless they were
   * swept.
   *
   * <p>A program that {@linkplain #become becomes} a user can be stopped by that user before it was
   * executed, and this thread waits for it. So it has ten seconds from the change of user to its
   * first instruction; then the kernel kills it.
   *
   * @return the running program
   * @throws PosixException if it could not be started; nothing runs then. {@code ENOENT} for a file
   *     or an interpreter that is missing, {@code EACCES}, {@code E2BIG} for too long a list of
   *     arguments and environment, {@code EAGAIN} for too many processes, {@code ETXTBSY}, {@code
   *     EINTR} if somebody killed the child before it was executed, {@code ETIMEDOUT} if somebody
   *     stopped it
   * @throws IOException if {@code /proc} is needed and not mounted
   */
  public Child spawn() throws IOException {
    requireAllowed();
    List<Descriptor> opened = new ArrayList<>();
    try (Spawning spawning = new Spawning()) {
      int flags = newSession ? Spawning.POSIX_SPAWN_SETSID : 0;
      prepare(spawning, flags, opened, /* detached= */ false);
      return new Child(spawned(spawning), path);
    } finally {
      closeAll(opened);
    }
  }

  /**
   * Runs the program as a daemon, and returns when it was executed: in a new session that it does
   * not lead, so that it never gets a controlling terminal by opening one, and as a child of init.
   *
   * <p>It is started by a child of this JVM, which leads the session, sets the umask, and ends:
   * what is known as a double fork. No Java code runs in that child either, no memory is copied,
   * and what is said of {@link #spawn()} holds, except that nobody's {@code SIGCHLD} matters. Where
   * this JVM is init itself (of a container), or a subreaper, the program becomes its child after
   * all: see {@link Child#adopt}.
   *
   * @param umask the program's, from 0 to {@link ThisProcess#MAX_UMASK}; that of this JVM stays
   * @return the running program, to be closed by the caller
   * @throws IllegalArgumentException if the umask is outside that range
   * @throws PosixException as {@link #spawn()}; {@code EINTR} also if somebody killed the child in
   *     between; {@code EPERM} for a limit that it may not have. Nothing runs then
   * @throws IOException if {@code /proc} is needed and not mounted
   */
  public Detached detach(int umask) throws IOException {
    ThisProcess.checkUmask(umask);
    requireAllowed();
    List<Descriptor> opened = new ArrayList<>();
    try (Spawning spawning = new Spawning()) {
      prepare(spawning, 0, opened, /* detached= */ true);
      int[] leader = new int[1];
      int pid = detached(spawning, umask, leader);
      return new Detached(pid, leader[0], path);
    } finally {
      closeAll(opened);
    }
  }

  /** So that only the start itself is left to fail. */
  private void requireAllowed() throws PosixException {
    for (ResourceLimit limit : limits) {
      long[] own = new long[2];
      int result = Limits.getrlimit(0, limit.resource().number(), own);
      if (result < 0 || ResourceLimit.isAbove(limit.hard(), own[1])) {
        throw new PosixException(
            "prlimit", limit.toString(), result < 0 ? Errno.of(-result) : Errno.EPERM);
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

  /** Everything up to the spawn itself. */
  private void prepare(Spawning spawning, int flags, List<Descriptor> opened, boolean detached)
      throws IOException {
    List<OutputFile> toEmpty = new ArrayList<>();
    int[] sources = openStreams(opened, toEmpty);
    act(
        spawning.setFlags(
            Spawning.POSIX_SPAWN_SETSIGDEF | Spawning.POSIX_SPAWN_SETSIGMASK | flags));
    act(spawning.setAllSignalsDefault());
    act(spawning.setEmptySignalMask());
    spawning.setUser(user);
    spawning.setLimits(limitNumbers());
    for (int stream = 0; stream < STREAMS; stream++) {
      if (sources[stream] != stream) {
        act(spawning.addDup2(sources[stream], stream));
      }
    }
    if (directory != null) {
      act(spawning.addFchdir(openDirectory(directory, opened)));
    }
    for (int number : kept) {
      act(spawning.addDup2(number, number));
    }
    if (closeOthers) {
      int last = highestKept();
      if (detached) {
        last = freeAbove(last, opened);
        spawning.setWitness(last);
      }
      closeOthers(spawning, last);
    }
    empty(toEmpty);
  }

  /** Spawns, by the shell if the kernel does not know the format. */
  private int spawned(Spawning spawning) throws PosixException {
    byte[] file = NativePath.bytes(path);
    List<byte[]> envp = environmentEntries();
    int pid = spawning.spawn(file, argv(file), envp);
    if (pid == -Errno.ENOEXEC.number()) {
      pid = spawning.spawn(SHELL, shellArgv(file), envp);
    }
    return started(pid);
  }

  /** As {@link #spawned}, by way of a session's leader. */
  private int detached(Spawning spawning, int umask, int[] leader) throws PosixException {
    byte[] file = NativePath.bytes(path);
    List<byte[]> envp = environmentEntries();
    int pid = spawning.detach(umask, file, argv(file), envp, leader);
    if (pid == -Errno.ENOEXEC.number()) {
      pid = spawning.detach(umask, SHELL, shellArgv(file), envp, leader);
    }
    return started(pid);
  }

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
    return PosixException.check(pid, "posix_spawn", path);
  }

  /** Closes everything from 3 up that is not kept, in the child, except the last one. */
  private void closeOthers(Spawning spawning, int highest) throws IOException {
    // Every number between, not only those open now: another thread may open one meanwhile.
    int number = STREAMS;
    for (int next : ascending(kept)) {
      for (; number < next; number++) {
        act(spawning.addClose(number));
      }
      number = next + 1;
    }
    for (; number < highest; number++) {
      act(spawning.addClose(number));
    }
    if (Spawning.hasCloseFrom()) {
      act(spawning.addCloseFrom(highest + 1));
    } else {
      for (int open : Descriptors.list()) {
        if (open > highest) {
          act(spawning.addClose(open));
        }
      }
    }
  }

  private static int[] ascending(List<Integer> numbers) {
    int[] sorted = new int[numbers.size()];
    for (int i = 0; i < sorted.length; i++) {
      sorted[i] = numbers.get(i);
    }
    Arrays.sort(sorted);
    return sorted;
  }

  /** {@return the highest number that stays open in the program} */
  private int highestKept() {
    int highest = STREAMS - 1;
    for (int number : kept) {
      highest = Math.max(highest, number);
    }
    return highest;
  }

  /** The next number that is neither the source of a stream nor the directory. */
  private int freeAbove(int number, List<Descriptor> opened) {
    int free = number + 1;
    while (isNeeded(free, opened)) {
      free++;
    }
    return free;
  }

  private boolean isNeeded(int number, List<Descriptor> opened) {
    for (Descriptor descriptor : opened) {
      if (descriptor.number() == number) {
        return true;
      }
    }
    for (Redirect redirect : streams) {
      if (redirect instanceof Redirect.ToDescriptor(Descriptor descriptor)
          && descriptor.number() == number) {
        return true;
      }
    }
    return false;
  }

  /**
   * Turns this JVM into the program: same process id, no shutdown hooks, every other thread gone.
   * Returns never, and throws if it failed.
   *
   * <p>Signals: what this JVM catches becomes the default, what it ignores stays ignored, and the
   * calling thread's mask is kept.
   *
   * @throws PosixException as {@link #spawn()}, and {@code EPERM} for a limit that it may not have.
   *     The standard streams and soft limits are as before then, but the working directory may have
   *     changed, hard limits may be lower, and descriptors are marked close-on-exec
   * @throws IOException if {@code /proc} is needed and not mounted
   */
  public void exec() throws IOException {
    List<Descriptor> opened = new ArrayList<>();
    List<OutputFile> toEmpty = new ArrayList<>();
    @Nullable Descriptor[] before = new Descriptor[STREAMS];
    int moved = 0;
    try {
      int[] sources = openStreams(opened, toEmpty);
      requireAllowed();
      if (directory != null) {
        PosixException.check(Processes.chdir(NativePath.bytes(directory)), "chdir", directory);
      }
      for (int stream = 0; stream < STREAMS; stream++) {
        before[stream] = copy(stream, opened);
      }
      for (; moved < STREAMS; moved++) {
        if (sources[moved] != moved) {
          PosixException.check(Files.dup2(sources[moved], moved), "dup2", moved);
        }
      }
      if (closeOthers) {
        Descriptors.markCloseOnExec(STREAMS, Descriptors.MAX);
      }
      for (int number : kept) {
        Descriptors.unmarkCloseOnExec(number);
      }
      empty(toEmpty);
      byte[] file = NativePath.bytes(path);
      List<byte[]> envp = environmentEntries();
      long[][] limits = limitNumbers();
      int error = Processes.execve(user, limits, file, argv(file), envp);
      if (error == -Errno.ENOEXEC.number()) {
        error = Processes.execve(user, limits, SHELL, shellArgv(file), envp);
      }
      throw new PosixException("execve", path.toString(), Errno.of(-error));
    } finally {
      for (int stream = 0; stream < moved; stream++) {
        Descriptor copy = before[stream];
        if (copy == null) {
          Files.close(stream);
        } else {
          Files.dup2(copy.number(), stream);
        }
      }
      closeAll(opened);
    }
  }

  /** A copy of a standard stream, to be closed with the others; null if the stream is closed. */
  private static @Nullable Descriptor copy(int stream, List<Descriptor> opened)
      throws PosixException {
    int number = Files.fcntl(stream, Files.F_DUPFD_CLOEXEC, STREAMS);
    if (number == -Errno.EBADF.number()) {
      return null;
    }
    Descriptor copy =
        Descriptor.adopt(PosixException.check(number, "fcntl F_DUPFD_CLOEXEC", stream));
    opened.add(copy);
    return copy;
  }

  /**
   * The descriptor that each standard stream becomes a copy of: above the streams, so that none is
   * overwritten first, or the stream's own number where it is inherited.
   */
  private int[] openStreams(List<Descriptor> opened, List<OutputFile> toEmpty)
      throws PosixException {
    int[] sources = new int[STREAMS];
    for (int stream = 0; stream < STREAMS; stream++) {
      Redirect redirect = streams[stream];
      if (redirect instanceof Redirect.ToDescriptor(Descriptor descriptor)) {
        sources[stream] = aboveStreams(descriptor, opened);
      } else if (redirect instanceof Redirect.ToFile(Path file, boolean append)) {
        OutputFile output = OutputFile.open(file);
        opened.add(output.descriptor());
        if (!append) {
          toEmpty.add(output);
        }
        sources[stream] = aboveStreams(output.descriptor(), opened);
      } else if (redirect instanceof Redirect.NullDevice) {
        sources[stream] = openNullDevice(opened);
      } else {
        sources[stream] = stream;
      }
    }
    return sources;
  }

  private static int openNullDevice(List<Descriptor> opened) throws PosixException {
    Descriptor descriptor = Descriptors.openNullDevice();
    opened.add(descriptor);
    return aboveStreams(descriptor, opened);
  }

  /** Last of all, so that a program that cannot be started costs as few files as possible. */
  private static void empty(List<OutputFile> files) throws PosixException {
    for (OutputFile file : files) {
      file.truncate();
    }
  }

  /**
   * Makes sure that a directory can be a working directory: that it is one, and may be searched by
   * the calling thread.
   *
   * @param directory the directory
   * @throws PosixException {@code ENOENT}, {@code ENOTDIR}, {@code EACCES} and all others of
   *     open(2)
   */
  public static void checkDirectory(Path directory) throws PosixException {
    Objects.requireNonNull(directory, "directory");
    List<Descriptor> opened = new ArrayList<>();
    try {
      int _ = openDirectory(directory, opened);
    } finally {
      closeAll(opened);
    }
  }

  /** Through its own entry ".", so that a directory without search permission is found here. */
  private static int openDirectory(Path directory, List<Descriptor> opened) throws PosixException {
    byte[] bytes = NativePath.bytes(directory);
    byte[] self = Arrays.copyOf(bytes, bytes.length + 2);
    self[bytes.length] = '/';
    self[bytes.length + 1] = '.';
    return open(self, Files.O_PATH | Files.O_DIRECTORY | Files.O_CLOEXEC, directory, opened);
  }

  private static int open(byte[] path, int flags, Object name, List<Descriptor> opened)
      throws PosixException {
    int number = PosixException.check(Files.open(path, flags, 0), "open", name);
    Descriptor descriptor = Descriptor.adopt(number);
    opened.add(descriptor);
    return aboveStreams(descriptor, opened);
  }

  /** The descriptor, or a copy of it if a standard stream's number was free when it was opened. */
  private static int aboveStreams(Descriptor descriptor, List<Descriptor> opened)
      throws PosixException {
    if (descriptor.number() >= STREAMS) {
      return descriptor.number();
    }
    Descriptor copy = descriptor.duplicate();
    opened.add(copy);
    return copy.number();
  }

  private static void closeAll(List<Descriptor> opened) {
    for (Descriptor descriptor : opened) {
      // Nothing was written through these, so nothing is lost if closing one fails.
      Files.close(descriptor.number());
    }
  }

  private void act(int result) throws PosixException {
    PosixException.check(result, "posix_spawn", path);
  }

  private List<byte[]> environmentEntries() {
    return (environment == null ? Environment.current() : environment).entries();
  }

  private List<byte[]> argv(byte[] file) {
    List<byte[]> argv = new ArrayList<>(arguments.size() + 1);
    argv.add(name == null ? file : name);
    argv.addAll(arguments);
    return argv;
  }

  private List<byte[]> shellArgv(byte[] file) {
    List<byte[]> argv = new ArrayList<>(arguments.size() + 2);
    argv.add(name == null ? SHELL : name);
    argv.add(file);
    argv.addAll(arguments);
    return argv;
  }
}
