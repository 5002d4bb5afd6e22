package dev.daimon.control;

import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** Somebody who is told what an action meets besides its outcome, on the thread that acts. */
public interface ActionListener {
  /**
   * Another action is under way, so this one waits for its turn; told once, at the begin of the
   * wait.
   *
   * @param holders who holds the guard; empty if they cannot be seen
   */
  default void waiting(List<Holder> holders) {
    Objects.requireNonNull(holders, "holders");
  }

  /**
   * Something has failed when the action was done already, and changes nothing of that.
   *
   * @param failure what has failed
   */
  default void failedAfterwards(IOException failure) {
    Objects.requireNonNull(failure, "failure");
  }
}
