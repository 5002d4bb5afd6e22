package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Torture;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever several controllers do with one daemon at once: there are never two daemons, and no
 * controller is told what cannot have been true.
 *
 * <p>An action, by its begin and end, leaves open when exactly its effect was. So a daemon's life
 * has a longest extent, and a shortest one in which it has run for sure. An answer "it runs" is
 * wrong where no longest extent overlaps the action, and any other one is wrong where a shortest
 * extent covers the action.
 */
@Tag("torture")
class ControlStormTest {
  private static final int CONTROLLERS = 8;
  private static final int SECONDS = Torture.size(120, 3);

  @RegisterExtension final Daemons daemons = new Daemons();

  /**
   * What a controller has done, and what it was told.
   *
   * @param startedAt when it had started a daemon; 0 for not at all
   * @param word what names such a daemon
   * @param pid the process that it was told of; 0 for none
   */
  private record Act(
      long begin,
      long end,
      long startedAt,
      String word,
      String action,
      String answer,
      long pid,
      String line) {
    static Act parse(String line) {
      String[] words = line.split(" ", 8);
      return new Act(
          Long.parseLong(words[0]),
          Long.parseLong(words[1]),
          Long.parseLong(words[2]),
          words[3],
          words[4],
          words[5],
          Long.parseLong(words[6]),
          line);
    }

    /** Whether a daemon may end because of it. */
    boolean ends() {
      return !List.of("start", "status", "SIGHUP", "SIGSTOP", "SIGCONT").contains(action);
    }

    boolean starts() {
      return startedAt != 0;
    }

    /** The last moment before it has started a daemon of its own. */
    long untilStart() {
      return starts() ? startedAt : end;
    }
  }

  /** A daemon: when it may have run, and when it has run for sure. */
  private static final class Life {
    final Act start;

    /** Its process; 0 if it was killed before it could say that. */
    final long pid;

    long surelyUntil = Long.MAX_VALUE;
    long perhapsUntil = Long.MAX_VALUE;

    Life(Act start, long pid) {
      this.start = start;
      this.pid = pid;
    }

    boolean mayBe(long process) {
      return pid == 0 || process == pid;
    }

    boolean perhapsRuns(long begin, long end) {
      return start.begin <= end && perhapsUntil >= begin;
    }

    boolean surelyRuns(long begin, long end) {
      return start.startedAt <= begin && surelyUntil >= end;
    }
  }

  /** With a guard of its own nobody waits for anybody: only the pidfile's lock is left. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noControllerMakesASecondDaemonOrIsToldWhatIsNotTrue(boolean guarded) throws Exception {
    List<Act> acts = acts(guarded);

    assertThat(daemons.file("two")).as(Torture.seed()).doesNotExist();
    List<Life> lives = lives(acts, pids());
    List<String> wrong = new ArrayList<>();
    Map<String, Integer> told = new TreeMap<>();
    for (Act act : acts) {
      told.merge(act.action + " " + act.answer, 1, Integer::sum);
      if (!mayBeTrue(act, lives)) {
        wrong.add(act.line);
      }
    }
    System.out.println(
        (guarded ? "guarded: " : "unguarded: ")
            + acts.size()
            + " actions, "
            + lives.size()
            + " daemons, "
            + told);
    assertThat(wrong).as(Torture.seed()).isEmpty();

    StopResult end = daemons.control().stop(StopPolicy.DEFAULT);
    assertThat(end.outcome()).isIn(Outcome.OK, Outcome.ALREADY_DONE, Outcome.STALE);
    assertThat(daemons.processes()).isEmpty();
    assertThat(daemons.control().start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
  }

  private List<Act> acts(boolean guarded) throws Exception {
    Random random = Torture.random();
    List<String> mark = new ArrayList<>(List.of("env"));
    daemons.mark().forEach((name, value) -> mark.add(name + "=" + value));
    List<Future<List<String>>> controllers = new ArrayList<>();
    for (int i = 0; i < CONTROLLERS; i++) {
      Process controller =
          ChildJvm.of(Controller.class)
              .startedBy(mark)
              .start(
                  daemons.directory(),
                  guarded ? "d.guard" : "guard-" + i,
                  SECONDS,
                  random.nextLong());
      controllers.add(
          daemons.meanwhile(() -> {
            List<String> lines =
                new String(controller.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            assertThat(controller.waitFor()).isZero();
            return lines;
          }));
    }
    List<Act> acts = new ArrayList<>();
    for (Future<List<String>> controller : controllers) {
      controller.get().forEach(line -> acts.add(Act.parse(line)));
    }
    return acts;
  }

  /** The daemons' processes, by their words, as they have told them. */
  private Map<String, Long> pids() throws IOException {
    Map<String, Long> pids = new HashMap<>();
    for (String line : Files.readAllLines(daemons.file("daemons"))) {
      String[] words = line.split(" ", -1);
      pids.put(words[0], Long.parseLong(words[1]));
    }
    return pids;
  }

  private static List<Life> lives(List<Act> acts, Map<String, Long> pids) {
    List<Life> lives = new ArrayList<>();
    for (Act act : acts) {
      if (act.starts()) {
        lives.add(new Life(act, pids.getOrDefault(act.word, 0L)));
      }
    }
    for (Life life : lives) {
      for (Act act : acts) {
        if (act.ends() && !act.equals(life.start) && act.end >= life.start.begin) {
          life.surelyUntil = Math.min(life.surelyUntil, act.begin);
        }
        boolean stopsIt = act.action.equals("stop") && act.answer.equals("OK");
        if (stopsIt && act.pid == life.pid && act.begin >= life.start.begin) {
          life.perhapsUntil = Math.min(life.perhapsUntil, act.end);
        }
        // That is no second one: this one has ended.
        if (act.starts() && act.begin > life.start.startedAt) {
          life.perhapsUntil = Math.min(life.perhapsUntil, act.startedAt);
        }
      }
    }
    return lives;
  }

  private static boolean mayBeTrue(Act act, List<Life> lives) {
    boolean perhaps = false;
    boolean named = false;
    boolean surely = false;
    for (Life life : lives) {
      boolean runs = life.perhapsRuns(act.begin, act.end);
      perhaps |= runs;
      named |= runs && act.pid != 0 && life.mayBe(act.pid);
      surely |= life.surelyRuns(act.begin, act.untilStart());
    }
    return switch (act.action + " " + act.answer) {
      case "start ALREADY_DONE", "start HELD" -> perhaps && !act.starts();
      case "start OK", "start STALE", "restart NOT_RUNNING", "restart STALE" ->
          !surely && act.starts();
      case "restart OK" -> perhaps && act.starts();
      // Another daemon was started after the stop.
      case "restart NOT_STARTED", "restart HELD" -> perhaps && !act.starts();
      case "status RUNNING", "stop OK" -> named;
      case "stop ALREADY_DONE", "stop STALE" -> !surely;
      case "status NOT_RUNNING", "status DEAD", "status UNKNOWN" -> !surely;
      default ->
          switch (act.answer) {
            case "OK" -> perhaps && isSignal(act);
            case "NOT_RUNNING", "STALE" -> !surely && isSignal(act);
            // Somebody starts, or ends, or has left a child that has the lock.
            case "UNKNOWN" -> !surely && !act.starts();
            // For the guard, which costs a minute.
            case "BUSY" -> act.end - act.begin >= TimeUnit.MINUTES.toNanos(1);
            default -> false;
          };
    };
  }

  private static boolean isSignal(Act act) {
    return Controller.SIGNALS.stream().anyMatch(signal -> signal.name().equals(act.action));
  }
}
