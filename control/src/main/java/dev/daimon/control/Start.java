package dev.daimon.control;

import dev.daimon.control.ControlException.Reason;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.locking.LockedFile;
import dev.daimon.pidfile.PidFile;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** One start, under the guard: checks that no daemon runs, starts it, and records the start. */
final class Start {
  private Start() {}

  static Outcome carryOut(ControlledDaemon daemon, StartSpec spec, @Nullable Guard held)
      throws IOException, InterruptedException {
    boolean stale;
    try (ProbeResult probe = daemon.probe()) {
      if (probe.state() == State.RUNNING) {
        return Outcome.ALREADY_DONE;
      }
      LockedFile file = probe.file();
      if (file != null && !probe.locked()) {
        PreviousDaemon.check(file, daemon.guardFile());
      } else if (probe.state() == State.UNKNOWN && (held == null || !ForeignLock.remove(probe))) {
        throw new ControlException(Reason.UNKNOWN, probe.reason());
      }
      stale = probe.state() == State.DEAD;
    }
    ControlledDaemon starting = daemon.forOneStart();
    spec.start(starting);
    if (held != null) {
      held.record(pid(starting), daemon.pidFile(), spec.readers());
    }
    return stale ? Outcome.STALE : Outcome.OK;
  }

  /** The process id that the start has told, or put into the pidfile; 0 if there is none by now. */
  private static long pid(ControlledDaemon started) {
    if (started.startedPid != 0) {
      return started.startedPid;
    }
    try {
      return PidFile.at(started.pidFile()).read();
    } catch (IOException gone) {
      return 0;
    }
  }
}
