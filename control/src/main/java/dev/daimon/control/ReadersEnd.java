package dev.daimon.control;

import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.PosixException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The last step of every stop: what reads the daemon's output reads the rest, and ends. */
final class ReadersEnd {
  private ReadersEnd() {}

  /**
   * Waits until all have ended, which they do when they have read what is left; the daemon and its
   * children have ended. If the whole session is to end, they get the signals that are left of the
   * policy after that time, or at least its last one; so do the processes that they have started.
   *
   * @param readers the programs that read what the daemon has printed
   * @param time how long they may read on
   * @param sent how many signals of the policy are spent
   * @param target finds what the readers have started; null for a daemon that had ended before
   * @param stop the time since when the listener is told; it is told each second
   * @return what has not ended, in words; null for nothing
   */
  static @Nullable String await(
      Readers readers,
      Duration time,
      StopPolicy policy,
      int sent,
      @Nullable StopTarget target,
      long stop,
      StopListener listener)
      throws PosixException, InterruptedException {
    if (!policy.wholeSession()) {
      PidFd left = await(readers, null, time, stop, listener);
      return left == null ? null : readers.inWords(left);
    }
    if (target != null) {
      target.addReaders();
    }
    PidFd left = await(readers, target, time, stop, listener);
    List<StopPolicy.Step> steps = policy.steps();
    for (int i = Math.min(sent, steps.size() - 1); i < steps.size() && left != null; i++) {
      if (target == null) {
        readers.send(steps.get(i).signal());
      } else {
        target.send(steps.get(i).signal());
      }
      left = await(readers, target, steps.get(i).patience(), stop, listener);
    }
    return left == null ? null : readers.inWords(left);
  }

  /** Waits until all have ended, and returns one that has not; null if all have. */
  private static @Nullable PidFd await(
      Readers readers, @Nullable StopTarget target, Duration time, long stop, StopListener listener)
      throws PosixException, InterruptedException {
    long begin = System.nanoTime();
    PidFd next;
    while ((next = target == null ? readers.alive() : target.alive()) != null) {
      long now = System.nanoTime();
      Duration left = time.minusNanos(now - begin);
      if (!left.isPositive()) {
        return next;
      }
      listener.reading(next.pid(), Duration.ofNanos(now - stop), left);
      boolean _ = next.awaitExit(left.toSeconds() > 0 ? Duration.ofSeconds(1) : left);
    }
    return null;
  }
}
