package dev.daimon.benchmarks;

/** How long to measure. */
enum Mode {
  /** Everything once, to see that it works. The times mean nothing. */
  SMOKE(1, 5, 1, 1, 100, 10, 1),
  /** Five minutes on two processors. */
  SHORT(5, 30, 11, 2, 10_000, 500, 100),
  /** Forty minutes. */
  FULL(16, 250, 61, 11, 10_000, 500, 1000);

  /** Rounds within a process, the first one for warming up. */
  final int rounds;

  /** How long each subject is measured in each of these rounds. */
  final int milliseconds;

  /** Rounds of whole processes, the first one for warming up. */
  final int processRounds;

  /** Rounds of commands that take seconds. */
  final int slowRounds;

  /** The largest number of children to wait for. */
  final int children;

  /** How many ends of children are timed, one by one. */
  final int ends;

  /** The largest number of daemons in a list. */
  final int daemons;

  Mode(
      int rounds,
      int milliseconds,
      int processRounds,
      int slowRounds,
      int children,
      int ends,
      int daemons) {
    this.rounds = rounds;
    this.milliseconds = milliseconds;
    this.processRounds = processRounds;
    this.slowRounds = slowRounds;
    this.children = children;
    this.ends = ends;
    this.daemons = daemons;
  }
}
