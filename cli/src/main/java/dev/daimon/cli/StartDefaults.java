package dev.daimon.cli;

import java.nio.file.Path;
import java.time.Duration;

/** What a start does where no option says otherwise. */
final class StartDefaults {
  static final Path DIRECTORY = Path.of("/");
  static final int UMASK = 022;
  static final boolean ROOTS_PIDFILE = false;
  static final Duration TIMEOUT = Duration.ofSeconds(30);

  private StartDefaults() {}
}
