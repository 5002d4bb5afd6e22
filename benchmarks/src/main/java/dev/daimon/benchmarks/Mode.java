package dev.daimon.benchmarks;

/** How long everything is measured. */
enum Mode {
  /** Everything once, to see that nothing is broken. Says nothing about time. */
  SMOKE(1, 5, 1, 1, 100, 10),
  /** Five minutes on two processors. */
  SHORT(5, 30, 11, 2, 10_000, 500),
  /** Forty minutes. */
  FULL(16, 250, 61, 11, 10_000, 500);

  /** Rounds within a process, the first one for warming up. */
  final int rounds;

  /** Of each subject in each of them. */
  final int milliseconds;

  /** Rounds of whole processes, the first one for warming up. */
  final int processRounds;

  /** Rounds of what takes seconds. */
  final int slowRounds;

  /** The most children to wait for. */
  final int children;

  /** Ends of children that are timed one by one. */
  final int ends;

  Mode(int rounds, int milliseconds, int processRounds, int slowRounds, int children, int ends) {
    this.rounds = rounds;
    this.milliseconds = milliseconds;
    this.processRounds = processRounds;
    this.slowRounds = slowRounds;
    this.children = children;
    this.ends = ends;
  }
}
