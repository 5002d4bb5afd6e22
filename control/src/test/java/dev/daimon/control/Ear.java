package dev.daimon.control;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Hears what is told after an action was done. */
final class Ear implements ActionListener {
  final List<String> told = new ArrayList<>();

  @Override
  public void failedAfterwards(IOException failure) {
    told.add(failure.getMessage());
  }
}
