package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.forking.Child;
import dev.daimon.posix.Signal;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whatever becomes of an action, it closes what it has opened. */
class DescriptorLeakTest {
  private static final Duration LATE = Duration.ofMinutes(1);
  private static final StopPolicy BRIEF = StopPolicy.of(Signal.TERM, Duration.ofMillis(100));
  private static final StopPolicy KILLING = BRIEF.then(Signal.KILL, LATE);

  @RegisterExtension final Daemons daemons = new Daemons();

  /** The handles of processes and the files of the daemon that this JVM has open. */
  private List<String> open() throws IOException {
    String directory = daemons.directory().toString();
    return Proc.descriptors("self").values().stream()
        .filter(to -> to.startsWith(directory) || (!to.startsWith("/") && to.contains("pidfd")))
        .toList();
  }

  @Test
  void ofStarts() throws Exception {
    DaemonControl control = daemons.control();
    control.status();
    control.start(daemons.daemon("exec sleep 1000"));
    assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.ALREADY_DONE);
    control.status();
    Daemons.kill(Daemons.pid(daemons.pidFile()));
    control.status();
    assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.STALE);
    control.stop(StopPolicy.DEFAULT);
    Files.writeString(
        daemons.pidFile(), ProcessHandle.current().parent().orElseThrow().pid() + "\n");
    assertThatThrownBy(() -> control.start(daemons.daemon("exec sleep 1000")))
        .isInstanceOf(ControlException.class);
    Files.writeString(daemons.pidFile(), "no pidfile\n");
    assertThatThrownBy(() -> control.start(daemons.daemon("exec sleep 1000")))
        .isInstanceOf(IOException.class);
    control.status();

    assertThat(open()).isEmpty();
  }

  @Test
  void ofStops() throws Exception {
    DaemonControl control = daemons.control();
    control.stop(StopPolicy.DEFAULT);
    daemons.start("trap '' TERM; : >trapped; while :; do sleep 0.05; done", "sh");
    Daemons.await("the trap", () -> Files.exists(daemons.file("trapped")));
    assertThatThrownBy(() -> control.stop(BRIEF)).isInstanceOf(ControlException.class);
    assertThat(control.awaitStop(Duration.ofMillis(10))).isFalse();
    assertThatThrownBy(() -> control.stop(BRIEF.ofWholeSession()))
        .isInstanceOf(ControlException.class);
    control.stop(KILLING.ofWholeSession());
    assertThat(control.awaitStop(Duration.ZERO)).isTrue();
    // A child that has the lock, beside the daemon and after it.
    long pid = daemons.start("sleep 1000 & exec tail -f /dev/null", "tail");
    control.restart(daemons.daemon("sleep 1000 & exec tail -f /dev/null"), KILLING);
    long next = Daemons.pid(daemons.pidFile());
    assertThat(next).isNotEqualTo(pid);
    Daemons.await("the daemon", () -> Daemons.status(next, "Name").equals("tail"));
    Daemons.kill(next);
    assertThatThrownBy(() -> control.stop(KILLING)).isInstanceOf(ControlException.class);
    assertThat(control.awaitStop(Duration.ofMillis(10))).isFalse();
    control.stop(KILLING.ofWholeSession());

    assertThat(open()).isEmpty();
  }

  @Test
  void ofStopsThatWaitForReaders() throws Exception {
    long reader = daemons.bystander("sleep", "1001").pid();
    long pid = daemons.start("exec sleep 1000", "sleep");
    try (Guard guard = Guard.acquire(Guard.beside(daemons.pidFile()), Duration.ZERO)) {
      OutputReader known = Daemons.reader(reader, "|sleep");
      OutputReader reused =
          new OutputReader("stderr", "|other", pid, known.startTicks() - 1, false);
      guard.record(pid, daemons.pidFile(), List.of(known, reused));
    }
    daemons.control().status();
    daemons.control().stop(BRIEF);
    daemons.control().status();
    daemons.control().stop(KILLING.ofWholeSession());

    assertThat(open()).isEmpty();
  }

  @Test
  void ofOverlappingRestarts() throws Exception {
    StartSpec other = daemons.daemon("exec sleep 3000");
    StopListener quiet = (pid, waited, next, left) -> {};
    daemons.start("sleep 1000 & exec tail -f /dev/null", "tail");
    OverlapSpec works =
        old -> {
          Child next = daemons.shell("exec sleep 1000").keep(old.lock()).spawn();
          old.replaceBy(next.pid());
          return next.pid();
        };
    daemons.control().restartOverlapping(other, works, KILLING, quiet);
    OverlapSpec ends =
        old -> {
          Child next = daemons.shell("exec sleep 1000").keep(old.lock()).spawn();
          old.replaceBy(next.pid());
          next.signal(Signal.KILL);
          next.waitFor();
          return next.pid();
        };
    assertThatThrownBy(() -> daemons.control().restartOverlapping(other, ends, KILLING, quiet))
        .isInstanceOf(ControlException.class);
    OverlapSpec fails =
        _ -> {
          throw new IOException("no program");
        };
    assertThatThrownBy(() -> daemons.control().restartOverlapping(other, fails, KILLING, quiet))
        .hasMessage("no program");
    assertThat(daemons.control().status().pid()).isNotEqualTo(Optional.empty());

    assertThat(open()).isEmpty();
  }
}
