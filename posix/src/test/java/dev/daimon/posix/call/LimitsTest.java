package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.posix.Resource;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LimitsTest {
  @ParameterizedTest
  @EnumSource
  void everyLimitIsTheOneThatPrlimitPrints(Resource resource) throws Exception {
    long[] limit = new long[2];

    assertThat(Limits.getrlimit(0, resource.number(), limit)).isZero();

    String printed =
        Command.run(
            "prlimit",
            "--pid=" + ProcessHandle.current().pid(),
            "--" + resource,
            "--noheadings",
            "--raw",
            "--output=SOFT,HARD");
    assertThat(text(limit[0]) + " " + text(limit[1])).isEqualTo(printed);
  }

  private static String text(long limit) {
    return limit == Limits.RLIM_INFINITY ? "unlimited" : Long.toUnsignedString(limit);
  }

  @Test
  void whatIsNoResourceAndNoProcessIsAnError() {
    assertThat(Limits.getrlimit(0, 16, new long[2])).isEqualTo(-Errno.EINVAL.number());
    assertThat(Limits.getrlimit(Integer.MAX_VALUE, 0, new long[2]))
        .isEqualTo(-Errno.ESRCH.number());
    assertThat(Limits.setrlimit(Resource.CORE.number(), 2, 1)).isEqualTo(-Errno.EINVAL.number());
    assertThat(Limits.getpriority(Integer.MAX_VALUE, new int[1])).isEqualTo(-Errno.ESRCH.number());
  }

  @Test
  void aLimitIsTheProcessesAndAPriorityTheThreads() throws Exception {
    assertThat(ChildJvm.of(Sets.class).run().output()).isEqualTo("0 0 3 5 0 19 true");
  }

  static final class Sets {
    public static void main(String[] args) throws Exception {
      int before = niceness();
      int[] results = new int[5];
      Thread thread =
          new Thread(() -> {
            results[0] = Limits.setrlimit(Resource.CORE.number(), 3, 5);
            results[1] = Limits.setpriority(0, 19);
            results[2] = niceness();
          });
      thread.start();
      thread.join();
      long[] limit = new long[2];
      int read = Limits.getrlimit(0, Resource.CORE.number(), limit);
      System.out.println(
          results[0]
              + " "
              + read
              + " "
              + limit[0]
              + " "
              + limit[1]
              + " "
              + results[1]
              + " "
              + results[2]
              + " "
              + (niceness() == before));
    }

    private static int niceness() {
      int[] niceness = new int[1];
      return Limits.getpriority(0, niceness) < 0 ? 99 : niceness[0];
    }
  }
}
