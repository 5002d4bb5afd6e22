package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.NearlyValid;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Files of {@code /proc} in which a process has put a name that looks like something else. */
@Tag("torture")
class ProcInputTest {
  /** The most bytes of a name; kernel threads may have longer ones. */
  private static final int NAME = 64;

  private static final String FIELDS =
      "S 12 4711 4712 34816 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 8192 77 18446744073709551615"
          + " 0 0 0\n";

  @Test
  void aNameIsNoFieldOfAStat() throws Exception {
    NearlyValid.of("sh", "a) S (1 2", "x) Z 1 1 1", "(", ")", "kworker/u8:3-events")
        .check(input -> {
          String name = NearlyValid.text(Arrays.copyOf(input, Math.min(input.length, NAME)));
          ProcStat stat = new ProcStat("4713 (" + name + ") " + FIELDS);
          assertThat(stat.name()).isEqualTo(name);
          assertThat(stat.isZombie()).isFalse();
          assertThat(stat.residentPages()).isEqualTo(77);
          assertThat(stat.parent()).isEqualTo(12);
          assertThat(stat.group()).isEqualTo(4711);
          assertThat(stat.startTicks()).isEqualTo(123456);
          assertThat(stat.session()).isEqualTo(4712);
          assertThat(stat.terminal()).isEqualTo(34816);
          assertThat(stat.flags()).isEqualTo(4194560);
          return name.indexOf(')') < 0;
        });
  }

  @Test
  void aNameIsNoFieldOfAStatus() throws Exception {
    NearlyValid.of("sh", "a\nUid:\t7\t7\t7\t7", "\nGroups:\t0", "\\nUid:\t0", "Uid:\t0")
        .check(input -> {
          String name = NearlyValid.text(Arrays.copyOf(input, Math.min(input.length, NAME)));
          // As the kernel does.
          String shown = name.replace("\\", "\\\\").replace("\n", "\\n");
          ProcStatus status =
              new ProcStatus(
                  "Name:\t" + shown + "\nUid:\t1\t2\t3\t4294967294\nGroups:\t5 6 \nPid:\t9\n");
          assertThat(status.ids("Uid")).containsExactly(1, 2, 3, -2);
          assertThat(status.ids("Groups")).containsExactly(5, 6);
          assertThat(status.field("Pid")).isEqualTo("9");
          return name.equals(shown);
        });
  }
}
