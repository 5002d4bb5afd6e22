package dev.daimon.benchmarks;

import java.io.IOException;

/** Something that is measured: one part of the report. */
interface Experiment {
  /** Measures, and returns the part of the report. */
  Section run(Lab lab) throws IOException, InterruptedException;
}
