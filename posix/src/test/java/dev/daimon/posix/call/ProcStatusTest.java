package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import org.junit.jupiter.api.Test;

class ProcStatusTest {
  private static final ProcStatus STATUS =
      new ProcStatus("Name:\ta\\nUid:\t7\nUid:\t1\t2\t3\t4294967294\nGroups:\t \nCapEff:\t1f\n");

  @Test
  void aFieldIsTheTextAfterItsName() {
    assertThat(STATUS.field("CapEff")).isEqualTo("1f");
    assertThat(STATUS.field("Cap")).isNull();
  }

  @Test
  void idsAreUnsignedAndMayBeNone() {
    assertThat(STATUS.ids("Uid")).containsExactly(1, 2, 3, -2);
    assertThat(STATUS.ids("Groups")).isEmpty();
    assertThatIllegalStateException().isThrownBy(() -> STATUS.ids("Gid"));
  }

  @Test
  void theOwnStatusIsThatOfThisProcess() throws Exception {
    int[] ids = new int[3];
    Credentials.getresuid(ids);

    assertThat(ProcStatus.own().ids("Uid")).startsWith(ids);
    assertThat(ProcStatus.own().field("Pid"))
        .isEqualTo(Long.toString(ProcessHandle.current().pid()));
  }
}
