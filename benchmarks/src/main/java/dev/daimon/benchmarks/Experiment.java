package dev.daimon.benchmarks;

import java.io.IOException;

/** Something that is measured: one part of the report. */
interface Experiment {
  /** Measures it, and says what came of it. */
  Section run(Lab lab) throws IOException, InterruptedException;
}
