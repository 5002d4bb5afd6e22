package dev.daimon.control;

import dev.daimon.locking.Holder;
import java.io.IOException;
import java.util.List;
import java.util.Objects;

/** Is told what an action meets besides its outcome. The thread that runs the action calls it. */
public interface ActionListener {
  /**
   * Called once when the action begins to wait, because another action holds the guard.
   *
   * @param holders the processes that hold the guard; empty if they cannot be seen
   */
  default void waiting(List<Holder> holders) {
    Objects.requireNonNull(holders, "holders");
  }

  /**
   * Called if something fails after the action was done. The action succeeds all the same.
   *
   * @param failure the failure
   */
  default void failedAfterwards(IOException failure) {
    Objects.requireNonNull(failure, "failure");
  }
}
