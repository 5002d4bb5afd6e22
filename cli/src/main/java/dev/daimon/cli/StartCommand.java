package dev.daimon.cli;

import dev.daimon.control.ControlFailure;
import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.Guard;
import dev.daimon.control.Outcome;
import dev.daimon.control.StopPolicy;
import dev.daimon.forking.ThisProcess;
import dev.daimon.posix.Cleanup;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.MadeDirectories;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import dev.daimon.startup.TargetIdentity;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * {@code daimon start}, {@code run} and {@code restart}: the steps from a request to a running
 * program, in an order in which every failure leaves everything as it was.
 *
 * <p>First everything is checked, with the rights of the user that the program will run as. Then
 * {@link PreparedStart} locks and opens the files, and starts the program.
 */
final class StartCommand {
  private final Request request;
  private final Terminal terminal;
  private final Caller caller;

  /** The start of a program that was waited for, once it has begun; null before and for others. */
  private @Nullable PreparedStart waitedFor;

  StartCommand(Request request) {
    this.request = request;
    terminal = new Terminal(request.verbose);
    caller = Caller.find(!request.keptDescriptors.isEmpty() || !request.closeDescriptors);
  }

  /** Runs the command, and returns its exit code. */
  int run() {
    try {
      return checkAndStart();
    } catch (StartException failure) {
      if (request.okIfRunning && failure.reason() == Reason.ALREADY_RUNNING && isRunning()) {
        terminal.error(String.valueOf(failure.getMessage()));
        return 0;
      }
      StartException named = explained(failure);
      if (waitedFor == null) {
        throw named;
      }
      terminal.error(String.valueOf(named.getMessage()));
      waitedFor.printLastLines(failure.reason());
      return named.exitCode();
    }
  }

  /** The failure with the option, and with the line of the definition, that it is about. */
  private StartException explained(StartException failure) {
    StartException named = PathOptions.named(failure, request);
    if (request.named != null) {
      return request.named.placed(named);
    }
    if (request.isUndefined && failure.reason() == Reason.PROGRAM) {
      return withoutDefinition(failure, request.command.get(0));
    }
    return named;
  }

  /** A program is missing, whose name could have been a daemon's. */
  private static StartException withoutDefinition(StartException failure, String program) {
    RequestedDaemon daemon;
    try {
      daemon = RequestedDaemon.of(program);
    } catch (StartException noName) {
      return failure;
    }
    return new StartException(
        Reason.PROGRAM,
        failure.getMessage()
            + "; nor is there a definition "
            + DefinitionFile.name(daemon.definitionFile()));
  }

  /** Whether the daemon itself runs: the lock may be held by a process that has outlived it. */
  private boolean isRunning() {
    if (request.pidFile == null) {
      return true;
    }
    try {
      return request.control(request.pidFile).status().state() == State.RUNNING;
    } catch (IOException unknown) {
      return false;
    }
  }

  /** Makes the checks of a start, and changes nothing, whether the daemon runs or not. */
  void judge() {
    try {
      PreparedStart start = check();
      if (!request.self && request.pidFile != null) {
        start.plan().check(request.control(request.pidFile));
      } else {
        start.plan().checkOwnFiles();
      }
    } catch (IOException failure) {
      throw explained(ControlFailure.of(failure));
    } catch (StartException failure) {
      throw explained(failure);
    }
  }

  private int checkAndStart() {
    if (!Caller.leavesSignalsAlone()) {
      Respawn.leavingSignalsAlone();
    }
    if (request.foreground && caller.isWaiting()) {
      return ScriptProtocol.RUN_BY_EXEC;
    }
    if (!request.foreground
        && !request.dryRun
        && !request.self
        && !caller.hasMadeSession()
        && (ThisProcess.isGroupLeader() || (request.ready != null && !caller.isWaiting()))) {
      return Respawn.inNewSession(request.ready != null);
    }
    PreparedStart start = check();
    if (request.dryRun) {
      start.plan().checkAndPrint();
      return 0;
    }
    try {
      waitedFor = request.ready == null ? null : start;
      carryOutWithDirectories(start);
      return 0;
    } catch (IOException failure) {
      throw ControlFailure.of(failure);
    } catch (InterruptedException impossible) {
      throw new IllegalStateException("nobody interrupts this thread", impossible);
    }
  }

  /** Checks everything that can be checked without a change. */
  private PreparedStart check() {
    RequestedProgram.checkKeptDescriptors(request, caller);
    Identity identity = identity();
    PrivilegeDrop drop = RequestedDrop.of(request, identity);
    RequestedProgram program = RequestedProgram.find(request, caller, identity, drop);
    terminal.step("found " + program.executable());
    return new PreparedStart(request, terminal, caller, program, identity, drop);
  }

