package dev.daimon.privileges;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Accounts;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Credentials;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The user, group and supplementary groups that a process or a thread is to have. They are always
 * set together, so that the process keeps none of its old ones.
 *
 * <table>
 *   <caption>What a specification means</caption>
 *   <tr><th>given</th><th>user</th><th>group</th><th>supplementary groups</th></tr>
 *   <tr><td>user</td><td>that user</td><td>the user's own</td><td>all of the user's</td></tr>
 *   <tr><td>user and group</td><td>that user</td><td>that group</td>
 *       <td>it, and those that list the user as a member</td></tr>
 *   <tr><td>group</td><td>unchanged</td><td>that group</td><td>none</td></tr>
 *   <tr><td>a number without an account</td><td>that number</td>
 *       <td>the same number, or the group given</td><td>none</td></tr>
 * </table>
 *
 * <p>"None" is the empty list, which does not contain the group itself either. An entry for it
 * would grant nothing more, but a process that gives up its group later could not give up the
 * entry.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/credentials.7.html">credentials(7)</a>
 */
public final class Identity {
  /** The argument of system calls that leaves an id as it is. */
  private static final int UNCHANGED = -1;

  /** How many supplementary groups the kernel allows. */
  private static final int MAX_GROUPS = 65_536;

  /** The shell of a user whose account names none, or who has no account. */
  private static final byte[] SHELL = "/bin/sh".getBytes(StandardCharsets.US_ASCII);

  private final int uid;
  private final boolean changesUser;
  private final int gid;
  private final int[] groups;

  /** Whether the caller has named these groups, so that no others are accepted. */
  private final boolean namesGroups;

  private final byte @Nullable [] name;
  private final byte @Nullable [] home;
  private final byte @Nullable [] shell;

  private Identity(
      int uid,
      boolean changesUser,
      int gid,
      int[] groups,
      boolean namesGroups,
      byte @Nullable [] name,
      byte @Nullable [] home,
      byte @Nullable [] shell) {
    this.uid = uid;
    this.changesUser = changesUser;
    this.gid = gid;
    this.groups = groups;
    this.namesGroups = namesGroups;
    this.name = name;
    this.home = home;
    this.shell = shell;
  }

  /**
   * Looks up a user, a group, or both, in every source that the C library is configured for.
   *
   * <p>Each is a name, a number, or {@code #} and a number. A number without {@code #} is looked up
   * as a name first. Numbers are from 0 to 4294967294, and need no account.
   *
   * @param user the user; null for no change
   * @param group the group; null for the user's own
   * @return the identity
   * @throws UnknownAccountException if there is no such user or group, or the number is out of
   *     range
   * @throws PosixException if a look-up failed, so that it is unknown whether there is one
   * @throws IllegalArgumentException if both are null
   */
  public static Identity of(@Nullable String user, @Nullable String group)
      throws UnknownAccountException, PosixException {
    if (user == null) {
      if (group == null) {
        throw new IllegalArgumentException("neither a user nor a group");
      }
      int gid = (int) AccountLookup.group(group);
      return new Identity(UNCHANGED, false, gid, new int[0], false, null, null, null);
    }
    Accounts.User account = user.startsWith("#") ? null : AccountLookup.user(user);
    long uid;
    if (account != null) {
      uid = Integer.toUnsignedLong(account.uid());
    } else {
      uid = AccountLookup.number(user, "user");
      account = AccountLookup.user(uid);
    }
    long gid;
    if (group != null) {
      gid = AccountLookup.group(group);
    } else {
      gid = account == null ? uid : Integer.toUnsignedLong(account.gid());
    }
    if (account == null) {
      byte[] number = Long.toString(uid).getBytes(StandardCharsets.US_ASCII);
      return new Identity(
          (int) uid, true, (int) gid, new int[0], false, number, new byte[] {'/'}, SHELL.clone());
    }
    AccountLookup.requireDescriptors("getgrouplist", user);
    int[] groups = Accounts.getgrouplist(account.name(), (int) gid);
    byte[] shell = account.shell().length == 0 ? SHELL.clone() : account.shell();
    byte[] home = account.home().length == 0 ? new byte[] {'/'} : account.home();
    return new Identity((int) uid, true, (int) gid, groups, false, account.name(), home, shell);
  }

