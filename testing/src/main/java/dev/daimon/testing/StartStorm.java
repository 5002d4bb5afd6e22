package dev.daimon.testing;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Rounds of many simultaneous starts of one daemon, while another process unlinks, renames and
 * recreates its pidfile. After each round this judges the exit codes, the processes, and all that
 * was read in the pidfile meanwhile.
 *
 * <p>If the other process obeys the rule (it changes the file only under its lock), one start
 * succeeds, all others exit with 69, and the pidfile is empty, old, or right at any time. If it
 * does not, it can take a running daemon's pidfile away, so that another start may succeed. What is
 * left then: a start that exits with 0 has started its daemon, any other one has left no process,
 * every daemon holds a lock, and at rest the pidfile names no process that is no daemon. And where
 * starts have a name, and so a record, there is one daemon even so, if no start is killed.
 *
 * <p>In a round with kills two thirds of the starts are killed at random moments. A start that is
 * killed has started its daemon, or has left nothing.
 */
public final class StartStorm {
  private static final int ALREADY_RUNNING = 69;
  private static final int REPLACED = 73;
  private static final int CANNOT_TELL = 4;
  private static final int TIMED_OUT = 75;
  private static final int DEADLINE_SECONDS = 300;

  /** The reader's: it should not take a processor from the starts. */
  private static final long PAUSE_NANOS = 20_000;

  /** A start waits for its line: so all of them go on at once. */
  private static final List<String> AT_ONCE =
      List.of("/bin/sh", "-c", "read _; exec \"$@\" </dev/null", "start");

  /** What is started, and how. */
  public interface Subject {
    /** A start, not yet started; the daemon has the word on its command line. */
    ProcessBuilder start(String word) throws Exception;

    /** The processes of a start that is under way, the one that was started first. */
    List<ProcessHandle> launchers(ProcessHandle start);

    /** Whether this process is a daemon that runs, and does not only start. */
    boolean isDaemon(ProcessHandle process, String word) throws IOException;
  }

  private final ProcessSandbox sandbox;
  private final Path pidFile;
  private final Subject subject;
  private final Meddling meddling;
  private final boolean obeys;
  private final boolean named;
  private final Random random = Torture.random();

  /** What the pidfile may hold: nothing, and what was there before the round. */
  private final Set<String> old = new HashSet<>(Set.of("", Meddler.STALE));

  private final Set<String> seen = ConcurrentHashMap.newKeySet();
  private int rounds;
  private int words;
  private long nanos = TimeUnit.SECONDS.toNanos(1);
  private boolean slow;
  private long reads;
  private long winners;

  private final Map<String, Process> starts = new HashMap<>();
  private final Map<String, ProcessHandle> daemons = new HashMap<>();
  private final Set<String> victims = new HashSet<>();
  private String summary = "";

  /**
   * A storm.
   *
   * @param named whether a start is recorded by a name
   */
  public StartStorm(
      ProcessSandbox sandbox, Path pidFile, Subject subject, Meddling meddling, boolean named) {
    this.sandbox = sandbox;
    this.pidFile = pidFile;
    this.subject = subject;
    this.meddling = meddling;
    this.obeys = meddling == Meddling.OBEYS;
    this.named = named;
  }

  /**
   * Runs a round, and judges it.
   *
   * @param count how many starts there are
   * @param kills whether two thirds of them are killed
   * @return the daemons that run now: at most one if the rule is obeyed
   */
  public List<ProcessHandle> round(int count, boolean kills) throws Exception {
    rounds++;
    starts.clear();
    victims.clear();
    daemons.clear();
    seen.clear();
    try (Meddler meddler = new Meddler(sandbox, pidFile, meddling, random)) {
      Thread reader = Thread.ofPlatform().start(this::readPidFile);
      try {
        prepare(count);
        long begin = System.nanoTime();
        for (Process start : starts.values()) {
          try (OutputStream line = start.getOutputStream()) {
            line.write('\n');
          }
        }
        if (kills) {
          kill();
        }
        awaitStarts();
        long time = System.nanoTime() - begin;
        slow = time >= TimeUnit.MINUTES.toNanos(1);
        nanos = kills ? nanos : time;
        ProcessSandbox.await("every start to be over", () -> isSettled(meddler.pid()));
      } finally {
        reader.interrupt();
        reader.join();
      }
    }
    judge(kills);
    return List.copyOf(daemons.values());
  }

