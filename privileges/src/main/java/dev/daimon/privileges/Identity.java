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
 * The user, group and supplementary groups that a process or a thread should have.
 *
 * <p>All three are always set together, so that nothing of the former identity stays behind:
 *
 * <table>
 *   <caption>What becomes of a specification</caption>
 *   <tr><th>given</th><th>user</th><th>group</th><th>supplementary groups</th></tr>
 *   <tr><td>user</td><td>that user</td><td>the user's own</td><td>all of the user's</td></tr>
 *   <tr><td>user and group</td><td>that user</td><td>that group</td>
 *       <td>it, and those that list the user as a member</td></tr>
 *   <tr><td>group</td><td>unchanged</td><td>that group</td><td>none</td></tr>
 *   <tr><td>a number without an account</td><td>that number</td>
 *       <td>the same number, or the group given</td><td>none</td></tr>
 * </table>
 *
 * <p>"None" is the empty list, without the group itself: naming it there grants nothing more, but a
 * process that later gives its group up could not give up the entry.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/credentials.7.html">credentials(7)</a>
 */
public final class Identity {
  /** For the system calls: leave this id as it is. */
  private static final int UNCHANGED = -1;

  /** As many supplementary groups as the kernel takes. */
  private static final int MAX_GROUPS = 65_536;

  /** Of an account that names none, or of none. */
  private static final byte[] SHELL = "/bin/sh".getBytes(StandardCharsets.US_ASCII);

  private final int uid;
  private final boolean changesUser;
  private final int gid;
  private final int[] groups;

  /** Whether somebody has asked for these groups, so that no others will do. */
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
   * Resolves a user, a group, or both, through every source that the C library is configured for.
   *
   * <p>Each is a name, a number, or {@code #} and a number. Digits alone are first looked up as a
   * name. A number needs no account, and may be from 0 to 4294967294.
   *
   * @param user the user; null leaves it as it is
   * @param group the group; null means the user's own
   * @return what is to be assumed
   * @throws UnknownAccountException if there is no such user or group, or the number is out of
   *     range
   * @throws PosixException if a look-up failed, so that nobody knows
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
    int[] groups = Accounts.getgrouplist(account.name(), (int) gid);
    byte[] shell = account.shell().length == 0 ? SHELL.clone() : account.shell();
    byte[] home = account.home().length == 0 ? new byte[] {'/'} : account.home();
    return new Identity((int) uid, true, (int) gid, groups, false, account.name(), home, shell);
  }

  /**
   * Returns this identity with other supplementary groups.
   *
   * @param groups each a name, a number, or {@code #} and a number; none at all for an empty list
   * @return the user and group of this identity, with these groups alone
   * @throws UnknownAccountException if there is no such group, or the number is out of range
   * @throws PosixException if a look-up failed, so that nobody knows
   * @throws IllegalArgumentException if there are more than 65536
   */
  public Identity withGroups(List<String> groups) throws UnknownAccountException, PosixException {
    Objects.requireNonNull(groups, "groups");
    if (groups.size() > MAX_GROUPS) {
      throw new IllegalArgumentException("too many groups: " + groups.size());
    }
    Set<Integer> ids = new LinkedHashSet<>();
    for (String group : groups) {
      ids.add((int) AccountLookup.group(group));
    }
    int[] list = new int[ids.size()];
    int count = 0;
    for (int id : ids) {
      list[count++] = id;
    }
    return new Identity(uid, changesUser, gid, list, true, name, home, shell);
  }

  /**
   * Looks up a user's name, through every source that the C library is configured for.
   *
   * @param uid the user id, from 0 to 4294967294
   * @return the name; nothing if the user has none
   * @throws PosixException if the look-up fails
   * @see <a href="https://man7.org/linux/man-pages/man3/getpwuid.3.html">getpwuid_r(3)</a>
   */
  public static Optional<String> userName(long uid) throws PosixException {
    Accounts.User user = AccountLookup.user(uid);
    return user == null
        ? Optional.empty()
        : Optional.of(new String(user.name(), StandardCharsets.UTF_8));
  }

  /**
   * {@return the user id with which the calling thread accesses files, from 0 to 4294967294: the
   * effective one, but inside of {@link #accessFiles} that of the identity}
   */
  public static long effectiveUser() {
    return Integer.toUnsignedLong(Credentials.fsuid());
  }

