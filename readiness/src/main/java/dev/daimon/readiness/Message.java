package dev.daimon.readiness;

import java.util.Objects;

/** What a daemon tells its launcher. */
public sealed interface Message {
  /**
   * What the daemon is doing.
   *
   * @param text for people to read; may have several lines
   */
  record Status(String text) implements Message {
    /** Takes no null. */
    public Status {
      Objects.requireNonNull(text, "text");
    }
  }

  /** The daemon does its work, and waits for {@link LauncherEnd#confirm()}. */
  record Ready() implements Message {}

  /**
   * The daemon gives up.
   *
   * @param exitCode what the launcher should exit with, from 1 to 255
   * @param text why; may have several lines
   */
  record Failed(int exitCode, String text) implements Message {
    /** Takes no null. */
    public Failed {
      Objects.requireNonNull(text, "text");
    }
  }

  /** Nothing more will come: the daemon, and all that shared its end, have closed it or ended. */
  record Ended() implements Message {}
}