  /** Ends the daemons of the round; their pidfile stays. */
  public void endDaemons() throws Exception {
    for (ProcessHandle daemon : daemons.values()) {
      old.add(daemon.pid() + "\n");
      daemon.destroyForcibly();
    }
    sandbox.awaitEnd();
  }

  /** What all rounds together were. */
  public String figures() {
    return meddling
        + ": "
        + rounds
        + " rounds, "
        + words
        + " starts, "
        + winners
        + " daemons, "
        + reads
        + " reads";
  }

  /** The exit codes of the round, for messages. */
  public String summary() {
    return summary;
  }

  private void prepare(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      // A number of seconds that sleep accepts.
      String word = Integer.toString(1_000_000 + words++);
      ProcessBuilder start = subject.start(word);
      List<String> command = new ArrayList<>(AT_ONCE);
      command.addAll(start.command());
      start.command(command);
      start.redirectErrorStream(true).redirectOutput(output(word).toFile());
      starts.put(word, start.start());
    }
  }

  private Path output(String word) {
    return sandbox.file("start-" + word);
  }

  /** Kills two thirds of the starts, at moments from now until such a round is usually over. */
  private void kill() {
    List<String> chosen = new ArrayList<>(starts.keySet());
    Collections.sort(chosen);
    Collections.shuffle(chosen, random);
    int count = chosen.size() * 2 / 3;
    long begin = System.nanoTime();
    long[] moments = random.longs(count, 0, nanos).sorted().toArray();
    for (int i = 0; i < count; i++) {
      long left = begin + moments[i] - System.nanoTime();
      if (left > 0) {
        LockSupport.parkNanos(left);
      }
      String word = chosen.get(i);
      ProcessHandle start = Objects.requireNonNull(starts.get(word)).toHandle();
      if (start.isAlive()) {
        victims.add(word);
        kill(subject.launchers(start), random.nextInt(3));
      }
    }
  }

  /** The first one, the others, or all. */
  private static void kill(List<ProcessHandle> launchers, int how) {
    int first = how == 0 ? 1 : 0;
    int end = how == 1 ? 1 : launchers.size();
    launchers.subList(Math.min(first, end), end).forEach(ProcessHandle::destroyForcibly);
  }

  private boolean isDaemon(ProcessHandle process, String word) {
    try {
      return subject.isDaemon(process, word);
    } catch (IOException gone) {
      return false;
    }
  }

  private void awaitStarts() throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    for (var start : starts.entrySet()) {
      if (!start.getValue().waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw failure("start " + start.getKey() + " did not end");
      }
    }
  }

  /** Whether there are no processes but daemons; finds these. */
  private boolean isSettled(long meddler) throws IOException {
    daemons.clear();
    for (ProcessHandle process : sandbox.processes()) {
      if (process.pid() == meddler) {
        continue;
      }
      String word = wordOf(process);
      if (!starts.containsKey(word) || !isDaemon(process, word)) {
        return false;
      }
      daemons.put(word, process);
    }
    return true;
  }

  private static String wordOf(ProcessHandle process) {
    try {
      List<String> line = ProcessSandbox.strings(Path.of("/proc/" + process.pid() + "/cmdline"));
      return line.isEmpty() ? "" : line.getLast();
    } catch (IOException gone) {
      return "";
    }
  }

  /**
   * Notes what the pidfile holds, as one that believes what it has read twice, unless it names a
   * process that lives: a daemon that is starting, and may be taken back when its launcher is
   * killed.
   */
  private void readPidFile() {
    while (!Thread.interrupted()) {
      String text = content();
      if (text.equals(content())) {
        reads++;
        if (!namesLiving(text) && text.equals(content())) {
          seen.add(text);
        }
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }

  private static boolean namesLiving(String text) {
    return text.matches("[0-9]{1,9}\n")
        && ProcessHandle.of(Long.parseLong(text.strip())).isPresent();
  }

  /** The content of the pidfile; none if there is no file. */
  private String content() {
    // Not by a channel, which an interrupt would close.
    try (InputStream file = new FileInputStream(pidFile.toFile())) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException gone) {
      return "";
    }
  }

  private void judge(boolean kills) throws IOException {
    Map<Integer, Integer> codes = new HashMap<>();
    starts.forEach((word, start) -> codes.merge(start.exitValue(), 1, Integer::sum));
    summary =
        "round "
            + rounds
            + ", "
            + Torture.seed()
            + ": exit codes "
            + codes
            + ", daemons of "
            + daemons.keySet()
            + ", killed "
            + victims.size();
    for (var start : starts.entrySet()) {
      judge(start.getKey(), start.getValue().exitValue());
    }
    int least = kills || !obeys ? 0 : 1;
    // A start that is killed before its record is written has a daemon that is not recorded.
    boolean one = obeys || (named && !kills);
    if (daemons.size() < least || (one && daemons.size() > 1)) {
      throw failure(daemons.size() + " daemons run");
    }
    Set<String> right = new HashSet<>(old);
    for (ProcessHandle daemon : daemons.values()) {
      right.add(daemon.pid() + "\n");
      List<Path> locked = locked(daemon.pid());
      if (locked.isEmpty()) {
        throw failure("the daemon " + daemon.pid() + " holds no lock");
      }
      if (obeys && !hasPidFile(locked)) {
        String files = "";
        for (Path file : locked) {
          files += " " + Files.readSymbolicLink(file);
        }
        throw failure(
            "the daemon "
                + daemon.pid()
                + " has not locked the pidfile, which "
                + (Files.exists(pidFile) ? "has in it " + content() : "is missing")
                + ", but"
                + files);
      }
    }
    Set<String> wrong = new HashSet<>(obeys ? seen : Set.of());
    wrong.add(content());
    wrong.removeAll(right);
    if (!wrong.isEmpty()) {
      throw failure("the pidfile had in it " + wrong + ", and not only " + right);
    }
    winners += daemons.size();
    for (String word : starts.keySet()) {
      Files.delete(output(word));
    }
  }

  private void judge(String word, int code) throws IOException {
    boolean runs = daemons.containsKey(word);
    // For the guard it waits a minute, which a busy machine may take.
    boolean late = code == TIMED_OUT && slow;
    boolean loses =
        late
            || code == ALREADY_RUNNING
            || (!obeys && (code == REPLACED || (named && code == CANNOT_TELL)));
    if (code == 0 ? !runs : (!loses || runs) && !victims.contains(word)) {
      throw failure(
          "the start of "
              + word
              + (victims.contains(word) ? ", which was killed," : "")
              + " exited with "
              + code
              + (runs ? " and has a daemon: " : " and has none: ")
              + ProcessSandbox.beginning(output(word)));
    }
  }

  /** The files that a process holds a lock of, as its descriptors. */
  private static List<Path> locked(long pid) throws IOException {
    Path process = Path.of("/proc/" + pid);
    List<Path> locked = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(process.resolve("fdinfo"))) {
      for (Path file : files) {
        if (Files.readString(file).contains("FLOCK  ADVISORY  WRITE")) {
          locked.add(process.resolve("fd").resolve(file.getFileName()));
        }
      }
    }
    return locked;
  }

  /** Not by /proc/locks: a long list that changes may be read with gaps. */
  private boolean hasPidFile(List<Path> locked) throws IOException {
    for (Path file : locked) {
      if (Files.exists(pidFile) && Files.isSameFile(file, pidFile)) {
        return true;
      }
    }
    return false;
  }

  private AssertionError failure(String what) {
    return new AssertionError(
        summary.isEmpty() ? Torture.seed() + ": " + what : summary + ": " + what);
  }
}
