package dev.daimon.startup;

import dev.daimon.forking.Environment;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.UnknownAccountException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The directories in which daemons that have a name have their files, for one user.
 *
 * <table class="striped">
 * <caption>The files of a daemon named web</caption>
 * <tr><th>file</th><th>of root</th><th>of another user</th></tr>
 * <tr><td>pidfile</td><td>{@code /run/daimon/web.pid}</td>
 *     <td>{@code $XDG_RUNTIME_DIR/daimon/web.pid}</td></tr>
 * <tr><td>output</td><td>{@code /var/log/daimon/web.log}</td>
 *     <td>{@code $XDG_STATE_HOME/daimon/web.log}</td></tr>
 * <tr><td>definition</td><td>{@code /etc/daimon/web.conf}</td>
 *     <td>{@code $XDG_CONFIG_HOME/daimon/web.conf}</td></tr>
 * <tr><td>what it was started with</td><td>{@code /run/daimon/web.started}</td>
 *     <td>{@code $XDG_STATE_HOME/daimon/web.started}</td></tr>
 * </table>
 *
 * <p>The variables count only for a user who is not root, and only if they name absolute paths.
 * Without them {@code $HOME/.local/state} and {@code $HOME/.config} are used.
 *
 * <p>A user has up to three directories of pidfiles, in this order: {@code daimon} in {@code
 * $XDG_RUNTIME_DIR} and in {@code /run/user/UID}, each only if it is the user's, and nobody else
 * may write to it; and {@code daimon/run} in the state directory. A start uses the first one. The
 * others are those of a start from another environment, such as cron's, where {@code /run/user/UID}
 * is missing: so a daemon is found wherever it was started.
 *
 * @param runtimes the directories of pidfiles and guard files, at least one: new ones are made in
 *     the first one
 * @param logs the directory of output files
 * @param definitions the directory of definitions
 * @param records the directory of the files that say what a daemon was started with
 * @see <a href="https://specifications.freedesktop.org/basedir-spec/latest/">XDG Base Directory
 *     Specification</a>
 */
public record DaemonDirectories(List<Path> runtimes, Path logs, Path definitions, Path records) {
  private static final String OWN = "daimon";
  private static final int WRITABLE_BY_OTHERS = 022;
  private static final int FOR_ALL = 0755;
  private static final int FOR_USER = 0700;
  private static final DaemonDirectories OF_ROOT =
      new DaemonDirectories(
          Path.of("/run", OWN),
          Path.of("/var/log", OWN),
          Path.of("/etc", OWN),
          Path.of("/run", OWN));

  /**
   * Requires every directory. A relative one becomes absolute against the JVM's working directory
   * at its start.
   *
   * @throws IllegalArgumentException if there is no runtime directory
   */
  public DaemonDirectories {
    Objects.requireNonNull(runtimes, "runtimes");
    List<Path> absolute = new ArrayList<>(runtimes.size());
    for (Path runtime : runtimes) {
      absolute.add(NativePath.absolute(runtime));
    }
    runtimes = List.copyOf(absolute);
    logs = NativePath.absolute(Objects.requireNonNull(logs, "logs"));
    definitions = NativePath.absolute(Objects.requireNonNull(definitions, "definitions"));
    records = NativePath.absolute(Objects.requireNonNull(records, "records"));
    if (runtimes.isEmpty()) {
      throw new IllegalArgumentException("no runtime directory");
    }
  }

  /**
   * The directories of a user who has one runtime directory.
   *
   * @param runtime the directory of pidfiles and guard files
   * @param logs the directory of output files
   * @param definitions the directory of definitions
   * @param records the directory of the files that say what a daemon was started with
   */
  public DaemonDirectories(Path runtime, Path logs, Path definitions, Path records) {
    this(List.of(Objects.requireNonNull(runtime, "runtime")), logs, definitions, records);
  }

  /** {@return the directory in which new pidfiles and guard files are made} */
  public Path runtime() {
    return runtimes.getFirst();
  }

  /**
   * Returns the directories of the effective user.
   *
   * @return the directories, which need not exist
   * @throws StartException {@link StartException.Reason#ACCOUNT} if the user has neither an account
   *     nor {@code HOME}
   */
  public static DaemonDirectories ofCaller() {
    long user = Identity.effectiveUser();
    if (user == 0) {
      return OF_ROOT;
    }
    Environment environment = Environment.current();
    Path home = variable(environment, "HOME");
    return of(user, home == null ? home("#" + user) : home, environment);
  }

  /**
   * Returns the directories of another user, whose environment is not known: those without any
   * variable.
   *
   * @param name a user name, a number, or {@code #} and a number
   * @return the directories, which need not exist
   * @throws StartException {@link StartException.Reason#ACCOUNT} if there is no such user
   */
  public static DaemonDirectories ofUser(String name) {
    Objects.requireNonNull(name, "name");
    long user = TargetIdentity.user(identity(name));
    return user == 0 ? OF_ROOT : of(user, home(name), null);
  }

