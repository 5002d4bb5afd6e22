package dev.daimon.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * The program of a JVM in which subjects are measured in turn, round after round: {@code InProcess
 * ROUNDS MILLISECONDS SUBJECT...}, see {@link Subject#word()}.
 *
 * <p>JMH would give each subject a JVM of its own, one after the other: on a machine with other
 * work they would not meet the same load, nor the same heap.
 */
final class InProcess {
  /** The time to warm the JVM up before the first round, for all subjects together. */
  private static final int COMPILING_MILLIS = 3000;

  private InProcess() {}

  public static void main(String[] arguments) throws Exception {
    int rounds = Integer.parseInt(arguments[0]);
    int milliseconds = Integer.parseInt(arguments[1]);
    List<String[]> subjects = new ArrayList<>();
    for (String word : Arrays.asList(arguments).subList(2, arguments.length)) {
      subjects.add(word.split("\t", -1));
    }
    int compiled = (int) subjects.stream().filter(subject -> !isProgram(subject)).count();
    for (int round = 0; round < rounds; round++) {
      // The JVM compiles in the first round. It is printed, too, and the reader leaves it out.
      int warmUp =
          round == 0 && rounds > 1
              ? Math.max(milliseconds, COMPILING_MILLIS / Math.max(1, compiled))
              : milliseconds;
      for (String[] subject : subjects) {
        String figures =
            isProgram(subject) ? run(subject, milliseconds) : jmh(subject, warmUp, milliseconds);
        System.out.println(subject[0] + "\t" + figures);
      }
      subjects = subjects.reversed();
    }
  }

  private static boolean isProgram(String[] subject) {
    return subject[1].equals("run");
  }

  /** The nanoseconds of one operation, and the bytes that it allocates. */
  private static String jmh(String[] subject, int warmUp, int milliseconds) throws RunnerException {
    boolean mean = subject[1].equals("mean");
    TimeValue measured = TimeValue.milliseconds(milliseconds);
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include("\\." + subject[2].replace(".", "\\.") + "$")
            .forks(0)
            .mode(mean ? Mode.AverageTime : Mode.SampleTime)
            .timeUnit(TimeUnit.NANOSECONDS)
            .warmupIterations(1)
            .warmupTime(TimeValue.milliseconds(warmUp))
            .measurementIterations(1)
            .measurementTime(measured)
            .shouldFailOnError(true)
            .addProfiler(GCProfiler.class)
            .verbosity(VerboseMode.SILENT);
    for (String parameter : Arrays.asList(subject).subList(3, subject.length)) {
      int equals = parameter.indexOf('=');
      options.param(parameter.substring(0, equals), parameter.substring(equals + 1));
    }
    RunResult result = new Runner(options.build()).runSingle();
    Result<?> bytes = result.getSecondaryResults().get("gc.alloc.rate.norm");
    Result<?> time = result.getPrimaryResult();
    double figure = mean ? time.getScore() : time.getStatistics().getPercentile(50);
    return figure + "\t" + (bytes == null ? 0 : bytes.getScore());
  }

  private static String run(String[] subject, int milliseconds)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(Arrays.asList(subject).subList(2, subject.length));
    command.replaceAll(word -> word.equals(Subject.TIME) ? String.valueOf(milliseconds) : word);
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try (BufferedReader output = process.inputReader()) {
      String line = output.readLine();
      if (process.waitFor() != 0) {
        throw new IOException(command + " has failed");
      }
      return line + "\t0";
    }
  }
}
