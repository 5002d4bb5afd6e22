package dev.daimon.benchmarks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The figures of the rounds: one for each subject in each round. */
final class Samples {
  private final Map<String, List<Double>> figures = new LinkedHashMap<>();

  void add(String subject, double figure) {
    figures.computeIfAbsent(subject, any -> new ArrayList<>()).add(figure);
  }

  void addAll(Samples other) {
    other.figures.forEach(
        (subject, more) -> figures.computeIfAbsent(subject, any -> new ArrayList<>()).addAll(more));
  }

  boolean has(String subject) {
    return figures.containsKey(subject);
  }

  /** Removes the first round, unless it is the only one. */
  void dropWarmUp() {
    for (List<Double> one : figures.values()) {
      if (one.size() > 1) {
        one.removeFirst();
      }
    }
  }

  List<Double> of(String subject) {
    return figures.get(subject);
  }

  double median(String subject) {
    return quantile(of(subject), 0.5);
  }

  /** The median of the rounds' ratios: a disturbance in a round affects both subjects. */
  double ratio(String subject, String other) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < of(subject).size(); i++) {
      ratios.add(of(subject).get(i) / of(other).get(i));
    }
    return quantile(ratios, 0.5);
  }

  static double quantile(List<Double> figures, double part) {
    double[] sorted = figures.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    double place = part * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
