package dev.daimon.cli;

import dev.daimon.control.ActionListener;
import dev.daimon.locking.Holder;
import java.io.IOException;
import java.util.List;

/** Prints, on standard error, what an action reports besides its outcome. */
final class ActionWords implements ActionListener {
  /** Begins what does not say how an action has ended. */
  static final String WARNING = "warning: ";

  /** Begins what is told while an action waits for its turn. */
  static final String WAITING = "waiting for another action on this daemon";

  private final Terminal terminal;

  ActionWords(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void waiting(List<Holder> holders) {
    StringBuilder words = new StringBuilder(WAITING);
    for (int i = 0; i < holders.size(); i++) {
      words.append(i == 0 ? ", by " : ", ").append(holders.get(i));
    }
    terminal.error(words.append("; \"daimon signal\" does not have to wait").toString());
  }

  @Override
  public void failedAfterwards(IOException failure) {
    terminal.clear();
    terminal.error(WARNING + failure.getMessage());
  }
}
