package dev.daimon.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Torture;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A JVM that controls daemons for a long time needs no more in the end than in the beginning. It is
 * here because the plots are: with {@code -Ddaimon.write.reference=true} this one is written anew.
 */
@Tag("torture")
class LifeTest {
  private static final int CYCLES = Torture.size(20_000, 200);
  private static final int PROCESSES = Torture.size(1_000_000, 10_000) / LifeProgram.WAITS;
  private static final int SAMPLES = CYCLES < 2000 ? 30 : 100;

  /** Until every class is loaded and compiled. */
  private static final int WARM_UP = SAMPLES / 10;

  /** What is sampled; and by how much the last third may be more than the first one. */
  private enum Column {
    // One may come late: a leak has more.
    DESCRIPTORS(0, "descriptors", 1),
    THREADS(1, "threads", 1),
    CHILDREN(2, "children", 0),
    FILES(3, "files", 0),
    HEAP(4, "heap after a collection, KiB", 512),
    NATIVE(5, "native memory, KiB", 1024),
    RESIDENT(6, "resident memory, KiB", 2048);

    final int place;
    final String words;
    final long growth;

    Column(int place, String words, long growth) {
      this.place = place;
      this.words = words;
      this.growth = growth;
    }
  }

  @TempDir Path directory;

  @Test
  void aLongLifeNeedsNoMoreInTheEndThanInTheBeginning() throws Exception {
    List<long[]> samples = samples();

    assertThat(samples).hasSize(SAMPLES);
    List<long[]> judged = samples.subList(WARM_UP, SAMPLES);
    int third = judged.size() / 3;
    List<String> grown = new ArrayList<>();
    StringBuilder figures =
        new StringBuilder("life: " + CYCLES + " cycles, " + PROCESSES + " processes\n");
    for (Column column : Column.values()) {
      long first = value(column, judged.subList(0, third));
      long last = value(column, judged.subList(judged.size() - third, judged.size()));
      String words = "| " + column.words + " | " + first + " | " + last + " |\n";
      figures.append(words);
      if (last - first > column.growth) {
        grown.add(words);
      }
    }
    System.out.print(figures);
    plot(samples)
        .write(
            Boolean.getBoolean("daimon.write.reference")
                ? Path.of("../docs/reliability")
                : Path.of("target"));
    assertThat(grown).isEmpty();
  }

  /** Of what is counted the most, of memory the median. */
  private static long value(Column column, List<long[]> samples) {
    long[] sorted = samples.stream().mapToLong(sample -> sample[column.place]).sorted().toArray();
    return sorted[column.place < Column.HEAP.place ? sorted.length - 1 : sorted.length / 2];
  }

  private List<long[]> samples() throws IOException, InterruptedException {
    Process life =
        ChildJvm.of(LifeProgram.class)
            .startedBy("env", "-C", directory.toString())
            .option("-XX:NativeMemoryTracking=summary")
            .option("-XX:-UseDynamicNumberOfCompilerThreads")
            // A heap whose pages are all there, so that resident memory shows the rest.
            .option("-Xms32m")
            .option("-Xmx32m")
            .option("-XX:+AlwaysPreTouch")
            .start(SAMPLES, CYCLES, PROCESSES);
    List<long[]> samples = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(life.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        samples.add(Arrays.stream(line.split(" ", -1)).mapToLong(Long::parseLong).toArray());
      }
      assertThat(life.waitFor()).isZero();
    } finally {
      life.descendants().forEach(ProcessHandle::destroyForcibly);
      life.destroyForcibly();
    }
    return samples;
  }

  private static Plot plot(List<long[]> samples) {
    Plot plot =
        Plot.linear(
            "life",
            "A long life: what a JVM needs while it controls daemons",
            "cycles of start, status and stop",
            "per cent of the first third");
    int third = (samples.size() - WARM_UP) / 3;
    for (Column column :
        List.of(Column.RESIDENT, Column.NATIVE, Column.HEAP, Column.DESCRIPTORS, Column.THREADS)) {
      String name = column.words.replaceFirst(",.*", "");
      double first = value(column, samples.subList(WARM_UP, WARM_UP + third));
      for (int i = 0; i < samples.size(); i++) {
        double x = (double) CYCLES * (i + 1) / samples.size();
        plot.point(name, x, 100 * samples.get(i)[column.place] / first);
      }
    }
    return plot;
  }
}
