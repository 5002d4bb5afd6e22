package dev.daimon.control;

import dev.daimon.posix.Signal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How to stop a daemon: a signal, some patience, the next signal, and so on.
 *
 * @param steps the signals in their order, with the time that each gets; not empty
 * @param wholeSession whether the signals go to every process of the daemon's session, and all of
 *     them must end
 */
public record StopPolicy(List<Step> steps, boolean wholeSession) {
  /** TERM, and KILL after 30 seconds. */
  public static final StopPolicy DEFAULT =
      of(Signal.TERM, Duration.ofSeconds(30)).then(Signal.KILL, Step.AFTER_KILL);

  /**
   * A signal, and how long to wait for the daemon's end before the next step.
   *
   * @param signal the signal
   * @param patience how long; not negative
   */
  public record Step(Signal signal, Duration patience) {
    /** What a kill gets: a process may be in the kernel for a while. */
    public static final Duration AFTER_KILL = Duration.ofSeconds(5);

    /**
     * Checks the patience.
     *
     * @throws IllegalArgumentException if it is negative
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
   * Copies and checks the steps.
   *
   * @throws IllegalArgumentException if there is none
   */
  public StopPolicy {
    Objects.requireNonNull(steps, "steps");
    steps = List.copyOf(steps);
    if (steps.isEmpty()) {
      throw new IllegalArgumentException("no signal");
    }
  }

  /**
   * One signal to the daemon alone. If it does not end in that time it has not been stopped.
   *
   * @param signal the signal
   * @param patience how long to wait for its end; not negative
   * @return that policy
   * @throws IllegalArgumentException if the patience is negative
   */
  public static StopPolicy of(Signal signal, Duration patience) {
    return new StopPolicy(List.of(new Step(signal, patience)), /* wholeSession= */ false);
  }

  /**
   * Escalates, if the steps so far have not helped.
   *
   * @param signal the next signal
   * @param patience how long to wait for the end then; not negative
   * @return a policy with that step as its last one
   * @throws IllegalArgumentException if the patience is negative
   */
  public StopPolicy then(Signal signal, Duration patience) {
    List<Step> longer = new ArrayList<>(steps);
    longer.add(new Step(signal, patience));
    return new StopPolicy(longer, wholeSession);
  }

  /**
   * Stops every process of the daemon's session, workers that have lost their parent among them,
   * and those that are started meanwhile; not those that have left it. Also if the daemon has
   * ended, and one that holds its lock can be shown to have belonged to it. A session that is not
   * the daemon's alone is refused.
   *
   * <p>Race: whom the last process of the session starts right before it ends is found if he has
   * the daemon's lock, which children inherit. Without it nothing would tell him from a stranger
   * who has got the session's id.
   *
   * @return a policy with the same steps
   */
  public StopPolicy ofWholeSession() {
    return new StopPolicy(steps, /* wholeSession= */ true);
  }
}
