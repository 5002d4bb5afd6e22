package dev.daimon.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** A limit for a figure, wherever that was measured. */
final class Goal {
  private final String words;
  private final double most;
  private final String unit;
  private final List<String> missed = new ArrayList<>();
  private double worst = Double.NEGATIVE_INFINITY;
  private String worstPlace = "";

  /** A figure that must be at most this. */
  Goal(String words, double most, String unit) {
    this.words = words;
    this.most = most;
    this.unit = unit;
  }

  void check(String place, double figure) {
    if (figure > worst) {
      worst = figure;
      worstPlace = place;
    }
    if (figure > most) {
      missed.add(place + ": " + Text.number(figure) + unit);
    }
  }

  String words() {
    return words;
  }

  String verdict() {
    if (worstPlace.isEmpty()) {
      return "not measured";
    }
    return missed.isEmpty()
        ? "**held**; at most " + Text.number(worst) + unit + " (" + worstPlace + ")"
        : "**missed** (" + String.join("; ", missed) + ")";
  }
}