  /**
   * Returns this identity with other supplementary groups.
   *
   * @param groups the groups, each a name, a number, or {@code #} and a number; may be empty
   * @return the user and group of this identity, with these supplementary groups only
   * @throws UnknownAccountException if there is no such group, or the number is out of range
   * @throws PosixException if a look-up failed, so that it is unknown whether there is one
   * @throws IllegalArgumentException if there are more than 65536
   */
  public Identity withGroups(List<String> groups) throws UnknownAccountException, PosixException {
    Objects.requireNonNull(groups, "groups");
    if (groups.size() > MAX_GROUPS) {
      throw new IllegalArgumentException("too many groups: " + groups.size());
    }
    Set<Integer> ids = new LinkedHashSet<>();
    for (String group : groups) {
      ids.add((int) AccountLookup.group(Objects.requireNonNull(group, "groups")));
    }
    int[] list = new int[ids.size()];
    int count = 0;
    for (int id : ids) {
      list[count++] = id;
    }
    return new Identity(uid, changesUser, gid, list, true, name, home, shell);
  }

  /**
   * Looks up a user's name, in every source that the C library is configured for.
   *
   * @param uid the user id, from 0 to 4294967294
   * @return the name; empty if the user has no account
   * @throws PosixException if the look-up fails
   * @throws IllegalArgumentException if the id is out of range
   * @see <a href="https://man7.org/linux/man-pages/man3/getpwuid.3.html">getpwuid_r(3)</a>
   */
  public static Optional<String> userName(long uid) throws PosixException {
    Accounts.User user = AccountLookup.user(uid);
    return user == null
        ? Optional.empty()
        : Optional.of(new String(user.name(), StandardCharsets.UTF_8));
  }

  /**
   * {@return the user id with which the calling thread accesses files, from 0 to 4294967294. It is
   * the effective user id, and inside of {@link #accessFiles} the identity's}
   */
  public static long effectiveUser() {
    // By a system call, and not from /proc: it is the calling thread's own.
    return Integer.toUnsignedLong(Credentials.fsuid());
  }

  /** {@return the user id, from 0 to 4294967294; empty if the user does not change} */
  public OptionalLong uid() {
    return changesUser ? OptionalLong.of(Integer.toUnsignedLong(uid)) : OptionalLong.empty();
  }

  /** {@return the group id, from 0 to 4294967294} */
  public long gid() {
    return Integer.toUnsignedLong(gid);
  }

  /** {@return the supplementary groups, in the order in which {@code id -G} prints them} */
  public long[] groups() {
    long[] list = new long[groups.length];
    for (int i = 0; i < list.length; i++) {
      list[i] = Integer.toUnsignedLong(groups[i]);
    }
    return list;
  }

  /**
   * {@return the login name, for {@code USER} and {@code LOGNAME}; the number, if the user has no
   * account; empty if the user does not change}
   */
  public Optional<byte[]> name() {
    return name == null ? Optional.empty() : Optional.of(name.clone());
  }

  /**
   * {@return the home directory, for {@code HOME}; {@code "/"} if the user has no account or the
   * account names none; empty if the user does not change}
   */
  public Optional<byte[]> home() {
    return home == null ? Optional.empty() : Optional.of(home.clone());
  }

  /**
   * {@return the login shell, for {@code SHELL}; {@code "/bin/sh"} if the user has no account or
   * the account names none; empty if the user does not change}
   */
  public Optional<byte[]> shell() {
    return shell == null ? Optional.empty() : Optional.of(shell.clone());
  }

  /**
   * Tells whether the calling thread has the real, effective and saved ids of this identity
   * already.
   *
   * <p>Supplementary groups are compared only if {@link #withGroups} has named them. Otherwise
   * other groups are accepted: if systemd ({@code User=}) or a container starts a daemon as its
   * user, it has chosen the groups too.
   *
   * @return whether nothing has to change for this identity
   */
  public boolean isCurrent() {
    int[] ids = new int[3];
    Credentials.getresgid(ids);
    if (!areAll(gid, ids)) {
      return false;
    }
    Credentials.getresuid(ids);
    return (!changesUser || areAll(uid, ids)) && (!namesGroups || hasNamedGroups());
  }

  private boolean hasNamedGroups() {
    int[] list = new int[MAX_GROUPS];
    int count = Credentials.getgroups(list);
    int[] sorted = Arrays.copyOf(list, Math.max(0, count));
    Arrays.sort(sorted);
    return count >= 0 && Arrays.equals(sorted, sortedGroups());
  }