  private static DaemonDirectories of(long user, Path home, @Nullable Environment environment) {
    Path state =
        Objects.requireNonNullElse(
            variable(environment, "XDG_STATE_HOME"), home.resolve(".local/state"));
    Path config =
        Objects.requireNonNullElse(
            variable(environment, "XDG_CONFIG_HOME"), home.resolve(".config"));
    Path named = variable(environment, "XDG_RUNTIME_DIR");
    Path usual = Path.of("/run/user/" + user);
    Path own = state.resolve(OWN);
    List<Path> runtimes = new ArrayList<>(3);
    if (named != null && isUsersAlone(named, user)) {
      runtimes.add(named.resolve(OWN));
    }
    if (!usual.equals(named) && isUsersAlone(usual, user)) {
      runtimes.add(usual.resolve(OWN));
    }
    runtimes.add(own.resolve("run"));
    return new DaemonDirectories(runtimes, own, config.resolve(OWN), own);
  }

  /** The absolute path in a variable; null if there is none. */
  private static @Nullable Path variable(@Nullable Environment environment, String name) {
    byte[] value = environment == null ? null : environment.get(name);
    return value == null || value.length == 0 || value[0] != '/' ? null : NativePath.of(value);
  }

  private static Path home(String user) {
    Identity identity = identity(user);
    return NativePath.of(identity.home().orElseThrow());
  }

  private static Identity identity(String user) {
    try {
      return Identity.of(user, null);
    } catch (UnknownAccountException unknown) {
      throw new StartException(StartException.Reason.ACCOUNT, unknown);
    } catch (PosixException failure) {
      throw new StartException(StartException.Reason.SYSTEM, failure);
    }
  }

  /**
   * Makes the directories that are missing in which a start puts files, with the missing ones above
   * them: of the mode 0755 for root, 0700 for another user. An existing one is accepted if it is
   * this process' user's, and nobody but that user and root can write to it or redirect the path.
   * Call it on the directories {@linkplain #ofCaller of the caller}.
   *
   * @param withLogs whether the directory of output files is needed, too
   * @param withRecords whether that of records is needed, too
   * @return what was made, to be {@linkplain MadeDirectories#undo taken back} if the start fails
   * @throws StartException {@link StartException.Reason#FILE} if that is not possible; then nothing
   *     is left
   */
  public MadeDirectories make(boolean withLogs, boolean withRecords) {
    int permissions = permissions();
    MadeDirectories made = new MadeDirectories();
    try {
      made.makeOwn(runtime(), permissions);
      if (withRecords && !records.equals(runtime())) {
        made.makeOwn(records, permissions);
      }
      if (withLogs && !(withRecords && logs.equals(records))) {
        makeLogs(made, permissions);
      }
      return made;
    } catch (IOException failure) {
      StartException refused = new StartException(StartException.Reason.FILE, failure);
      made.undo(refused);
      throw refused;
    }
  }

  /**
   * Judges the directories that {@link #make(boolean)} would make or accept, and makes none. Of one
   * that is missing, the way to it is judged for root alone.
   *
   * @param withLogs whether the directory of output files is needed, too
   * @throws StartException {@link StartException.Reason#FILE} if they would be refused
   */
  public void check(boolean withLogs) {
    try {
      MadeDirectories.checkOwn(runtime());
      MadeDirectories.checkOwn(records);
      if (withLogs) {
        checkLogs();
      }
    } catch (IOException failure) {
      throw new StartException(StartException.Reason.FILE, failure);
    }
  }

  private void checkLogs() throws IOException {
    try {
      MadeDirectories.checkOwn(logs);
    } catch (IOException failure) {
      throw withoutLogs(failure);
    }
  }

  private static IOException withoutLogs(IOException failure) {
    return new IOException(
        failure.getMessage() + "; name another file for the output (-o, standardOutput)", failure);
  }

  private static int permissions() {
    return Identity.effectiveUser() == 0 ? FOR_ALL : FOR_USER;
  }

  /**
   * Makes the directory of definitions if it is missing, with the missing ones above it, with the
   * permissions of {@link #make(boolean, boolean)}. An existing one is accepted as it is.
   *
   * @param made where they are added, to be {@linkplain MadeDirectories#undo taken back} if the
   *     start fails
   * @throws StartException {@link StartException.Reason#FILE} if that is not possible
   */
  public void makeDefinitions(MadeDirectories made) {
    Objects.requireNonNull(made, "made");
    if (Files.exists(definitions)) {
      return;
    }
    try {
      made.makeOwn(definitions, permissions());
    } catch (IOException failure) {
      throw new StartException(StartException.Reason.FILE, failure);
    }
  }

