package dev.daimon.privileges;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Accounts;
import dev.daimon.posix.call.Credentials;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
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

  /** How long a thread that is just ending may still show other credentials. */
  private static final long ENDING_NANOS = 1_000_000_000;

  private static final long PAUSE_NANOS = 100_000;

  /** Held while credentials change: the C library aborts if its threads do not fare alike. */
  private static final Object CHANGING = new Object();

  private final int uid;
  private final boolean changesUser;
  private final int gid;
  private final int[] groups;
  private final byte @Nullable [] name;
  private final byte @Nullable [] home;

  private Identity(
      int uid,
      boolean changesUser,
      int gid,
      int[] groups,
      byte @Nullable [] name,
      byte @Nullable [] home) {
    this.uid = uid;
    this.changesUser = changesUser;
    this.gid = gid;
    this.groups = groups;
    this.name = name;
    this.home = home;
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
      return new Identity(UNCHANGED, false, gid, new int[0], null, null);
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
      return new Identity((int) uid, true, (int) gid, new int[0], number, new byte[] {'/'});
    }
    int[] groups = Accounts.getgrouplist(account.name(), (int) gid);
    byte[] home = account.home().length == 0 ? new byte[] {'/'} : account.home();
    return new Identity((int) uid, true, (int) gid, groups, account.name(), home);
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
   * Tells whether the calling thread's real, effective and saved ids are these already.
   *
   * <p>The supplementary groups do not count: who starts a daemon as its user, such as systemd with
   * {@code User=} or a container, has chosen them too.
   *
   * @return whether user and group need no change
   */
  public boolean isCurrent() {
    int[] ids = new int[3];
    Credentials.getresgid(ids);
    if (!areAll(gid, ids)) {
      return false;
    }
    Credentials.getresuid(ids);
    return !changesUser || areAll(uid, ids);
  }

  /**
   * Gives this identity to every thread of the process, for good, and proves it.
   *
   * <p>Groups change first, then the group, then the user. Then every thread is read back from
   * {@code /proc}, and the old ids must be out of reach if the user changed to one that is not
   * root. If the identity {@linkplain #isCurrent() is current} and the groups may not be changed,
   * nothing is left to do.
   *
   * <p>After an exception some of it may have happened: the process should end.
   *
   * @throws PosixException if the process may not do that ({@code EPERM}), or there are too many
   *     groups ({@code EINVAL})
   * @throws CredentialsException if a thread has credentials of its own before, such as one in
   *     {@link #call}, for which the C library would abort the process; or if anything of the old
   *     identity is left in a thread afterwards
   * @see <a href="https://man7.org/linux/man-pages/man2/setresuid.2.html">setresuid(2)</a>
   */
  public void assume() throws PosixException, CredentialsException {
    synchronized (CHANGING) {
      ThreadStatus before = ThreadStatus.own();
      requireEveryThread(new Alike(before));
      int result = Credentials.setgroups(groups);
      if (result == -Errno.EPERM.number() && isCurrent()) {
        requireEveryThread(new Switched(before, before.groups()));
        return;
      }
      PosixException.check(result, "setgroups", ThreadStatus.list(groups));
      PosixException.check(Credentials.setresgid(gid, gid, gid), "setresgid", gid());
      if (changesUser) {
        PosixException.check(
            Credentials.setresuid(uid, uid, uid), "setresuid", Integer.toUnsignedString(uid));
      }
      requireEveryThread(new Switched(before, sorted(groups)));
      requireNoWayBack(before);
    }
  }

  /**
   * Runs an action on a thread that has this identity, while the other threads keep theirs.
   *
   * <p>What the action opens, creates or executes is judged by the permissions of this identity,
   * and a program that it spawns by a system call of its own thread starts with these credentials.
   * The thread is a new one and ends with the action. Only if the identity is current and the
   * groups are right or may not be changed, the action runs on the calling thread.
   *
   * <p>This is no protection from the action's own code:
   *
   * <ul>
   *   <li>All threads share one memory: who controls this thread controls the process.
   *   <li>The target user may signal the thread until it is gone, shortly after the action, {@code
   *       SIGKILL} included, which ends the process.
   *   <li>From the change on the kernel counts the process as not dumpable: the target user cannot
   *       trace it or read its memory, unless {@code fs.suid_dumpable} is 1.
   *   <li>A thread that the action starts keeps this identity for its whole life, such as the one
   *       with which a {@link ProcessBuilder} waits: do not start any.
   *   <li>A class that is first used in the action is read with this identity's permissions.
   *   <li>A program that asked for a signal at its parent's death ({@code PR_SET_PDEATHSIG}) gets
   *       it when this thread ends.
   * </ul>
   *
   * <p>An interrupt does not reach the action; the caller is interrupted when it has ended.
   *
   * @param action what to do
   * @param <T> the type of the result
   * @return the action's result
   * @throws PosixException if the process may not take on this identity ({@code EPERM}); the action
   *     did not run
   * @throws CredentialsException if the thread has not exactly this identity, or has kept root's
   *     capabilities without root's ids; the action did not run
   * @throws IOException what the action throws; its unchecked exceptions pass through as well
   */
  public <T extends @Nullable Object> T call(Action<T> action) throws IOException {
    ThreadStatus caller = ThreadStatus.own();
    if (isCurrent() && (Arrays.equals(caller.groups(), sorted(groups)) || !caller.maySetGroups())) {
      return action.run();
    }
    Acting<T> acting = new Acting<>(this, action);
    Thread thread = new Thread(acting, "daimon-identity");
    thread.setDaemon(true);
    thread.start();
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return acting.result();
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

  /** An action, and the thread's change to the identity before it. */
  private static final class Acting<T extends @Nullable Object> implements Runnable {
    private final Identity identity;
    private final Action<T> action;
    private @Nullable T result;
    private @Nullable Throwable failure;

    Acting(Identity identity, Action<T> action) {
      this.identity = identity;
      this.action = action;
    }

    @Override
    public void run() {
      try {
        identity.assumeInThread();
        result = action.run();
      } catch (Throwable thrown) {
        // The caller's thread throws it again, whatever it is.
        failure = thrown;
      }
    }

    // "NullAway": without a failure the result is what the action returned, null only if T may be.
    @SuppressWarnings("NullAway")
    T result() throws IOException {
      if (failure instanceof IOException exception) {
        throw exception;
      }
      if (failure instanceof RuntimeException exception) {
        throw exception;
      }
      if (failure instanceof Error error) {
        throw error;
      }
      return result;
    }
  }

  private void assumeInThread() throws PosixException, CredentialsException {
    synchronized (CHANGING) {
      // Read first: it loads the classes that judge the thread afterwards.
      ThreadStatus before = ThreadStatus.own();
      PosixException.check(
          Credentials.threadSetgroups(groups), "setgroups", ThreadStatus.list(groups));
      PosixException.check(Credentials.threadSetresgid(gid, gid, gid), "setresgid", gid());
      if (changesUser) {
        PosixException.check(
            Credentials.threadSetresuid(uid, uid, uid), "setresuid", Integer.toUnsignedString(uid));
      }
      ThreadStatus after = ThreadStatus.own();
      String fault = new Switched(before, sorted(groups)).fault(after);
      if (fault != null) {
        throw new CredentialsException(after.name().concat(" ").concat(fault));
      }
    }
  }

  /** What every thread must fulfil. */
  private interface Requirement {
    /** What is wrong with a thread, to follow its name; null for nothing. */
    @Nullable String fault(ThreadStatus thread);
  }

  /** The credentials of the thread that asks, as a requirement on all. */
  private static final class Alike implements Requirement {
    private final ThreadStatus own;

    Alike(ThreadStatus own) {
      this.own = own;
    }

    @Override
    public @Nullable String fault(ThreadStatus thread) {
      String difference = thread.difference(own);
      return difference == null ? null : "has credentials of its own: " + difference;
    }
  }

  /** This identity, as a requirement on a thread that was switched to it. */
  private final class Switched implements Requirement {
    private final ThreadStatus before;
    private final int[] expectedGroups;

    Switched(ThreadStatus before, int[] expectedGroups) {
      this.before = before;
      this.expectedGroups = expectedGroups;
    }

    @Override
    public @Nullable String fault(ThreadStatus thread) {
      if (changesUser
          ? !areAll(uid, thread.uids())
          : !Arrays.equals(thread.uids(), before.uids())) {
        return "has user ids " + ThreadStatus.list(thread.uids());
      }
      if (!areAll(gid, thread.gids())) {
        return "has group ids " + ThreadStatus.list(thread.gids());
      }
      if (!Arrays.equals(thread.groups(), expectedGroups)) {
        return "has supplementary groups " + ThreadStatus.list(thread.groups());
      }
      if (before.hasRootId() && !thread.hasRootId() && thread.hasCapabilities()) {
        return "has kept root's capabilities (securebits prevent their loss)";
      }
      return null;
    }
  }

  /**
   * Looks at every thread of the process. One that is on its way out is no longer changed by the C
   * library, and may show its old credentials until it is gone.
   */
  private static void requireEveryThread(Requirement requirement)
      throws PosixException, CredentialsException {
    long deadline = System.nanoTime() + ENDING_NANOS;
    while (true) {
      String fault = firstFault(requirement);
      if (fault == null) {
        return;
      }
      if (System.nanoTime() - deadline > 0) {
        throw new CredentialsException(fault);
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  /** What is wrong with one of the threads; null for nothing. */
  private static @Nullable String firstFault(Requirement requirement)
      throws PosixException, CredentialsException {
    String @Nullable [] threads = new File("/proc/self/task").list();
    if (threads == null) {
      throw new CredentialsException("the threads cannot be read from /proc/self/task");
    }
    for (String thread : threads) {
      ThreadStatus status = ThreadStatus.of(thread);
      if (status != null && !status.hasEnded()) {
        String fault = requirement.fault(status);
        if (fault != null) {
          return status.name().concat(" ").concat(fault);
        }
      }
    }
    return null;
  }

  /** Tries to get the old ids back, in this thread alone; that must fail unless this is root. */
  private void requireNoWayBack(ThreadStatus before) throws CredentialsException {
    if (!changesUser || uid == 0) {
      return;
    }
    for (int old : before.uids()) {
      if (old != uid && Credentials.threadSetresuid(UNCHANGED, old, UNCHANGED) >= 0) {
        Credentials.threadSetresuid(UNCHANGED, uid, UNCHANGED);
        throw new CredentialsException(
            "the process can get user id " + Integer.toUnsignedString(old) + " back");
      }
    }
    for (int old : before.gids()) {
      if (old != gid && Credentials.threadSetresgid(UNCHANGED, old, UNCHANGED) >= 0) {
        Credentials.threadSetresgid(UNCHANGED, gid, UNCHANGED);
        throw new CredentialsException(
            "the process can get group id " + Integer.toUnsignedString(old) + " back");
      }
    }
  }

  private static boolean areAll(int id, int[] ids) {
    for (int each : ids) {
      if (each != id) {
        return false;
      }
    }
    return true;
  }

  private static int[] sorted(int[] ids) {
    int[] sorted = ids.clone();
    Arrays.sort(sorted);
    return sorted;
  }
}
