package dev.daimon.privileges;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.UserChange;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.SystemCallFilter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives up privileges: of a program that is started, or of this process. The parts are done in the
 * one order in which none can prevent another, and the result is verified. Every part is optional.
 * Immutable; made by a {@link #builder()}.
 *
 * <p>{@link #start} starts a program with fewer privileges: a new thread gives up what threads
 * have, and the program's own process the rest. {@link #applyToProcess} changes this process
 * permanently, with all of its threads. In Linux some of the parts are attributes of a thread and
 * others of the process, so each of the two methods refuses what it cannot do:
 *
 * <table>
 *   <caption>The parts, in the order in which they are done</caption>
 *   <tr><th>part</th><th>{@code start}</th><th>{@code applyToProcess}</th></tr>
 *   <tr><td>resource limits</td><td>refused, since they are the process's: set them on the program
 *       ({@code Program.limit} of {@code daimon-forking})</td><td>yes</td></tr>
 *   <tr><td>score for the out-of-memory killer</td><td>yes: this process has it during the start</td>
 *       <td>yes</td></tr>
 *   <tr><td>niceness</td><td>yes</td><td>yes, on every thread</td></tr>
 *   <tr><td>root directory</td><td>yes: the thread gets one of its own</td><td>refused, since a JVM
 *       goes on reading its own files by their paths</td></tr>
 *   <tr><td>groups</td><td>yes, by the bare system calls</td><td>yes, through the C library, which
 *       changes every thread</td></tr>
 *   <tr><td>capabilities</td><td>yes: from the bounding set on the thread, all others in the
 *       program's process</td><td>refused, since no thread can change another's</td></tr>
 *   <tr><td>user</td><td>yes, in the program's process</td><td>yes, through the C library</td></tr>
 *   <tr><td>session keyring</td><td>yes: a new one, for another user than root</td><td>no, since no
 *       thread can change another's</td></tr>
 *   <tr><td>no new privileges</td><td>yes</td><td>yes, by a system call filter that allows
 *       everything and stays for good: this is the only way to set it on other threads</td></tr>
 * </table>
 *
 * <p>If a part fails, the parts before it are done and those after it are not: fewer privileges
 * were given up than asked for, and none were gained. The thread of {@code start} has ended then;
 * after a failed {@code applyToProcess} the process should end.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/credentials.7.html">credentials(7)</a>
 * @see <a href="https://man7.org/linux/man-pages/man7/capabilities.7.html">capabilities(7)</a>
 */
public final class PrivilegeDrop {
  private static final int MIN_NICENESS = -20;
  private static final int MAX_NICENESS = 19;

  /** The capabilities that are needed to become the user, and to kill a child that has. */
  private static final long NEEDED =
      1L << Capability.SETUID.number() | 1L << Capability.KILL.number();

  private final @Nullable Identity identity;
  private final @Nullable Path rootDirectory;
  private final List<ResourceLimit> limits;
  private final @Nullable Integer niceness;
  private final @Nullable Integer oomScoreAdjust;
  private final boolean noNewPrivileges;

  /** The capabilities to keep, a bit for each; null if the kernel's rules decide. */
  private final @Nullable Long capabilities;

  /**
   * The groups that the change has left: they are kept if they cannot be changed. Guarded by {@link
   * DisposableThread#CHANGING}.
   */
  private int @Nullable [] applied;

  private PrivilegeDrop(Builder builder) {
    identity = builder.identity;
    rootDirectory = builder.rootDirectory;
    limits = List.copyOf(builder.limits);
    niceness = builder.niceness;
    oomScoreAdjust = builder.oomScoreAdjust;
    noNewPrivileges = builder.noNewPrivileges;
    capabilities = builder.kept == null ? null : bits(builder.kept);
  }

  private static long bits(Set<Capability> kept) {
    long bits = 0;
    for (Capability capability : kept) {
      bits |= 1L << capability.number();
    }
    return bits;
  }

  /**
   * Returns a builder, which gives up nothing yet.
   *
   * @return the builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns a drop that changes the identity only.
   *
   * @param identity the new user and groups
   * @return the drop
   */
  public static PrivilegeDrop to(Identity identity) {
    Objects.requireNonNull(identity, "identity");
    return builder().identity(identity).build();
  }

  /**
   * Starts a program with fewer privileges. This process keeps its own.
   *
   * <p>A new thread gives up what threads have, and runs the action. The action must spawn or
   * execute a program with the {@link UserChange} that it gets. That change is made in the
   * program's own process, since a user may stop, kill and limit every process that has the user's
   * ids: a thread of this process with these ids would give the user that power over this process.
   *
   * <pre>{@code
   * drop.start(change -> program.become(change).spawn())
   * }</pre>
   *
   * <p>If the program becomes another user than root, it has only the capabilities that are
   * {@linkplain Builder#keepCapabilities kept}, with no others inheritable or ambient, and a new
   * and empty session keyring, where the kernel has keyrings. If this process has the identity's
   * user and groups already, the program inherits the session keyring and, without {@code
   * keepCapabilities}, the capabilities. The program inherits the bounding set unless capabilities
   * are kept, so set-user-id programs work.
   *
   * <p>The kernel checks the identity's permissions when the action opens files. In another root
   * directory the action cannot open paths that do not exist there: the null device, {@code /proc},
   * and directories or archives from which no class was loaded before. So let the action start a
   * program that is prepared, and nothing else.
   *
   * <p>Two actions with a score for the out-of-memory killer run one after the other, so one must
   * not wait for the other; {@link #applyToProcess} and {@link #verify} wait for the end of such an
   * action, too, so the action must not call them. This process has its old score again afterwards.
   * A program that asked for a signal at its parent's death ({@code PR_SET_PDEATHSIG}) gets it when
   * the thread ends, which is when the action ends.
   *
   * @param action the action; a program that it starts without the change may run as root
   * @param <T> the type of the result
   * @return the action's result
   * @throws IllegalStateException if there are resource limits
   * @throws PosixException if the thread may not make a change ({@code EPERM}, {@code EACCES}),
   *     there is no such root directory, or the thread does not have a capability that is to be
   *     kept; the action did not run
   * @throws CredentialsException if the thread has not given up everything; the action did not run
   * @throws IOException what the action throws; its unchecked exceptions are thrown too
   */
  public <T extends @Nullable Object> T start(Start<T> action) throws IOException {
    Objects.requireNonNull(action, "action");
    if (!limits.isEmpty()) {
      throw new IllegalStateException(
          "resource limits are the whole process's; give them to the program that is started: "
              + limits);
    }
    InThread<T> thread = new InThread<>(action);
    return oomScoreAdjust == null
        ? DisposableThread.call(thread, thread)
        : OomScore.during(oomScoreAdjust, () -> DisposableThread.call(thread, thread));
  }

  /**
   * An action that starts a program.
   *
   * @param <T> the type of the result
   */
  @FunctionalInterface
  public interface Start<T extends @Nullable Object> {
    /**
     * Starts the program.
     *
     * @param change the change that the program's own process has to make: pass it to {@code
     *     Program.become} of {@code daimon-forking}
     * @return the result
     * @throws IOException if it fails
     */
    T run(UserChange change) throws IOException;
  }

  /**
   * Runs an action on a thread that accesses files as a program that is {@linkplain #start started}
   * does: as its user, with the capabilities that it keeps, and in its root directory. The rules of
   * {@link Identity#accessFiles} apply; in another root directory those of {@link #start} too.
   *
   * @param action the action
   * @param <T> the type of the result
   * @return the action's result
   * @throws PosixException if the thread may not make a change ({@code EPERM}), there is no such
   *     root directory, or the thread does not have a capability that is to be kept; the action did
   *     not run
   * @throws IOException what the action throws; its unchecked exceptions are thrown too
   */
  public <T extends @Nullable Object> T accessFiles(FileAction<T> action) throws IOException {
    Objects.requireNonNull(action, "action");
    if (rootDirectory == null && capabilities == null) {
      return identity == null ? action.run() : identity.accessFiles(action);
    }
    return DisposableThread.call(this::changeFileAccess, action);
  }

  private @Nullable String changeFileAccess() throws PosixException, CredentialsException {
    Identity other = identity == null || identity.isKept(ThreadStatus.own()) ? null : identity;
    if (rootDirectory != null) {
      changeRoot(NativePath.bytes(rootDirectory), rootDirectory);
    }
    if (other != null) {
      other.changeFileAccess();
    }
    if (capabilities != null || (other != null && other.isOrdinaryUser())) {
      long kept = capabilities == null ? 0 : capabilities;
      PosixException.check(Capabilities.capset(kept, 0), "capset", names(kept));
    }
    return null;
  }

  /** The change of a thread, and the action with what is left to the program's process. */
  private final class InThread<T extends @Nullable Object>
      implements DisposableThread.Change, FileAction<T> {
    private final Start<T> action;
    private UserChange change = UserChange.NONE;

    InThread(Start<T> action) {
      this.action = action;
    }

    @Override
    public @Nullable String make() throws PosixException, CredentialsException {
      try (ThreadStatus.Own status = new ThreadStatus.Own()) {
        // Both load classes, which may not be found in another root directory.
        ThreadStatus before = status.read();
        Identity other = identity == null || identity.isKept(before) ? null : identity;
        change = changeThread(before, other);
        ThreadStatus after = status.read();
        String fault = other == null ? null : other.fileFault(after);
        fault = fault == null ? boundaryFault(after) : fault;
        return fault == null ? null : after.name().concat(" ").concat(fault);
      }
    }

    @Override
    public T run() throws IOException {
      return action.run(change);
    }
  }

  /**
   * Runs an action that starts a program, such as another JVM, which will call {@link
   * #applyToProcess} itself.
   *
   * <p>That method cannot change what only the threads themselves can give up. So, if the program
   * is to become another user than root, and not this process's own, it starts with no inheritable
   * capabilities and with a new and empty session keyring, where the kernel has keyrings. It
   * inherits everything else.
   *
   * @param action the action; it runs on a thread of its own
   * @param <T> the type of the result
   * @return the action's result
   * @throws PosixException if the thread may not make a change; the action did not run
   * @throws IOException what the action throws; its unchecked exceptions are thrown too
   */
  public <T extends @Nullable Object> T startSelfApplying(FileAction<T> action) throws IOException {
    Objects.requireNonNull(action, "action");
    ThreadStatus own = ThreadStatus.own();
    if (identity == null || !identity.isOrdinaryUser() || identity.isKept(own)) {
      return action.run();
    }
    return DisposableThread.call(
        () -> {
          joinNewKeyring();
          PosixException.check(Capabilities.capset(own.permitted(), 0), "capset", "no inheritable");
          return null;
        },
        action);
  }

  /** Makes the changes of the thread that give the user no power over it; returns the rest. */
  private UserChange changeThread(ThreadStatus before, @Nullable Identity other)
      throws PosixException, CredentialsException {
    if (niceness != null) {
      PosixException.check(Limits.setpriority(0, niceness), "setpriority", niceness);
    }
    if (noNewPrivileges) {
      PosixException.check(Capabilities.setNoNewPrivileges(), "prctl", "PR_SET_NO_NEW_PRIVS");
    }
    if (capabilities != null) {
      long missing = capabilities & ~before.permitted();
      if (missing != 0) {
        throw new PosixException("capset", names(missing), Errno.EPERM);
      }
      dropBounding(capabilities);
      PosixException.check(Capabilities.keepCapabilities(true), "prctl", "PR_SET_KEEPCAPS");
    }
    if (rootDirectory != null) {
      changeRoot(NativePath.bytes(rootDirectory), rootDirectory);
    }
    if (other == null) {
      return new UserChange(OptionalLong.empty(), kept(/* ordinary= */ false));
    }
    if (other.isOrdinaryUser()) {
      joinNewKeyring();
    }
    other.changeGroupsAndFileUser();
    if (other.isOrdinaryUser()) {
      // The program's own process needs them for its change, and this thread to kill that process.
      long needed = capabilities == null ? NEEDED : NEEDED | capabilities;
      PosixException.check(
          Capabilities.capset(before.permitted() & needed, 0), "capset", names(needed));
    }
    return new UserChange(other.changedUser(before), kept(other.isOrdinaryUser()));
  }

  /** The capabilities of the program; empty if the kernel's rules decide. */
  private OptionalLong kept(boolean ordinary) {
    if (capabilities != null) {
      return OptionalLong.of(capabilities);
    }
    return ordinary ? OptionalLong.of(0) : OptionalLong.empty();
  }

  /**
   * Joins a new session keyring as root, so the user cannot prevent it by having too many keys. It
   * is no error if the kernel has no keyrings, a container forbids them, or root has too many keys.
   */
  private static void joinNewKeyring() throws PosixException {
    int result = Credentials.joinNewSessionKeyring();
    if (result != -Errno.ENOSYS.number()
        && result != -Errno.EPERM.number()
        && result != -Errno.EACCES.number()
        && result != -Errno.EDQUOT.number()) {
      PosixException.check(result, "keyctl", "KEYCTL_JOIN_SESSION_KEYRING");
    }
  }

  private static void changeRoot(byte[] path, Path name) throws PosixException {
    PosixException.check(Processes.unshareDirectories(), "unshare", "CLONE_FS");
    int result = Processes.chroot(path);
    if (result < 0 && result != -Errno.EPERM.number()) {
      throw new RootDirectoryException(name, Errno.of(-result));
    }
    PosixException.check(result, "chroot", name);
    PosixException.check(Processes.chdir(new byte[] {'/'}), "chdir", name);
  }

  /** Removes all capabilities but these from the bounding set, so that no program can get them. */
  private static void dropBounding(long kept) throws PosixException {
    for (int capability = 0; capability < Long.SIZE; capability++) {
      int bounding = Capabilities.isBounding(capability);
      if (bounding < 0) {
        return;
      }
      if (bounding > 0 && (kept >> capability & 1) == 0) {
        PosixException.check(
            Capabilities.dropBounding(capability), "prctl", "PR_CAPBSET_DROP " + capability);
      }
    }
  }

  /** Returns which privileges a thread could still gain by a program, as text after its name. */
  private @Nullable String boundaryFault(ThreadStatus thread) throws CredentialsException {
    if (noNewPrivileges && !thread.hasNoNewPrivileges()) {
      return "could gain privileges by executing a program";
    }
    if (capabilities == null) {
      return null;
    }
    long beyond = thread.capabilities("CapBnd") & ~capabilities;
    return beyond == 0 ? null : "could get capabilities by a program: " + names(beyond);
  }

  /**
   * Gives up the privileges in every thread of this process, permanently, and verifies it as {@link
   * #verify} does.
   *
   * <p>If the identity {@linkplain Identity#isCurrent() is current} and the process may not change
   * its groups, it keeps them: whoever started this process as that user has chosen them.
   *
   * @throws UnsupportedOperationException if there is a root directory, or capabilities are kept
   * @throws PosixException if the process may not make a change ({@code EPERM}, {@code EACCES}),
   *     there are too many groups ({@code EINVAL}), or there is a niceness and {@code /proc} is of
   *     another PID namespace, where the threads have other ids
   * @throws CredentialsException if a thread has other credentials before, such as a thread of
   *     {@link #start} or {@link Identity#accessFiles}, for 3 s, or for 60 s if it waits for a
   *     processor, since the C library would abort the process; if a thread has a system call
   *     filter of its own, so that new privileges cannot be forbidden to it; or if a thread has any
   *     of the privileges afterwards
   * @see <a href="https://man7.org/linux/man-pages/man2/setresuid.2.html">setresuid(2)</a>
   * @see <a href="https://man7.org/linux/man-pages/man2/seccomp.2.html">seccomp(2)</a>
   */
  public void applyToProcess() throws PosixException, CredentialsException {
    requireProcess();
    synchronized (OomScore.LOCK) {
      synchronized (DisposableThread.CHANGING) {
        change();
      }
    }
  }

  private void change() throws PosixException, CredentialsException {
    ThreadStatus before = ThreadStatus.own();
    AllThreads.require(new AllThreads.Alike(before, identity != null));
    for (ResourceLimit limit : limits) {
      PosixException.check(
          Limits.setrlimit(limit.resource().number(), limit.soft(), limit.hard()),
          "prlimit",
          limit);
    }
    if (oomScoreAdjust != null) {
      OomScore.set(oomScoreAdjust);
    }
    if (niceness != null) {
      AllThreads.setNiceness(niceness);
    }
    int[] groups = identity == null ? new int[0] : identity.changeProcess(before);
    applied = groups;
    if (noNewPrivileges) {
      forbidNewPrivileges();
    }
    verify(before, groups, before.uids(), before.gids());
  }

  private static void forbidNewPrivileges() throws PosixException, CredentialsException {
    PosixException.check(Capabilities.setNoNewPrivileges(), "prctl", "PR_SET_NO_NEW_PRIVS");
    int odd =
        PosixException.check(
            SystemCallFilter.allowEverything(SystemCallFilter.SECCOMP_FILTER_FLAG_TSYNC),
            "seccomp",
            "SECCOMP_FILTER_FLAG_TSYNC");
    if (odd != 0) {
      throw new CredentialsException(
          "thread "
              + odd
              + " has a system call filter of its own, and cannot be kept from new privileges");
    }
  }

  /**
   * Verifies that every thread of this process has given up the privileges. Reads the ids, groups,
   * capabilities and {@code NoNewPrivs} of each from {@code /proc}, its niceness, and the process's
   * limits and score, and tries to become root again. {@link #applyToProcess} ends with this.
   *
   * <p>Groups that {@link #applyToProcess} of this object could not change, and has kept, are
   * accepted.
   *
   * <p>A user other than root may have ambient capabilities, and no others: only whoever started
   * the process as that user can have set these.
   *
   * @throws UnsupportedOperationException as {@link #applyToProcess}
   * @throws PosixException if {@code /proc} cannot be read, or there is a niceness and {@code
   *     /proc} is of another PID namespace
   * @throws CredentialsException if a thread has kept something for 3 s, or for 60 s if it waits
   *     for a processor, since it may be ending; the message says which and what
   */
  public void verify() throws PosixException, CredentialsException {
    requireProcess();
    synchronized (OomScore.LOCK) {
      synchronized (DisposableThread.CHANGING) {
        int[] groups = identity == null ? new int[0] : identity.sortedGroups();
        verify(null, applied == null ? groups : applied, new int[1], new int[1]);
      }
    }
  }

  private void verify(@Nullable ThreadStatus before, int[] groups, int[] oldUids, int[] oldGids)
      throws PosixException, CredentialsException {
    AllThreads.require(new Dropped(before, groups));
    String fault = niceness == null ? null : AllThreads.otherNiceness(niceness);
    for (int i = 0; i < limits.size() && fault == null; i++) {
      fault = limitFault(limits.get(i));
    }
    if (fault == null && oomScoreAdjust != null && OomScore.get() != oomScoreAdjust) {
      fault = "the process has oom_score_adj " + OomScore.get();
    }
    if (fault == null && identity != null) {
      fault = identity.wayBack(oldUids, oldGids);
    }
    if (fault != null) {
      throw new CredentialsException(fault);
    }
  }

  private static @Nullable String limitFault(ResourceLimit limit) throws PosixException {
    long[] actual = new long[2];
    int result = Limits.getrlimit(0, limit.resource().number(), actual);
    PosixException.check(result, "prlimit", limit);
    return actual[0] == limit.soft() && actual[1] == limit.hard()
        ? null
        : "the process has another limit than " + limit;
  }

  /** Requires of a thread that it has given up what this drop says. */
  private final class Dropped implements AllThreads.Requirement {
    private final @Nullable ThreadStatus before;
    private final int[] groups;

    Dropped(@Nullable ThreadStatus before, int[] groups) {
      this.before = before;
      this.groups = groups;
    }

    @Override
    public @Nullable String fault(ThreadStatus thread) throws CredentialsException {
      Objects.requireNonNull(thread, "thread");
      String fault = identity == null ? null : identity.fault(thread, before, groups);
      if (fault != null) {
        return fault;
      }
      if (before == null && identity != null && identity.isOrdinaryUser()) {
        long kept = thread.permitted() & ~thread.capabilities("CapAmb");
        if (kept != 0) {
          return "has kept capabilities: " + names(kept);
        }
      }
      return boundaryFault(thread);
    }
  }

  private void requireProcess() {
    if (rootDirectory != null) {
      throw new UnsupportedOperationException(
          "a JVM that runs cannot change its root directory: it goes on reading its libraries,"
              + " classes and time zones by their paths; start it there");
    }
    if (capabilities != null) {
      throw new UnsupportedOperationException(
          "a JVM that runs cannot keep capabilities across a change of user: no thread can change"
              + " another's; start it with them, as that user");
    }
  }

  private static String names(long capabilities) {
    StringBuilder names = new StringBuilder();
    for (Capability capability : Capability.values()) {
      if ((capabilities >> capability.number() & 1) != 0) {
        names.append(names.isEmpty() ? "" : " ").append(capability);
      }
    }
    return names.isEmpty() ? "none" : names.toString();
  }

  /** {@return what is given up, one part a line, as {@code name: value}; empty for nothing} */
  @Override
  public String toString() {
    StringBuilder lines = new StringBuilder();
    for (ResourceLimit limit : limits) {
      line(lines, "rlimit", limit);
    }
    line(lines, "oom_score_adj", oomScoreAdjust);
    line(lines, "nice", niceness);
    line(lines, "chroot", rootDirectory);
    line(lines, "capabilities", capabilities == null ? null : names(capabilities));
    line(lines, "identity", identity);
    line(lines, "no new privileges", noNewPrivileges ? "yes" : null);
    return lines.toString();
  }

  private static void line(StringBuilder lines, String name, @Nullable Object value) {
    if (value != null) {
      lines.append(lines.isEmpty() ? "" : "\n").append(name).append(": ").append(value);
    }
  }

  /** Builds a {@link PrivilegeDrop}, and checks all settings together. */
  public static final class Builder {
    private @Nullable Identity identity;
    private @Nullable Path rootDirectory;
    private final List<ResourceLimit> limits = new ArrayList<>();
    private @Nullable Integer niceness;
    private @Nullable Integer oomScoreAdjust;
    private boolean noNewPrivileges;
    private @Nullable Set<Capability> kept;

    private Builder() {}

    /**
     * Sets the user, the group and the supplementary groups; all of them are replaced.
     *
     * @param identity the new user and groups
     * @return this
     */
    public Builder identity(Identity identity) {
      Objects.requireNonNull(identity, "identity");
      this.identity = identity;
      return this;
    }

    /**
     * Sets the root directory, which becomes the working directory too. It takes {@code
     * CAP_SYS_CHROOT}.
     *
     * @param directory an absolute path
     * @return this
     */
    public Builder rootDirectory(Path directory) {
      Objects.requireNonNull(directory, "directory");
      rootDirectory = directory;
      return this;
    }

    /**
     * Adds a resource limit.
     *
     * @param limit the limit; it replaces an earlier one on the same resource. Above the present
     *     hard limit it takes {@code CAP_SYS_RESOURCE}
     * @return this
     */
    public Builder limit(ResourceLimit limit) {
      Objects.requireNonNull(limit, "limit");
      for (int i = limits.size() - 1; i >= 0; i--) {
        if (limits.get(i).resource() == limit.resource()) {
          limits.remove(i);
        }
      }
      limits.add(limit);
      return this;
    }

    /**
     * Sets the niceness.
     *
     * @param niceness from -20, the highest priority, to 19; to lower the niceness takes {@code
     *     CAP_SYS_NICE}, or a limit on {@code nice} that allows it
     * @return this
     */
    public Builder niceness(int niceness) {
      this.niceness = niceness;
      return this;
    }

    /**
     * Sets how likely the kernel kills the process when memory runs out.
     *
     * @param adjustment from -1000, never, to 1000, first; a lower value than the process has ever
     *     had takes {@code CAP_SYS_RESOURCE}
     * @return this
     * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html">
     *     proc_pid_oom_score_adj(5)</a>
     */
    public Builder oomScoreAdjust(int adjustment) {
      oomScoreAdjust = adjustment;
      return this;
    }

    /**
     * Makes the kernel ignore set-id bits and file capabilities of executed programs, permanently.
     *
     * @return this
     */
    public Builder noNewPrivileges() {
      noNewPrivileges = true;
      return this;
    }

    /**
     * Keeps these capabilities across the change of user, and in programs that are executed (as
     * ambient capabilities). All others are removed from the bounding set, so that no program can
     * give them back. This takes {@code CAP_SETPCAP}, and the capabilities themselves.
     *
     * @param capabilities the capabilities to keep; may be empty
     * @return this
     */
    public Builder keepCapabilities(Set<Capability> capabilities) {
      Objects.requireNonNull(capabilities, "capabilities");
      Set<Capability> copy = EnumSet.noneOf(Capability.class);
      for (Capability capability : capabilities) {
        copy.add(Objects.requireNonNull(capability, "capabilities"));
      }
      kept = copy;
      return this;
    }

    /**
     * Builds the drop.
     *
     * @return the drop
     * @throws IllegalArgumentException if settings are wrong; the message names all of them
     */
    public PrivilegeDrop build() {
      List<String> problems = new ArrayList<>();
      if (niceness != null && (niceness < MIN_NICENESS || niceness > MAX_NICENESS)) {
        problems.add("niceness is outside of -20 to 19: " + niceness);
      }
      if (oomScoreAdjust != null && Math.abs((long) oomScoreAdjust) > OomScore.MAX) {
        problems.add("oomScoreAdjust is outside of -1000 to 1000: " + oomScoreAdjust);
      }
      if (rootDirectory != null && !rootDirectory.isAbsolute()) {
        problems.add("rootDirectory is not absolute: " + rootDirectory);
      }
      if (!problems.isEmpty()) {
        throw new IllegalArgumentException(String.join("; ", problems));
      }
      return new PrivilegeDrop(this);
    }
  }
}
