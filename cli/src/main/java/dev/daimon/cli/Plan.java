package dev.daimon.cli;

import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.forking.OutputFile;
import dev.daimon.locking.LockedFile;
import dev.daimon.locking.SingletonLock;
import dev.daimon.posix.HardLinks;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.VisibleText;
import dev.daimon.privileges.FileAccess;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.MadeDirectories;
import dev.daimon.startup.NamedProcess;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The checks that need no change to the system: {@code --dry-run} makes all of them and prints the
 * plan, a restart makes those of the files before it stops the daemon.
 */
final class Plan {
  private final Request request;
  private final @Nullable Identity identity;
  private final Path executable;
  private final Terminal terminal;

  Plan(Request request, @Nullable Identity identity, Path executable, Terminal terminal) {
    this.request = request;
    this.identity = identity;
    this.executable = executable;
    this.terminal = terminal;
  }

  /** Makes all checks, and prints the plan if none fails. */
  void checkAndPrint() {
    if (request.self) {
      checkDaemon(Objects.requireNonNull(request.pidFile));
    } else {
      checkLock(request.lockFile);
      checkLock(request.lock ? request.pidFile : null);
      checkFiles();
      checkPidFile();
    }
    checkAddresses(OptionalLong.empty());
    checkOwnFiles();
    printPlan();
  }

  /** Checks the files that the command writes, and the program never has open. */
  void checkOwnFiles() {
    if (request.guard != null) {
      checkGuard(request.guard);
    }
    if (request.named != null) {
      request.named.check(request.standardOutput);
    }
  }