  /** Whether the calling thread, which has this status, needs no change or may not change more. */
  boolean isKept(ThreadStatus thread) {
    return isCurrent()
        && (Arrays.equals(thread.groups(), sortedGroups()) || !thread.maySetGroups());
  }

  /**
   * Runs an action on a thread that accesses files as this identity. Other threads do not change.
   *
   * <p>The kernel checks this identity's permissions when the action opens, creates, changes or
   * removes files, and files that the action creates belong to this identity. Nothing else changes:
   * the thread keeps its real, effective and saved user id, so the identity's user cannot signal,
   * trace or limit it. If the user is not root, the thread has no capabilities.
   *
   * <p>The action runs on a new thread, which ends with it. If the calling thread accesses files as
   * this identity already, it runs the action itself.
   *
   * <ul>
   *   <li>Do not start a program in the action: it would have the user ids of this process. Use
   *       {@link PrivilegeDrop#start}.
   *   <li>Do not start a thread in the action: it would keep this identity for its whole life.
   *   <li>Do not use {@link java.nio.file.Files#isWritable} and the like in the action: they call
   *       {@code access(2)}, which checks the real user id. Use {@link FileAccess}.
   *   <li>A class that is first used in the action is read with this identity's permissions.
   *   <li>All threads share one memory: this is no protection against code that an attacker
   *       controls.
   *   <li>From the change on, the kernel treats the process as not dumpable.
   * </ul>
   *
   * <p>An interrupt does not reach the action; the calling thread is interrupted when it has ended.
   *
   * @param action the action
   * @param <T> the type of the result
   * @return the action's result
   * @throws PosixException if the process may not use this identity ({@code EPERM}), or an id does
   *     not exist in this user namespace ({@code EINVAL}); the action did not run
   * @throws IOException what the action throws; its unchecked exceptions are thrown too
   * @see <a href="https://man7.org/linux/man-pages/man2/setfsuid.2.html">setfsuid(2)</a>
   */
  public <T extends @Nullable Object> T accessFiles(FileAction<T> action) throws IOException {
    Objects.requireNonNull(action, "action");
    return accessesFiles() ? action.run() : DisposableThread.call(new ForFiles(), action);
  }

  /** Whether the calling thread accesses files as this identity, or may not change more. */
  private boolean accessesFiles() throws PosixException, CredentialsException {
    if ((changesUser && Credentials.fsuid() != uid) || Credentials.fsgid() != gid) {
      return false;
    }
    ThreadStatus own = ThreadStatus.own();
    return Arrays.equals(own.groups(), sortedGroups()) || (!namesGroups && !own.maySetGroups());
  }

  /** The change of one thread. */
  private final class ForFiles implements DisposableThread.Change {
    @Override
    public @Nullable String make() throws PosixException, CredentialsException {
      changeFileAccess();
      if (isOrdinaryUser()) {
        // setfsuid drops only those about files; CAP_SYS_RESOURCE gives a full disk's last blocks.
        PosixException.check(Capabilities.capset(0, 0), "capset", "none");
      }
      return null;
    }
  }

  /** {@return the ids; not the names, which may contain any bytes} */
  @Override
  public String toString() {
    return (changesUser ? "uid " + Integer.toUnsignedString(uid) + ", gid " : "gid ")
        + gid()
        + ", groups ["
        + ThreadStatus.list(groups)
        + "]";
  }

  /** Changes the calling thread alone: its groups, and the ids with which it accesses files. */
  void changeFileAccess() throws PosixException, CredentialsException {
    setThreadGroups();
    checkFileId(Credentials.threadSetfsgid(gid), "setfsgid", gid(), Capability.SETGID);
    changeFileUser();
  }

  /** Changes all groups, and the one user id that gives the user no power over this thread. */
  void changeGroupsAndFileUser() throws PosixException, CredentialsException {
    setThreadGroups();
    PosixException.check(Credentials.threadSetresgid(gid, gid, gid), "setresgid", gid());
    changeFileUser();
  }

  private void setThreadGroups() throws PosixException {
    PosixException.check(
        Credentials.threadSetgroups(groups), "setgroups", ThreadStatus.list(groups));
  }

  private void changeFileUser() throws PosixException, CredentialsException {
    if (changesUser) {
      long user = Integer.toUnsignedLong(uid);
      checkFileId(Credentials.threadSetfsuid(uid), "setfsuid", user, Capability.SETUID);
    }
  }

