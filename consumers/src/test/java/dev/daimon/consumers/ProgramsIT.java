package dev.daimon.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Jdk;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The programs, run by the JDK that has built them. */
class ProgramsIT extends Programs {
  @Override
  Jdk jdk() {
    return Jdk.own();
  }

  /** What a repository brings along, in the order of the alphabet. */
  @ParameterizedTest
  @CsvSource({
    "posix, daimon-posix",
    "pidfile, daimon-pidfile daimon-posix",
    "locking, daimon-locking daimon-posix",
    "forking, daimon-forking daimon-posix",
    "privileges, daimon-posix daimon-privileges",
    "signals, daimon-posix daimon-signals",
    "readiness, daimon-posix daimon-readiness",
    "pidfd, daimon-pidfd daimon-posix",
    "startup, daimon-forking daimon-locking daimon-pidfile daimon-posix daimon-privileges"
        + " daimon-readiness daimon-startup",
    "control, daimon-control daimon-forking daimon-locking daimon-pidfd daimon-pidfile daimon-posix"
        + " daimon-privileges daimon-readiness daimon-startup",
    "daemon, daimon daimon-forking daimon-locking daimon-pidfile daimon-posix daimon-privileges"
        + " daimon-readiness daimon-signals daimon-startup",
    "command, daimon daimon-command daimon-control daimon-forking daimon-locking daimon-pidfd"
        + " daimon-pidfile daimon-posix daimon-privileges daimon-readiness daimon-signals"
        + " daimon-startup",
    "bom, daimon-locking daimon-posix"
  })
  void aProgramHasWhatItNeedsAndNothingElse(String program, String libraries) throws Exception {
    assertThat(Consumers.libraries(program)).containsExactly(libraries.split(" "));
  }
}
