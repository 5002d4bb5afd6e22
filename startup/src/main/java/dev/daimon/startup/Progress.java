package dev.daimon.startup;

/** Receives the steps of a start while they are taken, such as for {@code daimon start -v}. */
@FunctionalInterface
public interface Progress {
  /** Ignores all steps. */
  Progress IGNORED =
      new Progress() {
        @Override
        public void step(String message) {
          // Nobody asked for it.
        }
      };

  /**
   * Reports one step.
   *
   * @param message what was done, such as {@code locked /run/x.pid}
   */
  void step(String message);
}
