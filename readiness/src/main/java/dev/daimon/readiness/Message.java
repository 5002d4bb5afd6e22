package dev.daimon.readiness;

import java.util.Objects;

/** A message of a daemon to its launcher. */
public sealed interface Message {
  /**
   * The daemon says what it is doing.
   *
   * @param text for people to read; may have several lines
   */
  record Status(String text) implements Message {
    /** Checks that the text is not null. */
    public Status {
      Objects.requireNonNull(text, "text");
    }
  }

  /** The daemon is ready, and waits for {@link LauncherEnd#confirm()}. */
  record Ready() implements Message {}

  /**
   * The daemon has failed and gives up.
   *
   * @param exitCode the exit code for the launcher, from 1 to 255
   * @param text the reason; may have several lines
   */
  record Failed(int exitCode, String text) implements Message {
    /**
     * Checks both.
     *
     * @throws IllegalArgumentException if the exit code is outside of its range
     */
    public Failed {
      Objects.requireNonNull(text, "text");
      if (exitCode < 1 || exitCode > 255) {
        throw new IllegalArgumentException("not the exit code of a failure: " + exitCode);
      }
    }
  }

  /** The daemon, and all processes that shared its end, have closed it or ended. */
  record Ended() implements Message {}
}
