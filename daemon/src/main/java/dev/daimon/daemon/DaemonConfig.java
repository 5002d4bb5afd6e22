package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

import dev.daimon.forking.OutputFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.startup.FileSet;
import dev.daimon.startup.OutputPaths;
import dev.daimon.startup.StartException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a program wants to be a daemon. Immutable; made by a {@link #builder()}.
 *
 * <p>The same code makes it in the launcher and in the daemon, and both must come to the same
 * result: a daemon with another configuration is refused.
 */
public final class DaemonConfig {
  /** What a daemon's umask is unless it is set: only the owner may write. */
  public static final int DEFAULT_UMASK = 022;

  /** How long a launcher waits unless it is set: one minute. */
  public static final Duration DEFAULT_READY_TIMEOUT = Duration.ofMinutes(1);

  final @Nullable Path pidFile;
  final @Nullable Path lockFile;
  final @Nullable Path workingDirectory;
  final boolean preserveWorkingDirectory;
  final int umask;
  final @Nullable Path standardOutput;

  /** Where standard error leads at last, also if only standard output was set. */
  final @Nullable Path standardError;

  final boolean truncate;
  final @Nullable String user;
  final @Nullable String group;
  final @Nullable List<String> groups;
  final List<ResourceLimit> resourceLimits;
  final @Nullable Integer niceness;
  final @Nullable Integer oomScoreAdjust;
  final boolean noNewPrivileges;
  final Map<String, String> environment;
  final @Nullable String programName;
  final Map<String, Descriptor> kept;
  final @Nullable Boolean closeDescriptors;
  final boolean removePidFileOnClose;
  final boolean captureOutput;
  final boolean inheritStandardErrorUntilReady;
  final List<String> jvmArguments;
  final Duration readyTimeout;
  final boolean foreground;
  final boolean simulate;

  private DaemonConfig(Builder builder) {
    pidFile = builder.pidFile;
    lockFile = builder.lockFile;
    workingDirectory = builder.workingDirectory;
    preserveWorkingDirectory = builder.preserveWorkingDirectory;
    umask = builder.umask;
    standardOutput = builder.standardOutput;
    standardError =
        builder.standardError == null
            ? OutputPaths.errorBeside(standardOutput)
            : builder.standardError;
    truncate = builder.truncate;
    user = builder.user;
    group = builder.group;
    groups = builder.groups;
    resourceLimits = List.copyOf(builder.resourceLimits);
    niceness = builder.niceness;
    oomScoreAdjust = builder.oomScoreAdjust;
    noNewPrivileges = builder.noNewPrivileges;
    environment = new LinkedHashMap<>(builder.environment);
    programName = builder.programName;
    kept = new LinkedHashMap<>(builder.kept);
    closeDescriptors = builder.closeDescriptors;
    removePidFileOnClose = builder.removePidFileOnClose;
    captureOutput = builder.captureOutput;
    inheritStandardErrorUntilReady = builder.inheritStandardErrorUntilReady;
    jvmArguments = List.copyOf(builder.jvmArguments);
    readyTimeout = builder.readyTimeout;
    foreground = builder.foreground;
    simulate = builder.simulate;
  }

  /**
   * A daemon in {@code /} with the umask 022 and the null device for its streams, without a
   * pidfile.
   *
   * @return where to change that
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Finds everything that is wrong with this configuration, before anything is done: paths that are
   * not absolute, files with two purposes, an unknown user, what a process in the foreground cannot
   * do, a command line that cannot be run again in another directory.
   *
   * <p>Whether files can be opened and locked is found by the start alone.
   *
   * @return one line for each problem; empty if there is none
   */
  public List<String> validate() {
    return texts(new Validation(this, relaunch()).problems());
  }

  /**
   * Refuses a configuration with problems, all of them in one message.
   *
   * @param relaunch the program's second run; null in the foreground
   * @throws StartException with the first problem's reason
   */
  void requireValid(@Nullable RelaunchCommand relaunch) {
    List<StartException> problems = new Validation(this, relaunch).problems();
    if (problems.size() == 1) {
      throw problems.get(0);
    }
    if (!problems.isEmpty()) {
      throw new StartException(problems.get(0).reason(), String.join("; ", texts(problems)));
    }
  }

  private static List<String> texts(List<StartException> problems) {
    List<String> texts = new ArrayList<>();
    for (StartException problem : problems) {
      texts.add(String.valueOf(problem.getMessage()));
    }
    return texts;
  }

  /** The program's second run, which a simulation only thinks of; null in the foreground. */
  @Nullable RelaunchCommand relaunch() {
    return foreground ? null : RelaunchCommand.of(this);
  }

  /** Whether the daemon is this very process. */
  boolean isInProcess() {
    return foreground || simulate;
  }

  /** Whether there is more to give up than a user and a group. */
  boolean hasAttributes() {
    return !resourceLimits.isEmpty()
        || niceness != null
        || oomScoreAdjust != null
        || noNewPrivileges;
  }

  FileSet files() {
    return new FileSet(pidFile, true, lockFile, standardOutput, standardError, truncate);
  }

  /** Where the daemon stands, if the launcher stands in this directory. */
  Path directory(Path launchDirectory) {
    if (preserveWorkingDirectory) {
      return launchDirectory;
    }
    return workingDirectory == null ? Path.of("/") : workingDirectory;
  }

  /**
   * A line for each setting on which launcher and daemon must agree: all but the descriptors to
   * keep, which only the launcher can name.
   */
  List<String> settings() {
    List<String> lines = new ArrayList<>();
    lines.add("pidFile=" + pidFile);
    lines.add("lockFile=" + lockFile);
    lines.add("workingDirectory=" + workingDirectory);
    lines.add("preserveWorkingDirectory=" + preserveWorkingDirectory);
    lines.add("umask=0" + Integer.toOctalString(umask));
    lines.add("standardOutput=" + standardOutput);
    lines.add("standardError=" + standardError);
    lines.add("truncate=" + truncate);
    lines.add("user=" + user);
    lines.add("group=" + group);
    lines.add("groups=" + groups);
    lines.add("resourceLimits=" + resourceLimits);
    lines.add("niceness=" + niceness);
    lines.add("oomScoreAdjust=" + oomScoreAdjust);
    lines.add("noNewPrivileges=" + noNewPrivileges);
    // The values may be secrets, and a difference is told on a terminal.
    lines.add("environment=" + environment.keySet() + "#" + environment.hashCode());
    lines.add("programName=" + programName);
    lines.add("closeDescriptors=" + closeDescriptors);
    lines.add("removePidFileOnClose=" + removePidFileOnClose);
    lines.add("captureOutput=" + captureOutput);
    lines.add("inheritStandardErrorUntilReady=" + inheritStandardErrorUntilReady);
    lines.add("jvmArguments=" + jvmArguments);
    lines.add("readyTimeout=" + readyTimeout);
    lines.add("foreground=" + foreground);
    lines.add("simulate=" + simulate);
    return lines;
  }

  /** Makes a {@link DaemonConfig}. Nothing is looked at before {@link DaemonConfig#validate()}. */
  public static final class Builder {
    private @Nullable Path pidFile;
    private @Nullable Path lockFile;
    private @Nullable Path workingDirectory;
    private boolean preserveWorkingDirectory;
    private int umask = DEFAULT_UMASK;
    private @Nullable Path standardOutput;
    private @Nullable Path standardError;
    private boolean truncate;
    private @Nullable String user;
    private @Nullable String group;
    private @Nullable List<String> groups;
    private final List<ResourceLimit> resourceLimits = new ArrayList<>();
    private @Nullable Integer niceness;
    private @Nullable Integer oomScoreAdjust;
    private boolean noNewPrivileges;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private @Nullable String programName;
    private final Map<String, Descriptor> kept = new LinkedHashMap<>();
    private @Nullable Boolean closeDescriptors;
    private boolean removePidFileOnClose = true;
    private boolean captureOutput;
    private boolean inheritStandardErrorUntilReady;
    private final List<String> jvmArguments = new ArrayList<>();
    private Duration readyTimeout = DEFAULT_READY_TIMEOUT;
    private boolean foreground;
    private boolean simulate;

    private Builder() {}

    /**
     * Names the pidfile: locked before anything else is done, and as long as the daemon lives; it
     * holds the daemon's process id.
     *
     * @param path an absolute path
     * @return this
     */
    public Builder pidFile(Path path) {
      pidFile = requireNonNull(path, "path");
      return this;
    }

    /**
     * Names a second file that the daemon holds locked. It is never written.
     *
     * @param path an absolute path
     * @return this
     */
    public Builder lockFile(Path path) {
      lockFile = requireNonNull(path, "path");
      return this;
    }

    /**
     * Sets the daemon's working directory; {@code /} unless it is set.
     *
     * <p>Relative paths in a logging framework's configuration lead there as well: Daimon's {@code
     * docs/logging.md} says what to write instead.
     *
     * @param path an absolute path
     * @return this
     */
    public Builder workingDirectory(Path path) {
      workingDirectory = requireNonNull(path, "path");
      return this;
    }

    /**
     * Lets the daemon stay in the launcher's working directory. Then relative paths, also those of
     * a logging framework, lead where they always did; see {@code docs/logging.md}.
     *
     * @return this
     */
    public Builder preserveWorkingDirectory() {
      preserveWorkingDirectory = true;
      return this;
    }

    /**
     * Sets the daemon's umask; {@code 022} unless it is set.
     *
     * @param mask permission bits that new files lack, from 0 to 0777
     * @return this
     */
    public Builder umask(int mask) {
      umask = mask;
      return this;
    }

    /**
     * Sends the daemon's standard output to a file, and standard error too unless that is set.
     *
     * <p>Standard output leads to the null device unless this is set. Then what is printed before
     * the daemon is ready is kept in memory, for its launcher to tell if it never is: up to 256
     * KiB, beyond which a child that has inherited the stream gets {@code EPERM}.
     *
     * @param path an absolute path; created with mode 0644 less the umask
     * @return this
     */
    public Builder standardOutput(Path path) {
      standardOutput = requireNonNull(path, "path");
      return this;
    }

    /**
     * Sends the daemon's standard error to a file.
     *
     * <p>Unless this is set, standard error follows {@link #standardOutput}: to {@code x.err}
     * beside {@code x.out}, to {@code x.stderr} beside {@code x.stdout}, otherwise to the same
     * file. If that is not set either, it leads to the null device. So it does with {@code
     * Path.of("/dev/null")}, and then the stack trace of an exception that ends the daemon is lost.
     *
     * @param path an absolute path, also the same one as standard output's
     * @return this
     */
    public Builder standardError(Path path) {
      standardError = requireNonNull(path, "path");
      return this;
    }

    /**
     * Sets whether output files are emptied at the start. They are appended to unless this is set:
     * a start after a crash would empty the log that says why the daemon crashed.
     *
     * @param truncate whether to empty them
     * @return this
     */
    public Builder truncate(boolean truncate) {
      this.truncate = truncate;
      return this;
    }

    /**
     * Sets whether output files keep what they hold: the opposite of {@link #truncate}.
     *
     * @param append whether to keep it; so it is unless it is set
     * @return this
     */
    public Builder append(boolean append) {
      return truncate(!append);
    }

    /**
     * Names the user that {@link Daemon#dropPrivileges()} becomes.
     *
     * @param user a name, a number, or {@code #} and a number
     * @return this
     */
    public Builder user(String user) {
      this.user = requireNonNull(user, "user");
      return this;
    }

    /**
     * Names the group that {@link Daemon#dropPrivileges()} becomes; the user's own unless it is
     * set.
     *
     * @param group a name, a number, or {@code #} and a number
     * @return this
     */
    public Builder group(String group) {
      this.group = requireNonNull(group, "group");
      return this;
    }

    /**
     * Names the supplementary groups that {@link Daemon#dropPrivileges()} takes on; those of the
     * user unless they are set.
     *
     * @param groups each a name, a number, or {@code #} and a number; none at all for none
     * @return this
     */
    public Builder groups(String... groups) {
      this.groups = list(groups, "groups");
      return this;
    }

    /**
     * Adds a resource limit that {@link Daemon#dropPrivileges()} sets.
     *
     * @param limit the limit, such as {@code ResourceLimit.parse("core=0")}
     * @return this
     */
    public Builder resourceLimit(ResourceLimit limit) {
      resourceLimits.add(requireNonNull(limit, "limit"));
      return this;
    }

    /**
     * Sets the niceness that {@link Daemon#dropPrivileges()} gives to every thread.
     *
     * @param niceness from -20, the most favourable, to 19
     * @return this
     */
    public Builder niceness(int niceness) {
      this.niceness = niceness;
      return this;
    }

    /**
     * Sets how likely the kernel is to kill the daemon when memory runs out, once {@link
     * Daemon#dropPrivileges()} was called.
     *
     * @param adjustment from -1000, never, to 1000, first
     * @return this
     */
    public Builder oomScoreAdjust(int adjustment) {
      oomScoreAdjust = adjustment;
      return this;
    }

    /**
     * Sets whether {@link Daemon#dropPrivileges()} makes set-id programs and the like mean nothing
     * to every thread and to what it starts. The price is a system call filter that allows
     * everything, for good: nothing else takes this to threads that run already.
     *
     * @param set whether to
     * @return this
     */
    public Builder noNewPrivileges(boolean set) {
      noNewPrivileges = set;
      return this;
    }

    /**
     * Sets a variable of the daemon's environment, which otherwise is the launcher's.
     *
     * @param name the variable
     * @param value its value; may be empty
     * @return this
     */
    public Builder environment(String name, String value) {
      environment.put(requireNonNull(name, "name"), requireNonNull(value, "value"));
      return this;
    }

    /**
     * Sets the daemon's name in process lists, {@code argv[0]}; the launcher's unless it is set.
     *
     * @param name the name
     * @return this
     */
    public Builder programName(String name) {
      programName = requireNonNull(name, "name");
      return this;
    }

    /**
     * Keeps a descriptor of the launcher open, as {@link #keepOpen(String, Descriptor)}. Its name
     * for {@link Daemon#kept} is its number.
     *
     * @param descriptor an open descriptor, from 3 up; not closed before the launch is over
     * @return this
     */
    public Builder keepOpen(Descriptor descriptor) {
      requireNonNull(descriptor, "descriptor");
      return keepOpen(Integer.toString(descriptor.number()), descriptor);
    }

    /**
     * Keeps a descriptor of the launcher open, with the locks on it, until the daemon ends.
     *
     * <p>It is that of a {@link SingletonLock}, of an {@link OutputFile}, or {@linkplain
     * Descriptor#adopt adopted} from a number that native code or the caller of this program gave.
     * In the daemon there is no need to open it again, and often no way: see {@link
     * Daemonizer#stage()}.
     *
     * @param name what {@link Daemon#kept} finds it by in the daemon
     * @param descriptor an open descriptor, from 3 up; not closed before the launch is over
     * @return this
     */
    public Builder keepOpen(String name, Descriptor descriptor) {
      kept.put(requireNonNull(name, "name"), requireNonNull(descriptor, "descriptor"));
      return this;
    }

    /**
     * Sets whether the daemon loses the launcher's other descriptors from 3 up; so it does unless
     * this is set to false, and then it also inherits those of the launcher's JVM.
     *
     * @param close whether to close them
     * @return this
     */
    public Builder closeDescriptors(boolean close) {
      closeDescriptors = close;
      return this;
    }

    /**
     * Sets whether the pidfile goes when the daemon is closed or ends; so it does unless this is
     * set to false.
     *
     * @param remove whether to remove it
     * @return this
     */
    public Builder removePidFileOnClose(boolean remove) {
      removePidFileOnClose = remove;
      return this;
    }

    /**
     * Lets the daemon read what it prints itself: {@link Daemon#capturedOutput()} and {@link
     * Daemon#capturedError()}.
     *
     * <p>Both streams are pipes that end with the daemon. A child that has inherited one of them
     * and outlives the daemon gets {@code SIGPIPE}, which ends it unless it is ignored, or {@code
     * EPIPE} for what it prints then: start such a child with streams of its own.
     *
     * @param capture whether to
     * @return this
     */
    public Builder captureOutput(boolean capture) {
      captureOutput = capture;
      return this;
    }

    /**
     * Lets the daemon's standard error lead where the launcher's does until the daemon is ready, or
     * calls {@link Daemon#releaseStandardError()}.
     *
     * @return this
     */
    public Builder inheritStandardErrorUntilReady() {
      inheritStandardErrorUntilReady = true;
      return this;
    }

    /**
     * Adds options of the daemon's JVM alone: its heap, its debug port. They come after the
     * launcher's own, so they win.
     *
     * @param arguments the options
     * @return this
     */
    public Builder jvmArguments(String... arguments) {
      jvmArguments.addAll(list(arguments, "arguments"));
      return this;
    }

    /**
     * Sets how long the launcher waits for the daemon to be ready; one minute unless it is set.
     *
     * @param timeout more than nothing
     * @return this
     */
    public Builder readyTimeout(Duration timeout) {
      readyTimeout = requireNonNull(timeout, "timeout");
      return this;
    }

    /**
     * Sets whether this very process is the daemon, for systemd, containers, debuggers and tests:
     * no fork, and streams as they are unless they are set.
     *
     * @param foreground whether it is
     * @return this
     */
    public Builder foreground(boolean foreground) {
      this.foreground = foreground;
      return this;
    }

    /**
     * Sets whether all is only tried, in this very process: locks are taken and files opened, the
     * identity is checked, and closing the daemon takes everything back.
     *
     * <p>What only another process can be is checked like the rest, and not carried out: working
     * directory, environment, name, JVM options and the closing of descriptors. The streams stay as
     * they are, so {@link #captureOutput} is refused.
     *
     * <p>Not before a real start in the same program, unless guarded by {@link Daemonizer#stage()}:
     * in the daemon the first call is that start, and refuses another configuration than the
     * launcher's.
     *
     * @param simulate whether it is
     * @return this
     */
    public Builder simulate(boolean simulate) {
      this.simulate = simulate;
      return this;
    }

    private static List<String> list(String[] words, String name) {
      for (String word : requireNonNull(words, name)) {
        requireNonNull(word, name);
      }
      return List.of(words);
    }

    /** {@return the configuration} */
    public DaemonConfig build() {
      return new DaemonConfig(this);
    }
  }
}
