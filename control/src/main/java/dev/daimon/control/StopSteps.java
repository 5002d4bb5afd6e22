package dev.daimon.control;

import dev.daimon.control.StopPolicy.Step;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The steps of a policy: one signal after the other, until what gets them has ended. */
final class StopSteps {
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** What a stop decides between the waits. */
  interface Course {
    /** Before each signal, and after each wait: throws if none is to be sent any more. */
    void check() throws IOException;

    /**
     * After each wait: whether the stop is over.
     *
     * @param ended whether all have ended that get the signals
     * @param rest the time that is left of the step
     */
    boolean isOver(boolean ended, Duration rest) throws IOException, InterruptedException;
  }

  private final StopPolicy policy;
  private final StopListener listener;
  private final long start = System.nanoTime();
  private final List<Signal> sent = new ArrayList<>();

  /** The process that is waited for: the daemon, or else a child that it has left. */
  private long awaited;

  /** Steps whose time begins now. */
  StopSteps(StopPolicy policy, StopListener listener) {
    this.policy = policy;
    this.listener = listener;
  }

  /**
   * Sends one signal after the other.
   *
   * @param daemon the daemon's process id
   * @return the time that is left of the last step when the stop was over; null if it never was
   */
  @Nullable Duration carryOut(StopTarget target, long daemon, Course course)
      throws IOException, InterruptedException {
    awaited = daemon;
    List<Step> steps = policy.steps();
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      Optional<Signal> next =
          i + 1 < steps.size() ? Optional.of(steps.get(i + 1).signal()) : Optional.empty();
      course.check();
      noteAwaited(target);
      target.send(step.signal());
      sent.add(step.signal());
      long begin = System.nanoTime();
      Duration left = step.patience();
      while (!left.isNegative()) {
        listener.waiting(awaited, time(), next, left);
        boolean ended = target.awaitEnd(atMostASecond(left));
        course.check();
        if (course.isOver(ended, left(step, begin))) {
          return left(step, begin);
        }
        noteAwaited(target);
        if (left.isZero()) {
          break;
        }
        left = left(step, begin);
      }
    }
    return null;
  }

  private void noteAwaited(StopTarget target) throws PosixException {
    PidFd alive = target.alive();
    awaited = alive == null ? awaited : alive.pid();
  }

  private static Duration left(Step step, long begin) {
    return step.patience().minusNanos(System.nanoTime() - begin);
  }

  /**
   * The time that children get to end by themselves when the daemon has ended: a second, but at
   * most half of the time that is left.
   */
  static Duration childrensTime(Duration left) {
    return atMostASecond(left.dividedBy(2));
  }

  /** The listener of a wait is told the time each second. */
  static Duration atMostASecond(Duration time) {
    return time.compareTo(SECOND) < 0 ? time : SECOND;
  }

  /**
   * Waits, after the daemon's end, until what it has printed is read.
   *
   * @param time how long that may take
   * @param target finds what the readers have started; null for a daemon that had ended before
   * @return what still reads then, in words; null for nothing
   */
  @Nullable String awaitReaders(Readers readers, Duration time, @Nullable StopTarget target)
      throws PosixException, InterruptedException {
    return ReadersEnd.await(readers, time, policy, sent.size(), target, start, listener);
  }

  /** Tells the listener what is waited for, after the last signal. */
  void tellAwaited(Duration left) {
    listener.waiting(awaited, time(), Optional.empty(), left);
  }

  /** The time since these steps were begun. */
  Duration time() {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** That something has not ended, in words: after how long, and which signals. */
  String notEnded() {
    StringBuilder words = new StringBuilder(" has not ended after ");
    words.append(time().toMillis() / 1000.0).append(" s and ");
    for (int i = 0; i < sent.size(); i++) {
      words.append(i == 0 ? "" : ", ").append(sent.get(i));
    }
    return words.toString();
  }

  /** The signals that were sent so far. */
  List<Signal> sent() {
    return List.copyOf(sent);
  }
}