  /**
   * Makes missing directories first: those of a daemon with a name, and with --mkdir those of all
   * files. The guard is in one of them, and a restart stops nothing before they are there.
   */
  private void carryOutWithDirectories(PreparedStart start)
      throws IOException, InterruptedException {
    if (request.named == null && !request.makesDirectories) {
      carryOut(start);
      return;
    }
    MadeDirectories made =
        request.named == null
            ? new MadeDirectories()
            : request.named.makeDirectories(request.standardOutput);
    try {
      if (request.makesDirectories) {
        start.makeDirectories(made);
      }
      carryOut(start);
    } catch (IOException | InterruptedException | RuntimeException | Error failure) {
      made.undo(failure);
      throw failure;
    }
  }

  private void carryOut(PreparedStart start) throws IOException, InterruptedException {
    if (request.pidFile == null || !request.lock) {
      start.start();
      return;
    }
    ActionWords words = new ActionWords(terminal);
    DaemonControl control = request.control(request.pidFile).listener(words);
    if (request.stop != null) {
      restart(start, control, request.stop);
    } else if (!request.self) {
      startGuarded(start, control, words);
    } else if (control.start(start) == Outcome.ALREADY_DONE) {
      DaemonStatus status = control.status();
      throw new StartException(
          Reason.ALREADY_RUNNING,
          (status.state() == State.RUNNING ? "already " : "already running; now: ")
              + status.reason());
    }
  }

  /** Starts while holding the guard, so that no other command starts or stops the daemon. */
  private static void startGuarded(PreparedStart start, DaemonControl control, ActionWords words)
      throws IOException, InterruptedException {
    Guard held = start.takeGuard(control).orElse(null);
    start.recordIn(held);
    try {
      startOrReplace(start, control, held);
    } catch (IOException | RuntimeException | Error failure) {
      if (held != null) {
        held.takeBack(failure);
        Cleanup.close(held, failure);
      }
      throw failure;
    }
    try {
      if (held != null) {
        held.close();
      }
    } catch (PosixException failure) {
      // The program runs.
      words.failedAfterwards(
          new IOException("the guard could not be closed: " + failure.getMessage(), failure));
    }
  }

  /**
   * Starts; a second time if only the lock of a foreign process prevented it, and the pidfile could
   * be removed under the guard.
   */
  private static void startOrReplace(
      PreparedStart start, DaemonControl control, @Nullable Guard held) throws IOException {
    try {
      start.start();
    } catch (StartException refused) {
      if (held == null
          || refused.reason() != Reason.CANNOT_TELL
          || !control.removeForeignLocked()) {
        throw refused;
      }
      start.start();
    }
  }

  private void restart(PreparedStart start, DaemonControl control, StopPolicy policy)
      throws IOException, InterruptedException {
    if (request.named != null) {
      request.named.daemon().requireRestartable(control);
    }
    if (!request.self) {
      start.plan().check(control);
      // Taking the guard as the user creates its file where root may not. It is released at once,
      // so that the restart can take it.
      Guard guard = start.takeGuard(control).orElse(null);
      if (guard != null) {
        guard.close();
      }
    }
    String changed = request.named == null ? null : request.named.changed();
    if (changed != null) {
      terminal.error(changed);
    }
    // Of a daemon that has lost its pidfile the start tells, if it still runs then.
    StopProgress progress =
        new StopProgress(terminal, request.named == null ? null : request.named.daemon());
    try {
      // Before the stop: what cannot be written must not cost the daemon that runs.
      start.prepareName();
      Outcome _ =
          request.overlap
              ? control.restartOverlapping(start, start, policy, progress)
              : control.restart(start, policy, progress);
    } catch (StartException failure) {
      start.undoName(failure);
      throw progress.hasStopped() ? afterStop(failure) : failure;
    } catch (IOException failure) {
      start.undoName(failure);
      // The message of an overlapping restart names the daemon that runs.
      if (request.overlap || !progress.hasStopped()) {
        throw failure;
      }
      throw afterStop(ControlFailure.of(failure));
    } catch (InterruptedException | RuntimeException | Error failure) {
      start.undoName(failure);
      throw failure;
    } finally {
      terminal.clear();
    }
  }

  private static StartException afterStop(StartException failure) {
    return new StartException(
        failure.reason(), failure.exitCode(), failure.getMessage() + "; the old daemon is stopped");
  }

  /** The user and group to become; null if none is asked for. */
  private @Nullable Identity identity() {
    String user = readable(request.user);
    String group = readable(request.group);
    if (request.userGroup != null) {
      checkGroup(user, group, request.userGroup);
    }
    Identity identity = TargetIdentity.resolve(user, group, request.groups);
    if (identity != null) {
      TargetIdentity.requirePermitted(identity, request.account(), "");
    }
    return identity;
  }

  /** One group by two options, be it by its name in one and by its number in the other. */
  private static void checkGroup(@Nullable String user, @Nullable String group, String userGroup) {
    Identity one = TargetIdentity.resolve(user, group, null);
    Identity other =
        TargetIdentity.resolve(user, userGroup.isEmpty() ? null : readable(userGroup), null);
    if (one != null && other != null && one.gid() != other.gid()) {
      throw new StartException(Reason.CONFIGURATION, "--user and --group name different groups");
    }
  }

  private static @Nullable String readable(@Nullable String text) {
    return text == null ? null : Text.readable(text);
  }
}
