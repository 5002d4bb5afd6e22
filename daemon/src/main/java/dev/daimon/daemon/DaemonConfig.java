package dev.daimon.daemon;

import static java.util.Objects.requireNonNull;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.config.Validation;
import dev.daimon.forking.OutputFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The configuration of a daemon. It is immutable, and a {@link #builder()} makes it.
 *
 * <p>The program makes it twice, in the launcher and in the daemon. Both must come to the same
 * result: a daemon whose configuration differs from its launcher's is refused.
 */
public final class DaemonConfig {
  /** The daemon's umask unless it is set: only the owner may write. */
  public static final int DEFAULT_UMASK = Settings.DEFAULT_UMASK;

  /** How long the launcher waits unless it is set: one minute. */
  public static final Duration DEFAULT_READY_TIMEOUT = Settings.DEFAULT_READY_TIMEOUT;

  final Settings settings;

  /** As the builder had them: without what was chosen because it was not set. */
  private final Settings chosen;

  private DaemonConfig(Settings chosen) {
    this.chosen = chosen;
    settings = chosen.complete();
  }

  /**
   * Begins a configuration: working directory {@code /}, umask 022, the null device for the
   * standard streams, and no pidfile.
   *
   * @return the builder, which changes that
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Begins another configuration with the settings of this one.
   *
   * @return a new builder
   */
  public Builder toBuilder() {
    return new Builder(chosen.copy());
  }

  /** {@return the pidfile, also if the name has placed it; empty if there is none} */
  public Optional<Path> pidFile() {
    return Optional.ofNullable(settings.pidFile);
  }

  /** {@return whether a start is only tried, and taken back} */
  public boolean isSimulation() {
    return settings.simulate;
  }

  /**
   * {@return how messages name the program: as it {@linkplain Builder#programName was set},
   * otherwise as this JVM was told to run it}
   */
  public String displayName() {
    return settings.displayName();
  }

  /**
   * Finds everything that is wrong with this configuration, and changes nothing: relative paths,
   * files with two purposes, an unknown user, settings that a process in the foreground cannot
   * carry out, a command line that cannot be run in another directory.
   *
   * <p>Only the start itself finds out whether the files can be opened and locked.
   *
   * @return one line for each problem; empty if there is none
   * @throws dev.daimon.posix.NativeAccessException if this JVM denies native access
   */
  public List<String> validate() {
    return Validation.problems(settings);
  }

  /**
   * Builds a {@link DaemonConfig}. It checks nothing: {@link DaemonConfig#validate()} and the start
   * do.
   *
   * <p>Not safe for use by several threads at once.
   */
  public static final class Builder {
    private final Settings settings;

    private Builder() {
      this(new Settings());
    }

    private Builder(Settings settings) {
      this.settings = settings;
    }

    /**
     * Sets the daemon's name, by which the command {@code daimon} finds it, too: {@code daimon stop
     * web}. It places the pidfile, beside which no other may be set; and in the background the file
     * of standard output, unless that is set. They are in {@code /run/daimon} and {@code
     * /var/log/daimon} for root, and for another user where the XDG variables say; see {@link
     * DaemonDirectories}. Directories that are missing are made, and a start that fails removes
     * them again.
     *
     * <p>This does not check the name. {@link #build} looks for the pidfile, and leaves problems to
     * {@link DaemonConfig#validate} and the start: then there is no {@link DaemonConfig#pidFile}.
     *
     * @param name what a file may be called, such as {@code web}; see {@link DaemonName}
     * @return this
     */
    public Builder name(String name) {
      settings.name = requireNonNull(name, "name");
      return this;
    }

    /**
     * Sets the pidfile. The launcher locks it before it does anything else, the daemon keeps it
     * locked until it ends, and it holds the daemon's process id.
     *
     * @param path an absolute path
     * @return this
     */
    public Builder pidFile(Path path) {
      settings.pidFile = requireNonNull(path, "path");
      return this;
    }

    /**
     * Sets a second file that the daemon keeps locked. It is never written.
     *
     * @param path an absolute path
     * @return this
     */
    public Builder lockFile(Path path) {
      settings.lockFile = requireNonNull(path, "path");
      return this;
    }

    /**
     * Sets the daemon's working directory; {@code /} unless it is set.
     *
     * <p>Relative paths in the configuration of a logging framework are relative to it, too: {@code
     * docs/logging.md} says what to write instead.
     *
     * @param path an absolute path
     * @return this
     */
    public Builder workingDirectory(Path path) {
      settings.workingDirectory = requireNonNull(path, "path");
      return this;
    }

    /**
     * Keeps the launcher's working directory for the daemon. Then relative paths keep their
     * meaning, also those of a logging framework; see {@code docs/logging.md}.
     *
     * @return this
     */
    public Builder preserveWorkingDirectory() {
      settings.preserveWorkingDirectory = true;
      return this;
    }

    /**
     * Sets the daemon's umask; {@code 022} unless it is set.
     *
     * @param mask the permission bits that new files do not get, from 0 to 0777
     * @return this
     */
    public Builder umask(int mask) {
      settings.umask = mask;
      return this;
    }

    /**
     * Redirects the daemon's standard output to a file, and standard error too unless that is set.
     *
     * <p>Unless this is set, standard output leads to the null device. Then output is kept in
     * memory until the daemon is ready, and the launcher shows it if the daemon never is. At most
     * 256 KiB are kept; beyond that, a child that has inherited the stream gets {@code EPERM}.
     *
     * @param path an absolute path; a new file gets mode 0644 less the umask, but 0600 at least
     * @return this
     */
    public Builder standardOutput(Path path) {
      settings.standardOutput = requireNonNull(path, "path");
      return this;
    }

    /**
     * Redirects the daemon's standard error to a file.
     *
     * <p>Unless this is set, standard error follows {@link #standardOutput}: it leads to {@code
     * x.err} beside {@code x.out}, to {@code x.stderr} beside {@code x.stdout}, otherwise to the
     * same file. If that is not set either, it leads to the null device. With the null device, the
     * stack trace of an exception that ends the daemon is lost.
     *
     * @param path an absolute path, such as {@code /dev/null} or the path of standard output
     * @return this
     */
    public Builder standardError(Path path) {
      settings.standardError = requireNonNull(path, "path");
      return this;
    }

    /**
     * Sets whether the start empties the output files. Unless this is set, they are appended to: a
     * start after a crash must not empty the log that says why the daemon crashed.
     *
     * @param truncate whether to empty them
     * @return this
     */
    public Builder truncate(boolean truncate) {
      settings.truncate = truncate;
      return this;
    }

    /**
     * Sets whether the output files are appended to: the opposite of {@link #truncate}.
     *
     * @param append whether to append, which is the default
     * @return this
     */
    public Builder append(boolean append) {
      return truncate(!append);
    }

    /**
     * Sets the user that the daemon becomes with {@link Daemon#dropPrivileges()}.
     *
     * @param user a name, a number, or {@code #} and a number
     * @return this
     */
    public Builder user(String user) {
      settings.user = requireNonNull(user, "user");
      return this;
    }

    /**
     * Sets the group that the daemon gets with {@link Daemon#dropPrivileges()}; the user's own
     * group unless it is set.
     *
     * @param group a name, a number, or {@code #} and a number
     * @return this
     */
    public Builder group(String group) {
      settings.group = requireNonNull(group, "group");
      return this;
    }

    /**
     * Sets the supplementary groups that the daemon gets with {@link Daemon#dropPrivileges()};
     * those of the user unless they are set.
     *
     * @param groups each a name, a number, or {@code #} and a number; an empty list for no groups
     * @return this
     */
    public Builder groups(String... groups) {
      settings.groups = list(groups, "groups");
      return this;
    }

    /**
     * Adds a resource limit, which {@link Daemon#dropPrivileges()} sets.
     *
     * @param limit the limit, such as {@code ResourceLimit.parse("core=0")}
     * @return this
     */
    public Builder resourceLimit(ResourceLimit limit) {
      settings.resourceLimits.add(requireNonNull(limit, "limit"));
      return this;
    }

    /**
     * Sets the niceness, which {@link Daemon#dropPrivileges()} gives to every thread.
     *
     * @param niceness from -20, the highest priority, to 19, the lowest
     * @return this
     */
    public Builder niceness(int niceness) {
      settings.niceness = niceness;
      return this;
    }

    /**
     * Sets how likely the kernel kills the daemon when memory runs out, from {@link
     * Daemon#dropPrivileges()} on.
     *
     * @param adjustment from -1000, never, to 1000, first
     * @return this
     */
    public Builder oomScoreAdjust(int adjustment) {
      settings.oomScoreAdjust = adjustment;
      return this;
    }

    /**
     * Sets whether {@link Daemon#dropPrivileges()} sets the attribute {@code no_new_privs} for
     * every thread: neither this process nor its children gain privileges from set-user-id programs
     * and the like any more. The price is a permanent system call filter, which allows everything:
     * only with a filter can the attribute reach threads that run already.
     *
     * @param set whether to set it
     * @return this
     */
    public Builder noNewPrivileges(boolean set) {
      settings.noNewPrivileges = set;
      return this;
    }

    /**
     * Sets a variable of the daemon's environment. All others have the launcher's values.
     *
     * @param name the name of the variable
     * @param value its value; may be empty
     * @return this
     */
    public Builder environment(String name, String value) {
      settings.environment.put(requireNonNull(name, "name"), requireNonNull(value, "value"));
      return this;
    }

    /**
     * Sets the daemon's name in process lists, {@code argv[0]}; the launcher's unless it is set.
     *
     * @param name the name
     * @return this
     */
    public Builder programName(String name) {
      settings.programName = requireNonNull(name, "name");
      return this;
    }

    /**
     * Keeps a descriptor of the launcher open in the daemon, as {@link #keepOpen(String,
     * Descriptor)} does. Its name for {@link Daemon#kept} is its number.
     *
     * @param descriptor an open descriptor with a number from 3 up; it must stay open until the
     *     launch returns
     * @return this
     */
    public Builder keepOpen(Descriptor descriptor) {
      requireNonNull(descriptor, "descriptor");
      return keepOpen(Integer.toString(descriptor.number()), descriptor);
    }

    /**
     * Keeps a descriptor of the launcher open in the daemon, with the locks on it.
     *
     * <p>The descriptor can come from a {@link SingletonLock} or an {@link OutputFile}, or it is
     * {@linkplain Descriptor#adopt adopted} from a number that native code or the caller of this
     * program provides. Open it in the launcher only ({@link Daemonizer#stage()} says which run
     * this is): the daemon gets it from {@link Daemon#kept}.
     *
     * @param name the name for {@link Daemon#kept}
     * @param descriptor an open descriptor with a number from 3 up; it must stay open until the
     *     launch returns
     * @return this
     */
    public Builder keepOpen(String name, Descriptor descriptor) {
      settings.kept.put(requireNonNull(name, "name"), requireNonNull(descriptor, "descriptor"));
      return this;
    }

    /**
     * Sets whether all other descriptors of the launcher from 3 up are closed in the daemon. With
     * false, the daemon also inherits those that the launcher's JVM has opened for itself.
     *
     * @param close whether to close them, which is the default
     * @return this
     */
    public Builder closeDescriptors(boolean close) {
      settings.closeDescriptors = close;
      return this;
    }

    /**
     * Sets whether the daemon removes its pidfile when it is closed or ends.
     *
     * @param remove whether to remove it, which is the default
     * @return this
     */
    public Builder removePidFileOnClose(boolean remove) {
      settings.removePidFileOnClose = remove;
      return this;
    }

    /**
     * Sets whether the daemon captures its own standard streams, to read them with {@link
     * Daemon#capturedOutput()} and {@link Daemon#capturedError()}.
     *
     * <p>Both streams become pipes, which are closed when the daemon ends. A child that has
     * inherited one of them and prints to it afterwards gets {@code SIGPIPE}, which ends the child
     * unless it ignores that, or {@code EPIPE}. Start such a child with streams of its own.
     *
     * @param capture whether to capture them
     * @return this
     */
    public Builder captureOutput(boolean capture) {
      settings.captureOutput = capture;
      return this;
    }

    /**
     * Lets the daemon share the launcher's standard error until it is ready, or calls {@link
     * Daemon#releaseStandardError()}.
     *
     * @return this
     */
    public Builder inheritStandardErrorUntilReady() {
      settings.inheritStandardErrorUntilReady = true;
      return this;
    }

    /**
     * Adds options for the daemon's JVM alone, such as its heap size or debug port. They come after
     * the launcher's own options, so they override them.
     *
     * @param arguments the options
     * @return this
     */
    public Builder jvmArguments(String... arguments) {
      settings.jvmArguments.addAll(list(arguments, "arguments"));
      return this;
    }

    /**
     * Sets how long the launcher waits until the daemon is ready; one minute unless it is set.
     *
     * @param timeout a positive duration
     * @return this
     */
    public Builder readyTimeout(Duration timeout) {
      settings.readyTimeout = requireNonNull(timeout, "timeout");
      return this;
    }

    /**
     * Sets a descriptor on which {@link Daemon#ready()} writes a newline, and which it closes then:
     * the way in which s6 and its like are told. In the foreground only: such a supervisor is the
     * daemon's parent.
     *
     * <p>The number is the supervisor's choice (s6's file {@code notification-fd}), so let the
     * program be told it, by an option for instance. {@code NOTIFY_SOCKET} needs no setting.
     *
     * @param number from 3 up: a pipe that this process has inherited
     * @return this
     */
    public Builder readinessDescriptor(int number) {
      settings.readinessDescriptor = number;
      return this;
    }

    /**
     * Sets whether this very process becomes the daemon, for systemd, containers, debuggers and
     * tests. It starts no other process, and its streams do not change unless they are set.
     *
     * <p>A stream that is set, or captured, must not have been closed when this JVM was started:
     * its number is that of one of the JVM's own files then, and the start is refused with {@link
     * dev.daimon.startup.StartException.Reason#SYSTEM}. The null device will do.
     *
     * @param foreground whether this process becomes the daemon
     * @return this
     */
    public Builder foreground(boolean foreground) {
      settings.foreground = foreground;
      return this;
    }

    /**
     * Sets whether the start is only simulated, in this very process: it takes the locks, opens the
     * files and checks the identity, and closing the daemon takes everything back.
     *
     * <p>Working directory, environment, name, JVM options and the closing of descriptors are
     * checked and not applied, since only a new process can have them. The streams do not change,
     * so {@link #captureOutput} is refused.
     *
     * <p>A program that simulates a start and then starts must do the simulation only where {@link
     * Daemonizer#stage()} is {@link Stage#LAUNCHER}. In the daemon the first call completes the
     * real start, and refuses any other configuration than the launcher's.
     *
     * @param simulate whether to simulate
     * @return this
     */
    public Builder simulate(boolean simulate) {
      settings.simulate = simulate;
      return this;
    }

    private static List<String> list(String[] words, String name) {
      for (String word : requireNonNull(words, name)) {
        requireNonNull(word, name);
      }
      return List.of(words);
    }

    /** {@return a configuration that later calls of this builder do not change} */
    public DaemonConfig build() {
      return new DaemonConfig(settings.copy());
    }
  }
}
