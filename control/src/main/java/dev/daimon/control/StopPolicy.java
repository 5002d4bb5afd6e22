package dev.daimon.control;

import dev.daimon.posix.Signal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How to stop a daemon: which signals to send, and how long to wait after each.
 *
 * @param steps the signals in their order, each with the time to wait after it; not empty
 * @param wholeSession whether to signal every process of the daemon's session, and to wait for the
 *     end of all of them
 */
public record StopPolicy(List<Step> steps, boolean wholeSession) {
  /** SIGTERM, and after 30 seconds SIGKILL. */
  public static final StopPolicy DEFAULT =
      of(Signal.TERM, Duration.ofSeconds(30)).then(Signal.KILL, Step.AFTER_KILL);

  /**
   * A signal, and how long to wait for the daemon's end before the next step.
   *
   * @param signal the signal
   * @param patience how long to wait; not negative
   */
  public record Step(Signal signal, Duration patience) {
    /** How long to wait after SIGKILL: a system call may delay the end of a process. */
    public static final Duration AFTER_KILL = Duration.ofSeconds(5);

    /**
     * Checks the step.
     *
     * @throws IllegalArgumentException if the patience is negative
     */
    public Step {
      Objects.requireNonNull(signal, "signal");
      Objects.requireNonNull(patience, "patience");
      if (patience.isNegative()) {
        throw new IllegalArgumentException("negative patience: " + patience);
      }
    }
  }

  /**
   * Checks and copies the steps.
   *
   * @throws IllegalArgumentException if there are none
   */
  public StopPolicy {
    Objects.requireNonNull(steps, "steps");
    steps = List.copyOf(steps);
    if (steps.isEmpty()) {
      throw new IllegalArgumentException("no signal");
    }
  }

  /**
   * Returns a policy that sends one signal to the daemon alone. The stop fails if the daemon does
   * not end in that time.
   *
   * @param signal the signal
   * @param patience how long to wait for the daemon's end; not negative
   * @return the policy
   * @throws IllegalArgumentException if the patience is negative
   */
  public static StopPolicy of(Signal signal, Duration patience) {
    return new StopPolicy(List.of(new Step(signal, patience)), /* wholeSession= */ false);
  }

  /**
   * Returns a policy with one more step, if the daemon has not ended after the others.
   *
   * @param signal the next signal
   * @param patience how long to wait for the daemon's end after it; not negative
   * @return a policy with this step as its last one
   * @throws IllegalArgumentException if the patience is negative
   */
  public StopPolicy then(Signal signal, Duration patience) {
    List<Step> longer = new ArrayList<>(steps);
    longer.add(new Step(signal, patience));
    return new StopPolicy(longer, wholeSession);
  }

  /**
   * Returns a policy that stops every process of the daemon's session: also workers whose parent
   * has ended, and processes that are started meanwhile, but not processes that have left the
   * session.
   *
   * <p>If the daemon itself has ended, the stop works too, provided that a process which holds its
   * lock can be shown to have belonged to it. The stop refuses a session that is not the daemon's
   * alone.
   *
   * <p>Race: the last process of the session may start another one right before it ends. The stop
   * finds that one only if it holds the daemon's lock, which children inherit. Without the lock it
   * could be the process of a new session with the same id.
   *
   * @return a policy with the same steps, for the whole session
   */
  public StopPolicy ofWholeSession() {
    return new StopPolicy(steps, /* wholeSession= */ true);
  }
}
