package dev.daimon.startup;

/** Where the steps are told, as they are taken. */
public interface Progress {
  /** Nowhere. */
  Progress UNTOLD =
      new Progress() {
        @Override
        public void step(String message) {
          // Nobody asked.
        }
      };

  /** Tells of one step, in words for a person. */
  void step(String message);
}