  /** The guard is opened as the user that the program will run as, or else as root. */
  private void checkGuard(Path guard) {
    if (isMade(guard.getParent())) {
      NamedStart.checkCreation(guard);
      return;
    }
    try {
      boolean asUser = identity != null && !request.rootsPidFile;
      if (asUser && identity != null && identity.accessFiles(() -> guardProblem(guard)).isEmpty()) {
        return;
      }
      Ownership.requireFixedPath(guard);
      String problem = guardProblem(guard);
      if (!problem.isEmpty()) {
        throw new IOException(guard + ": " + problem);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /** Whether the start makes this directory for other files. */
  private boolean isMade(@Nullable Path directory) {
    if (directory == null || Files.exists(directory)) {
      return false;
    }
    List<Path> made = new ArrayList<>();
    for (Path file :
        Arrays.asList(
            request.pidFile, request.lockFile, request.standardOutput, request.standardError)) {
      if (file == null) {
        continue;
      }
      if (request.makesDirectories
          || (request.named != null && request.named.makes(file, request.standardOutput))) {
        made.addAll(MadeDirectories.missingAbove(file));
      }
    }
    return made.contains(directory);
  }

  private static String guardProblem(Path guard) throws IOException {
    if (Files.exists(guard, LinkOption.NOFOLLOW_LINKS)) {
      if (!Files.isRegularFile(guard, LinkOption.NOFOLLOW_LINKS)) {
        return "is not a regular file";
      }
      return FileAccess.mayWrite(guard) ? "" : "no permission to write to it";
    }
    Path directory = guard.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      return "its directory does not exist";
    }
    return FileAccess.mayCreateIn(directory) && Ownership.mayMakeFilesIn(directory)
        ? ""
        : "no permission to create it";
  }

  /** Of a program that makes its pidfile itself, the start judges no more than this. */
  private void checkDaemon(Path pidFile) {
    try {
      DaemonStatus daemon = request.control(pidFile).status();
      if (daemon.state() == State.RUNNING) {
        throw new StartException(Reason.ALREADY_RUNNING, "already " + daemon.reason());
      }
      if (daemon.state() == State.UNKNOWN) {
        throw new StartException(Reason.CANNOT_TELL, daemon.reason());
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /**
   * Checks the addresses to listen at; those of a daemon that runs, and is to be stopped, count as
   * free.
   */
  private void checkAddresses(OptionalLong running) {
    for (ListenAddress address : request.listen) {
      ListenCheck.check(address, request, identity, running);
    }
  }

  /**
   * Checks, before a restart stops the old daemon, that the new one can have its files.
   *
   * @param control the old daemon, which may hold the lock file, too
   */
  void check(DaemonControl control) throws IOException {
    checkOwnFiles();
    checkFiles();
    DaemonStatus daemon = control.status();
    boolean runs = daemon.state() == State.RUNNING;
    checkAddresses(runs ? daemon.pid() : OptionalLong.empty());
    if (!runs) {
      // A running daemon's pidfile is not judged: the stop removes it.
      NamedProcess _ =
          DaemonFiles.judge(
              control.pidFile(), request.rootsPidFile ? null : identity, /* locked= */ false);
      return;
    }
    if (request.lockFile == null || !SingletonLock.isHeld(request.lockFile)) {
      return;
    }
    Optional<LockedFile> open = LockedFile.open(request.lockFile);
    if (open.isEmpty()) {
      return;
    }
    try (LockedFile file = open.get()) {
      // The last condition excludes that another restart has replaced the daemon meanwhile.
      if (!file.isHeldBy(daemon.pid().orElseThrow())
          && file.isLocked()
          && control.status().pid().equals(daemon.pid())) {
        throw held(request.lockFile);
      }
    }
  }

  private void checkFiles() {
    checkFile(request.lockFile, false, request.rootsPidFile);
    checkFile(request.pidFile, false, request.rootsPidFile);
    checkFile(request.standardOutput, true, false);
    checkFile(request.standardError, true, false);
  }

  /** Checks the pidfile's content as a start does, but without its lock. */
  private void checkPidFile() {
    if (request.pidFile == null
        || (request.named != null
            && request.named.makes(request.pidFile, request.standardOutput))) {
      return;
    }
    try {
      @Nullable Identity owner = request.rootsPidFile ? null : identity;
      NamedProcess named = DaemonFiles.judge(request.pidFile, owner, request.lock);
      Ownership.requireTrust(firstMissing(request.pidFile), TargetIdentity.user(owner));
      request.requireReplaceable(named);
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  private void printPlan() {
    StringBuilder plan = new StringBuilder();
    line(plan, request.foreground ? "become" : "start", executable);
    for (String argument : request.command.subList(1, request.command.size())) {
      line(plan, "argument", Text.readable(argument));
    }
    if (identity != null) {
      line(plan, "identity", identity);
    }
    for (ResourceLimit limit : request.limits) {
      line(plan, "rlimit", limit);
    }
    line(plan, "oom-score-adj", request.oomScoreAdjust);
    line(plan, "nice", request.niceness);
    line(plan, "no-new-privs", request.noNewPrivileges ? "yes" : null);
    line(plan, "keep-cap", request.keptCapabilities);
    line(plan, "chroot", request.rootDirectory);
    line(plan, "directory", request.directory);
    line(plan, "umask", "0" + Integer.toOctalString(request.umask));
    line(plan, "pidfile", request.pidFile);
    line(plan, "pidfile-owner", request.rootsPidFile ? "root" : null);
    line(plan, "lock", request.lockFile);
    line(plan, "guard", request.guardFile());
    if (request.makesDirectories) {
      directories(plan);
    }
    line(plan, "stdout", output(request.outputCommand, request.standardOutput));
    line(plan, "stderr", output(request.errorCommand, request.standardError));
    line(plan, "sigpipe", request.sigpipe ? "default" : null);
    line(plan, "ready", ready());
    for (ListenAddress address : request.listen) {
      line(plan, "listen", address);
    }
    for (String variable : request.variables) {
      line(plan, "variable", Text.readable(variable));
    }
    terminal.result(plan.toString());
  }

  private @Nullable String ready() {
    return request.self
        ? "exit, within " + ReadyOption.words(request.startTimeout)
        : request.readyWords;
  }

  private void directories(StringBuilder plan) {
    List<Path> made = new ArrayList<>();
    directories(request.lockFile, made);
    directories(request.pidFile, made);
    directories(request.standardOutput, made);
    directories(request.standardError, made);
    for (Path directory : made) {
      line(plan, "mkdir", directory);
    }
  }

  private static void directories(@Nullable Path file, List<Path> made) {
    if (file != null) {
      for (Path missing : MadeDirectories.missingAbove(file)) {
        if (!made.contains(missing)) {
          made.add(missing);
        }
      }
    }
  }

  private String output(@Nullable OutputCommand command, @Nullable Path path) {
    if (command != null) {
      return command.text();
    }
    if (path != null) {
      return path + (request.truncate ? " (truncate)" : " (append)");
    }
    return request.foreground || request.self ? "as it is" : "/dev/null";
  }

  private static void line(StringBuilder plan, String key, @Nullable Object value) {
    if (value != null) {
      plan.append(key).append(": ").append(VisibleText.line(value.toString())).append('\n');
    }
  }

  private void checkLock(@Nullable Path path) {
    try {
      if (path != null
          && SingletonLock.isHeld(path)
          && !(path.equals(request.pidFile) && request.control(path).canRemoveForeignLocked())) {
        throw held(path);
      }
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  private static StartException held(Path path) {
    return new StartException(Reason.ALREADY_RUNNING, "already running: " + path + " is locked");
  }

  /** The outermost directory that would be made for a file, which is checked as a file is. */
  private Path firstMissing(Path path) {
    if (!request.makesDirectories) {
      return path;
    }
    List<Path> missing = MadeDirectories.missingAbove(path);
    return missing.isEmpty() ? path : missing.getFirst();
  }

  private void checkFile(@Nullable Path file, boolean output, boolean staysRoots) {
    if (file == null) {
      return;
    }
    if (request.named != null && request.named.makes(file, request.standardOutput)) {
      NamedStart.checkCreation(file);
      return;
    }
    Path path = firstMissing(file);
    try {
      if (!staysRoots && TargetIdentity.user(identity) == 0) {
        Ownership.requireFixedPath(path);
      }
      String problem =
          identity == null || staysRoots
              ? problem(path, output)
              : identity.accessFiles(() -> problem(path, output));
      Path directory = path.getParent();
      boolean root = identity != null && directory != null && Ownership.isRootsAlone(directory);
      if (staysRoots && !root && problem.isEmpty()) {
        problem = "cannot stay root's: its directory is not root's alone";
      }
      if (!problem.isEmpty() && root) {
        problem = problem(path, output);
      }
      if (!problem.isEmpty()) {
        throw new IOException(path + ": " + problem);
      }
    } catch (IOException failure) {
      throw path.equals(file)
          ? new StartException(Reason.FILE, failure)
          : MadeDirectories.notMade(file, failure);
    }
  }

  /** Why a file can be neither opened for writing nor created; empty if it can. */
  private String problem(Path path, boolean output) throws IOException {
    if (Files.isSymbolicLink(path)) {
      return "is a symbolic link";
    }
    if (Files.isDirectory(path)) {
      return "is a directory";
    }
    if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      if (output) {
        OutputFile.requireOwner(path, identity == null ? -1 : identity.uid().orElse(-1));
      }
      // The file is not opened for the check: the reader of a FIFO would notice.
      if (!output && !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
        return "is not a regular file";
      }
      // A pidfile without a lock is replaced, not written.
      boolean replaced = !request.lock && path.equals(request.pidFile);
      if (!output && !replaced) {
        HardLinks.refuse(path);
      }
      if (!replaced && FileAccess.mayWrite(path)) {
        return "";
      }
      // A restart's stop removes the pidfile if it can.
      boolean removed = request.stop != null && path.equals(request.pidFile);
      if (!replaced && !removed) {
        return "no permission to write to it";
      }
    }
    Path directory = path.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      return "its directory does not exist";
    }
    return FileAccess.mayCreateIn(directory) ? "" : "no permission to create it";
  }
}
