package dev.daimon.locking;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HolderTest {
  @Test
  void aNameIsShownIfItIsKnown() {
    assertThat(new Holder(12, "nginx")).hasToString("process 12 (nginx)");
    assertThat(new Holder(12, "")).hasToString("process 12");
  }

  @Test
  void aListNamesUpToEight() {
    List<Holder> holders = new ArrayList<>();
    assertThat(Holder.inWords(holders)).isEqualTo("a process that could not be found");
    holders.add(new Holder(1, "a"));
    assertThat(Holder.inWords(holders)).isEqualTo("process 1 (a)");
    holders.add(new Holder(2, ""));
    assertThat(Holder.inWords(holders)).isEqualTo("process 1 (a), process 2");
    for (int pid = 3; pid <= 10; pid++) {
      holders.add(new Holder(pid, "b"));
    }
    assertThat(Holder.inWords(holders)).endsWith("process 8 (b) and 2 more");
  }

  @Test
  void aNameThatAProcessHasGivenItselfDoesNotReachTheTerminal() {
    assertThat(new Holder(7, "\u001b[2J\nfree")).hasToString("process 7 (?[2J?free)");
  }
}
