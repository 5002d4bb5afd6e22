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
 * What a process or a thread gives up, in the one order in which nothing can stand in the way of
 * the rest, and proved afterwards. Every part is optional. Immutable; made by a {@link #builder()}.
 *
 * <p>{@link #start} is for a program that is spawned or executed: one fresh thread gives up what is
 * a thread's own, the new process the rest, and the program begins like that. {@link
 * #applyToProcess} is for this process, with all of its threads and for good. Half of these are a
 * thread's own attributes in Linux, and half are the process's, so each of the two refuses what it
 * cannot do:
 *
 * <table>
 *   <caption>What is done where, in this order</caption>
 *   <tr><th>part</th><th>{@code start}</th><th>{@code assume}</th></tr>
 *   <tr><td>resource limits</td><td>refused: they are the process's; give them to the program
 *       ({@code Program.limit} of {@code daimon-forking})</td><td>yes</td></tr>
 *   <tr><td>score for the out-of-memory killer</td><td>the process has it meanwhile</td>
 *       <td>yes</td></tr>
 *   <tr><td>niceness</td><td>yes</td><td>on every thread, again until none is left</td></tr>
 *   <tr><td>root directory</td><td>yes: the thread gets one of its own</td><td>refused: a JVM goes
 *       on reading its own files by their paths</td></tr>
 *   <tr><td>groups</td><td>by the bare system calls</td><td>through the C library, which changes
 *       every thread</td></tr>
 *   <tr><td>capabilities</td><td>in the program's process; no longer in the bounding set before
 *       </td><td>refused: no thread can change another's</td></tr>
 *   <tr><td>user</td><td>in the program's process</td><td>through the C library</td></tr>
 *   <tr><td>session keyring</td><td>a new one, for another user than root</td><td>stays: no thread
 *       can change another's</td></tr>
 *   <tr><td>no new privileges</td><td>yes</td><td>by a system call filter that allows everything
 *       and stays for good: nothing else takes this attribute to other threads</td></tr>
 * </table>
 *
 * <p>After a failure what comes before it in this order has happened, and what comes after it has
 * not: less than asked for was given up, and nothing was gained. A thread of {@code start} has
 * ended then; after {@code assume} the process should end.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/credentials.7.html">credentials(7)</a>
 * @see <a href="https://man7.org/linux/man-pages/man7/capabilities.7.html">capabilities(7)</a>
 */
public final class PrivilegeDrop {
  private static final int MIN_NICENESS = -20;
  private static final int MAX_NICENESS = 19;

  /** To become the user, and to kill what has become it. */
  private static final long NEEDED =
      1L << Capability.SETUID.number() | 1L << Capability.KILL.number();

  private final @Nullable Identity identity;
  private final @Nullable Path rootDirectory;
  private final List<ResourceLimit> limits;
  private final @Nullable Integer niceness;
  private final @Nullable Integer oomScoreAdjust;
  private final boolean noNewPrivileges;

  /** A bit for each; null if they are left to the kernel. */
  private final @Nullable Long capabilities;

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
   * A drop of nothing.
   *
   * @return where to say what else
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * The change to an identity, and nothing else.
   *
   * @param identity who to become
   * @return the drop
   */
  public static PrivilegeDrop to(Identity identity) {
    Objects.requireNonNull(identity, "identity");
    return builder().identity(identity).build();
  }

  /**
   * Starts a program that has given everything up, while this process keeps what it has.
   *
   * <p>A fresh thread gives up what is a thread's own, and runs the action, which is to start a
   * program, or to execute one, with the change that it gets. What is left to that change happens
   * in the program's own process: from the moment on that a process has the user's ids, the user
   * may stop it, kill it and limit its resources, and a thread of this process with these ids would
   * give the user all that over this process.
   *
   * <pre>{@code
   * drop.start(change -> program.become(change).spawn())
   * }</pre>
   *
   * <p>A program that becomes an ordinary user has the capabilities that are {@linkplain
   * Builder#keepCapabilities kept} and no others, be they inheritable or ambient, and a new and
   * empty session keyring, where the kernel has any. If this process has the identity's user and
   * groups already, the program inherits the session keyring, and without {@code keepCapabilities}
   * the capabilities, too. Its bounding set is the caller's unless capabilities are kept:
   * set-user-id programs work.
   *
   * <p>What the action opens is judged by the identity's permissions. In another root directory the
   * action finds nothing by a path that is not there: the null device, {@code /proc}, and classes
   * of a directory or an archive that no class was read from before. So let it start a program that
   * is prepared, and do nothing else.
   *
   * <p>Of two actions with a score for the out-of-memory killer one waits for the other, so one
   * must not wait within the other. A program that asked for a signal at its parent's death ({@code
   * PR_SET_PDEATHSIG}) gets it when the thread ends, which is when the action does.
   *
   * @param action what to do; a program that it starts without the change may be root's
   * @param <T> the type of the result
   * @return the action's result
   * @throws IllegalStateException if there are resource limits
   * @throws PosixException if the thread may not do that ({@code EPERM}, {@code EACCES}), there is
   *     no such root directory, or a capability is to be kept that it has not; the action did not
   *     run
   * @throws CredentialsException if the thread has not given up everything; the action did not run
   * @throws IOException what the action throws; its unchecked exceptions pass through as well
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
   * What starts a program.
   *
   * @param <T> the type of the result
   */
  @FunctionalInterface
  public interface Start<T extends @Nullable Object> {
    /**
     * Starts it.
     *
     * @param change what the program's own process still has to do: {@code Program.become} of
     *     {@code daimon-forking}
     * @return the result
     * @throws IOException if it fails
     */
    T run(UserChange change) throws IOException;
  }

  /**
   * Runs an action on a thread that accesses files as a program that is {@linkplain #start started}
   * will: as its user, with the capabilities it keeps, in its root directory. What is said of
   * {@link Identity#accessFiles} holds here, too; in another root directory what is said of {@link
   * #start}.
   *
   * @param action what to do
   * @param <T> the type of the result
   * @return the action's result
   * @throws PosixException if the thread may not do that ({@code EPERM}), there is no such root
   *     directory, or a capability is to be kept that it has not; the action did not run
   * @throws IOException what the action throws; its unchecked exceptions pass through as well
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

  /** A thread that changes, and what it does then. */
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
        // Both load classes, which may be out of reach in another root directory.
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
   * Starts a program, another JVM for instance, that will {@link #applyToProcess} this by itself.
   * What no thread can take from the others by then is not given to it, if it is to become an
   * ordinary user that this process is not: it has no inheritable capabilities, and a new and empty
   * session keyring, where the kernel has any. Everything else is as it is here.
   *
   * @param action what to do, on a thread of its own
   * @param <T> the type of the result
   * @return the action's result
   * @throws PosixException if the thread may not do that; the action did not run
   * @throws IOException what the action throws; its unchecked exceptions pass through as well
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

  /** Changes the calling thread as far as that gives the user no right, and returns the rest. */
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
      // What the program's own process needs, and whoever has to end that.
      long needed = capabilities == null ? NEEDED : NEEDED | capabilities;
      PosixException.check(
          Capabilities.capset(before.permitted() & needed, 0), "capset", names(needed));
    }
    return new UserChange(other.changedUser(before), kept(other.isOrdinaryUser()));
  }

  /** The capabilities of the program; empty if they are left to the kernel. */
  private OptionalLong kept(boolean ordinary) {
    if (capabilities != null) {
      return OptionalLong.of(capabilities);
    }
    return ordinary ? OptionalLong.of(0) : OptionalLong.empty();
  }

  /**
   * Made by root: the user cannot prevent it by having too many keys. Where there are no keyrings,
   * or a container has forbidden them, there is none to be left behind either; and that root has
   * too many keys keeps no daemon from being started.
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
    PosixException.check(Processes.chroot(path), "chroot", name);
    PosixException.check(Processes.chdir(new byte[] {'/'}), "chdir", name);
  }

  /**
   * Takes all but these out of what an executed program could ever get, up to the kernel's last.
   */
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

  /** What is wrong with a thread that no program of its can exceed; to follow its name. */
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
   * Gives everything up in every thread of the process, for good, and proves it as {@link #verify}
   * does.
   *
   * <p>If the identity {@linkplain Identity#isCurrent() is current} and the groups may not be
   * changed, they are left as they are: who started this process as that user has chosen them.
   *
   * @throws UnsupportedOperationException if there is a root directory, or capabilities are kept
   * @throws PosixException if the process may not do that ({@code EPERM}, {@code EACCES}), or there
   *     are too many groups ({@code EINVAL})
   * @throws CredentialsException if a thread has credentials of its own before, such as one in
   *     {@link #start}, for which the C library would abort the process; if a thread has a system
   *     call filter of its own, so that it cannot be kept from new privileges; or if anything is
   *     left in a thread afterwards
   * @see <a href="https://man7.org/linux/man-pages/man2/setresuid.2.html">setresuid(2)</a>
   * @see <a href="https://man7.org/linux/man-pages/man2/seccomp.2.html">seccomp(2)</a>
   */
  public void applyToProcess() throws PosixException, CredentialsException {
    requireProcess();
    synchronized (DisposableThread.CHANGING) {
      ThreadStatus before = ThreadStatus.own();
      AllThreads.require(new AllThreads.Alike(before));
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
      if (noNewPrivileges) {
        shutEveryThread();
      }
      verify(before, groups, before.uids(), before.gids());
    }
  }

  private static void shutEveryThread() throws PosixException, CredentialsException {
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
   * Makes sure that every thread of this process has given up everything: reads ids, groups,
   * capabilities and {@code NoNewPrivs} of each from {@code /proc}, its niceness, and the process's
   * limits and score; and tries to become root again. {@link #applyToProcess} ends with this.
   *
   * <p>An ordinary user may have such capabilities alone as are in the ambient set, which only who
   * started the process as that user can have put there.
   *
   * @throws UnsupportedOperationException as {@link #applyToProcess}
   * @throws PosixException if {@code /proc} cannot be read
   * @throws CredentialsException if anything is left: which thread has kept what
   */
  public void verify() throws PosixException, CredentialsException {
    requireProcess();
    synchronized (DisposableThread.CHANGING) {
      int[] groups = identity == null ? new int[0] : identity.sortedGroups();
      verify(null, groups, new int[1], new int[1]);
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

  /** This drop, as a requirement on a thread. */
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

  /** What is given up, one thing a line, as {@code name: value}; nothing for nothing. */
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

  /** Makes a {@link PrivilegeDrop}, and checks all of it at once. */
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
     * Sets the user, the group and the supplementary groups, all of which are replaced.
     *
     * @param identity who to become
     * @return this
     */
    public Builder identity(Identity identity) {
      Objects.requireNonNull(identity, "identity");
      this.identity = identity;
      return this;
    }

    /**
     * Sets the root directory, in which {@code /} is the working directory then. It takes {@code
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
     * @param limit the limit; above the present hard limit it takes {@code CAP_SYS_RESOURCE}; of
     *     two on one resource the last one holds
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
     * @param niceness from -20, the most favourable, to 19; less than before takes {@code
     *     CAP_SYS_NICE} or a limit on {@code nice} that allows it
     * @return this
     */
    public Builder niceness(int niceness) {
      this.niceness = niceness;
      return this;
    }

    /**
     * Sets how likely the kernel is to kill this process when memory runs out.
     *
     * @param adjustment from -1000, never, to 1000, first; less than it ever was takes {@code
     *     CAP_SYS_RESOURCE}
     * @return this
     * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_oom_score_adj.5.html">
     *     proc_pid_oom_score_adj(5)</a>
     */
    public Builder oomScoreAdjust(int adjustment) {
      oomScoreAdjust = adjustment;
      return this;
    }

    /**
     * Makes set-id bits and file capabilities of executed programs mean nothing, for good.
     *
     * @return this
     */
    public Builder noNewPrivileges() {
      noNewPrivileges = true;
      return this;
    }

    /**
     * Keeps these capabilities across the change of user, here and in programs that are executed
     * (as ambient ones), and takes all others out of the bounding set, so that no program can give
     * them back. It takes {@code CAP_SETPCAP}, and the capabilities themselves.
     *
     * @param capabilities those to keep; may be none
     * @return this
     */
    public Builder keepCapabilities(Set<Capability> capabilities) {
      Objects.requireNonNull(capabilities, "capabilities");
      kept = EnumSet.noneOf(Capability.class);
      kept.addAll(capabilities);
      return this;
    }

    /**
     * Makes it.
     *
     * @return the drop
     * @throws IllegalArgumentException with everything that is wrong
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