  /**
   * Makes the directories of a start that writes a record: as {@link #make(boolean, boolean)} does.
   *
   * @param withLogs as there
   * @return as there
   * @throws StartException as there
   */
  public MadeDirectories make(boolean withLogs) {
    return make(withLogs, /* withRecords= */ true);
  }

  private void makeLogs(MadeDirectories made, int permissions) throws IOException {
    try {
      made.makeOwn(logs, permissions);
    } catch (IOException failure) {
      throw withoutLogs(failure);
    }
  }

  /** Whether a directory belongs to the user, and nobody else may write to it. */
  private static boolean isUsersAlone(Path directory, long user) {
    try {
      Map<String, Object> status = Files.readAttributes(directory, "unix:uid,mode,isDirectory");
      return Boolean.TRUE.equals(status.get("isDirectory"))
          && status.get("uid") instanceof Integer uid
          && Integer.toUnsignedLong(uid) == user
          && status.get("mode") instanceof Integer mode
          && (mode & WRITABLE_BY_OTHERS) == 0;
    } catch (IOException missing) {
      return false;
    }
  }

  /**
   * Returns the pidfile of a daemon: in the first runtime directory that has it; if none has it, in
   * the first one.
   *
   * <p>Race: the daemon may be started or stopped before this method returns. Call it once for one
   * action.
   *
   * @param name the daemon's name
   * @return the path
   */
  public Path pidFile(DaemonName name) {
    return pidFile(name, /* orHidden= */ false);
  }

  /**
   * Returns the pidfile by which a daemon is controlled: as {@link #pidFile}; but if none is found,
   * the one in a directory of this user's own that it may not look into. So what fails to be opened
   * is no daemon that does not run.
   *
   * @param name the daemon's name
   * @return the path
   */
  public Path controlledPidFile(DaemonName name) {
    return pidFile(name, /* orHidden= */ true);
  }

  private Path pidFile(DaemonName name, boolean orHidden) {
    Objects.requireNonNull(name, "name");
    Path hidden = null;
    for (int i = 0; i < runtimes.size() && runtimes.size() > 1; i++) {
      Path file = file(runtimes.get(i), name, ".pid");
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        return file;
      }
      if (orHidden && hidden == null && isHidden(file)) {
        hidden = file;
      }
    }
    return hidden == null ? file(runtime(), name, ".pid") : hidden;
  }

  /**
   * Tells whether a daemon may have a definition that this user cannot see, since it may not look
   * into a directory of its own.
   *
   * @param name the daemon's name
   * @return whether it may
   */
  public boolean hidesDefinition(DaemonName name) {
    return isHidden(definition(name));
  }

  /**
   * Whether this user may not look into a directory of its own on the way to a file. Another user's
   * directory, as in a {@code HOME} that was kept, has nothing of this user.
   */
  private static boolean isHidden(Path file) {
    try {
      BasicFileAttributes _ =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return false;
    } catch (AccessDeniedException unknown) {
      return isClosedByUser(file);
    } catch (IOException missing) {
      return false;
    }
  }

  /** Whether the directory that may not be looked into is this user's own. */
  private static boolean isClosedByUser(Path file) {
    for (Path above = file.getParent(); above != null; above = above.getParent()) {
      try {
        return Files.getAttribute(above, "unix:uid") instanceof Integer uid
            && Integer.toUnsignedLong(uid) == Identity.effectiveUser();
      } catch (IOException hidden) {
        // The directory that hides this one is further above.
      }
    }
    return false;
  }

  /**
   * Returns the file to which a daemon's output goes, unless it was started with another.
   *
   * @param name the daemon's name
   * @return the path
   */
  public Path log(DaemonName name) {
    Objects.requireNonNull(name, "name");
    return file(logs, name, ".log");
  }

  /**
   * Returns the definition of a daemon.
   *
   * @param name the daemon's name
   * @return the path
   */
  public Path definition(DaemonName name) {
    Objects.requireNonNull(name, "name");
    return file(definitions, name, ".conf");
  }

  /**
   * Returns the file that says what a daemon was started with.
   *
   * @param name the daemon's name
   * @return the path
   */
  public Path record(DaemonName name) {
    Objects.requireNonNull(name, "name");
    return file(records, name, ".started");
  }

  /** By bytes: in some locales a path made of text has lost what is not ASCII. */
  private static Path file(Path directory, DaemonName name, String suffix) {
    ByteArrayOutputStream path = new ByteArrayOutputStream();
    path.writeBytes(NativePath.bytes(directory));
    path.writeBytes(("/" + name.text() + suffix).getBytes(StandardCharsets.UTF_8));
    return NativePath.of(path.toByteArray());
  }
}