  /** {@return the user id, from 0 to 4294967294; empty if the user stays as it is} */
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
   * account; empty if the user stays as it is}
   */
  public Optional<byte[]> name() {
    return name == null ? Optional.empty() : Optional.of(name.clone());
  }

  /**
   * {@return the home directory, for {@code HOME}; {@code "/"} if the user has no account or the
   * account no home; empty if the user stays as it is}
   */
  public Optional<byte[]> home() {
    return home == null ? Optional.empty() : Optional.of(home.clone());
  }

  /**
   * {@return the login shell, for {@code SHELL}; {@code "/bin/sh"} if the user has no account or
   * the account no shell; empty if the user stays as it is}
   */
  public Optional<byte[]> shell() {
    return shell == null ? Optional.empty() : Optional.of(shell.clone());
  }

  /**
   * Tells whether the calling thread's real, effective and saved ids are these already.
   *
   * <p>The supplementary groups do not count, unless they were named by {@link #withGroups}: who
   * starts a daemon as its user, such as systemd with {@code User=} or a container, has chosen them
   * too.
   *
   * @return whether this identity needs no change
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

  /** Whether the calling thread, which has this status, is this already or as far as it can be. */
  boolean isKept(ThreadStatus thread) {
    return isCurrent()
        && (Arrays.equals(thread.groups(), sortedGroups()) || !thread.maySetGroups());
  }

  /**
   * Runs an action on a thread that accesses files as this identity, while the other threads go on
   * as before.
   *
   * <p>What the action opens, creates, changes or removes is judged by the permissions of this
   * identity alone, and what it creates belongs to it. In all other respects the thread is as
   * before: its real, effective and saved user id stay, so that the identity's user can neither
   * signal nor trace nor limit it. An ordinary user's thread has no capabilities either.
   *
   * <p>Start no program in the action: it would be root's, if this thread is. {@link
   * PrivilegeDrop#start} is for that. Nor does {@code access(2)}, which {@link
   * java.nio.file.Files#isWritable} and the like of Java call, know of this identity: it goes by
   * the real user id.
   *
   * <p>The thread is a new one and ends with the action. Only if the calling thread accesses files
   * as this identity already, it runs the action itself.
   *
   * <ul>
   *   <li>All threads share one memory: who controls this thread controls the process.
   *   <li>From the change on the kernel counts the process as not dumpable.
   *   <li>A thread that the action starts keeps this identity for its whole life: do not start any.
   *   <li>A class that is first used in the action is read with this identity's permissions.
   * </ul>
   *
   * <p>An interrupt does not reach the action; the caller is interrupted when it has ended.
   *
   * @param action what to do
   * @param <T> the type of the result
   * @return the action's result
   * @throws PosixException if the process may not take on this identity ({@code EPERM}), or an id
   *     is none in this user namespace ({@code EINVAL}); the action did not run
   * @throws IOException what the action throws; its unchecked exceptions pass through as well
   * @see <a href="https://man7.org/linux/man-pages/man2/setfsuid.2.html">setfsuid(2)</a>
   */
  public <T extends @Nullable Object> T accessFiles(FileAction<T> action) throws IOException {
    Objects.requireNonNull(action, "action");
    return accessesFiles() ? action.run() : DisposableThread.call(new ForFiles(), action);
  }

  /** Whether the calling thread accesses files as this already, or as far as it can. */
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
        // Not all of them are about files in the kernel's eyes: a full disk has room for some.
        PosixException.check(Capabilities.capset(0, 0), "capset", "none");
      }
      return null;
    }
  }

  /** The ids alone; not the names, which are anybody's bytes. */
  @Override
  public String toString() {
    return (changesUser ? "uid " + Integer.toUnsignedString(uid) + ", gid " : "gid ")
        + gid()
        + ", groups ["
        + ThreadStatus.list(groups)
        + "]";
  }

  /** By the bare system calls, which change the calling thread alone, and no user id but one. */
  void changeFileAccess() throws PosixException, CredentialsException {
    setThreadGroups();
    checkFileId(Credentials.threadSetfsgid(gid), "setfsgid", gid(), Capability.SETGID);
    changeFileUser();
  }

  /** All groups, and the one user id that gives the user no right over the calling thread. */
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

  /** The call tells no reason: without the right to it that is one, and otherwise the id. */
  private static void checkFileId(int result, String call, long id, Capability right)
      throws PosixException, CredentialsException {
    if (result == -Errno.EPERM.number() && ThreadStatus.own().isAble(right)) {
      throw new PosixException(call, Long.toString(id), Errno.EINVAL);
    }
    PosixException.check(result, call, id);
  }

  /**
   * Through the C library, which changes every thread.
   *
   * @return the groups that the threads have then: those there were, if the identity was current
   *     and they may not be changed
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
   * What is wrong with a thread that was changed to this identity, to follow its name; null for
   * nothing.
   *
   * @param before what it was before; null if nobody knows
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

  /** What is wrong with a thread after {@link #changeGroupsAndFileUser}, as {@link #fault} says. */
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

  /** The user id that a thread is to get which has this status; empty if it has it. */
  OptionalLong changedUser(ThreadStatus thread) {
    return changesUser && !areAll(uid, thread.uids()) ? uid() : OptionalLong.empty();
  }

  /**
   * Tries to get old ids back, in this thread alone; that must fail unless this is root.
   *
   * @return what was not to be; null for nothing
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

  /** Whether this is another user than root. */
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
