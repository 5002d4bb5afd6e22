package dev.daimon.cli;

import dev.daimon.control.Outcome;
import dev.daimon.control.StopListener;
import dev.daimon.control.StopResult;
import dev.daimon.posix.Signal;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Prints what a stop reports while it waits, and when it is done. */
final class StopProgress implements StopListener {
  private final Terminal terminal;

  /** The daemon, if it has a name: then its record may show that it runs without a pidfile. */
  private final @Nullable RequestedDaemon daemon;

  /** The process that was waited for last. */
  private long awaited;

  private boolean stopped;
  private @Nullable String lost;

  StopProgress(Terminal terminal, @Nullable RequestedDaemon daemon) {
    this.terminal = terminal;
    this.daemon = daemon;
  }

  @Override
  public void waiting(long pid, Duration waited, Optional<Signal> next, Duration left) {
    awaited = pid;
    Caller.endWithParent();
    if (waited.toMillis() > 0) {
      terminal.progress(
          "stopping process "
              + pid
              + ": "
              + waited.toSeconds()
              + " s, "
              + (next.isPresent() ? next.get().toString() : "giving up")
              + " in "
              + left.plusMillis(500).toSeconds()
              + " s");
    }
  }

  @Override
  public void reading(long pid, Duration waited, Duration left) {
    Caller.endWithParent();
    if (waited.toMillis() > 0) {
      terminal.progress(
          "waiting for process "
              + pid
              + ", which reads the output: "
              + waited.toSeconds()
              + " s, going on in "
              + left.plusMillis(500).toSeconds()
              + " s");
    }
  }

  /** Whether a daemon was stopped that ran. */
  boolean hasStopped() {
    return stopped;
  }

  /** The words for a daemon that runs, and has lost its pidfile meanwhile; null for any other. */
  @Nullable String lost() {
    return lost;
  }

  /** Prints what the exit code does not tell. */
  @Override
  public void stopped(StopResult result) {
    terminal.clear();
    stopped = result.outcome() == Outcome.OK;
    List<Signal> signals = result.signals();
    if (signals.size() > 1 && signals.getLast().equals(Signal.KILL)) {
      StringBuilder before = new StringBuilder();
      for (Signal signal : signals.subList(0, signals.size() - 1)) {
        before.append(signal).append(", ");
      }
      terminal.error("process " + awaited + " did not end by " + before + "and was killed");
    } else if (result.outcome() != Outcome.OK) {
      lost = daemon == null ? null : daemon.lost();
      if (lost == null) {
        terminal.error(
            "it was not running"
                + (result.outcome() == Outcome.STALE
                    ? "; the pidfile that it had left behind is removed"
                    : ""));
      }
    }
  }
}
