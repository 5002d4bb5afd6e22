package dev.daimon.control;

import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.posix.Descriptor;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** How one {@link ReadyCondition} is examined, again and again until it is met. */
abstract class ReadyCheck implements AutoCloseable {
  /** Never, as a pause in ns. */
  static final long FOREVER = Long.MAX_VALUE;

  private static final long SHORTEST = 10_000_000;
  private static final long LONGEST = 50_000_000;

  private long pause = SHORTEST;

  /** Gives the program what it needs to tell that it is ready. */
  void addTo(Program program, Environment environment) throws IOException {
    // Nothing, for what can be seen from outside.
  }

  /** The program runs; its process is a child of this one. */
  void started(long pid) throws IOException {
    // Nothing, for what needs no preparation.
  }

  /** What becomes readable when there is something to examine; null if nothing does. */
  @Nullable Descriptor events() {
    return null;
  }

  /** How long to wait, in ns, before the next examination without an event; grows. */
  long pause() {
    long now = pause;
    pause = Math.min(LONGEST, pause + pause / 2);
    return now;
  }

  /**
   * Whether the condition is met.
   *
   * @param main the daemon's process
   */
  abstract boolean isReady(long main) throws IOException;

  /** Why the condition can never be met, to be read behind the daemon's name; null if it can. */
  @Nullable String failure() {
    return null;
  }

  /** The process that is the daemon by now. */
  long main(long known) {
    return known;
  }

  /** That process has ended before it could become the daemon. */
  void forget(long main) {
    // Nothing, for what names no process.
  }

  /** Whether there may be more to examine at once. */
  boolean hasMore() {
    return false;
  }

  /** By how many ns from now the daemon asks to be waited for at least; taken once. */
  long extension() {
    return 0;
  }

  /** What the daemon has said about itself last. */
  String status() {
    return "";
  }

  /** What the daemon has said about its failure, to be added to words about its end. */
  String complaint() {
    return "";
  }

  /** What was not seen, in words. */
  abstract String missing(long main) throws IOException;

  @Override
  public void close() throws IOException {
    // Nothing is open.
  }
}