  /** Finds the reason, which the call does not tell: no privilege, or an id that does not exist. */
  private static void checkFileId(int result, String call, long id, Capability right)
      throws PosixException, CredentialsException {
    if (result == -Errno.EPERM.number() && ThreadStatus.own().isAble(right)) {
      throw new PosixException(call, Long.toString(id), Errno.EINVAL);
    }
    PosixException.check(result, call, id);
  }

  /**
   * Changes every thread, through the C library.
   *
   * @return the groups that the threads have afterwards; the old ones, if the identity was current
   *     and the process may not change them
   */
  int[] changeProcess(ThreadStatus before) throws PosixException {
    int result = Credentials.setgroups(groups);
    if (result == -Errno.EPERM.number() && isCurrent()) {
      return before.groups();
    }
    PosixException.check(result, "setgroups", ThreadStatus.list(groups));
    PosixException.check(Credentials.setresgid(gid, gid, gid), "setresgid", gid());
    if (changesUser) {
      PosixException.check(
          Credentials.setresuid(uid, uid, uid), "setresuid", Integer.toUnsignedString(uid));
    }
    return sortedGroups();
  }

  /**
   * Returns what is wrong with a thread that was changed to this identity, as text that follows its
   * name; null if nothing is.
   *
   * @param before the thread's status before the change; null if it is unknown
   */
  @Nullable String fault(ThreadStatus thread, @Nullable ThreadStatus before, int[] expectedGroups) {
    if (changesUser
        ? !areAll(uid, thread.uids())
        : before != null && !Arrays.equals(thread.uids(), before.uids())) {
      return "has user ids " + ThreadStatus.list(thread.uids());
    }
    if (!areAll(gid, thread.gids())) {
      return "has group ids " + ThreadStatus.list(thread.gids());
    }
    if (!Arrays.equals(thread.groups(), expectedGroups)) {
      return "has supplementary groups " + ThreadStatus.list(thread.groups());
    }
    if (before != null && before.hasRootId() && !thread.hasRootId() && thread.hasCapabilities()) {
      return "has kept root's capabilities (securebits prevent their loss)";
    }
    return null;
  }

  /** As {@link #fault}, for a thread after {@link #changeGroupsAndFileUser}. */
  @Nullable String fileFault(ThreadStatus thread) {
    if (changesUser && thread.uids()[3] != uid) {
      return "accesses files as user id " + Integer.toUnsignedString(thread.uids()[3]);
    }
    if (!areAll(gid, thread.gids())) {
      return "has group ids " + ThreadStatus.list(thread.gids());
    }
    return Arrays.equals(thread.groups(), sortedGroups())
        ? null
        : "has supplementary groups " + ThreadStatus.list(thread.groups());
  }

  /** Returns the user id that a thread with this status has to get; empty if it has it already. */
  OptionalLong changedUser(ThreadStatus thread) {
    return changesUser && !areAll(uid, thread.uids()) ? uid() : OptionalLong.empty();
  }

  /**
   * Tries to get old ids back, in this thread alone. That must fail unless the identity is root.
   *
   * @return which id the process could get back; null for none
   */
  @Nullable String wayBack(int[] oldUids, int[] oldGids) {
    if (!changesUser || uid == 0) {
      return null;
    }
    for (int old : oldUids) {
      if (old != uid && Credentials.threadSetresuid(UNCHANGED, old, UNCHANGED) >= 0) {
        Credentials.threadSetresuid(UNCHANGED, uid, UNCHANGED);
        return "the process can get user id " + Integer.toUnsignedString(old) + " back";
      }
    }
    for (int old : oldGids) {
      if (old != gid && Credentials.threadSetresgid(UNCHANGED, old, UNCHANGED) >= 0) {
        Credentials.threadSetresgid(UNCHANGED, gid, UNCHANGED);
        return "the process can get group id " + Integer.toUnsignedString(old) + " back";
      }
    }
    return null;
  }

  /** Whether the identity changes the user to another one than root. */
  boolean isOrdinaryUser() {
    return changesUser && uid != 0;
  }

  /** The supplementary groups as {@link ThreadStatus#groups()} has them. */
  int[] sortedGroups() {
    int[] sorted = groups.clone();
    Arrays.sort(sorted);
    return sorted;
  }

  private static boolean areAll(int id, int[] ids) {
    for (int each : ids) {
      if (each != id) {
        return false;
      }
    }
    return true;
  }
}
