package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Errno;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class CapabilitiesTest {
  private static final int BIND = Capability.NET_BIND_SERVICE.number();
  private static final int BEYOND = 63;

  @Test
  @Tag("root")
  void theSetsAreTheThreadsOwn() throws Exception {
    assertThat(ChildJvm.of(Sets.class).run().lines())
        .containsExactly(
            "0 0 0 0 0 0",
            "0000000000000400 0000000000000400 0000000000000400 0000000000000400",
            "0 0",
            "others as before true");
  }

  static final class Sets {
    public static void main(String[] args) throws Exception {
      String before = sets();
      Thread thread =
          new Thread(() -> {
            long one = 1L << BIND;
            System.out.println(
                Capabilities.keepCapabilities(true)
                    + " "
                    + Capabilities.keepCapabilities(false)
                    + " "
                    + Capabilities.dropBounding(Capability.SYS_BOOT.number())
                    + " "
                    + Capabilities.isBounding(Capability.SYS_BOOT.number())
                    + " "
                    + Capabilities.capset(one, one)
                    + " "
                    + Capabilities.raiseAmbient(BIND));
            try {
              System.out.println(sets());
              int cleared = Capabilities.capset(one, 0);
              System.out.println(
                  cleared + " " + Long.parseLong(Proc.status("thread-self", "CapAmb"), 16));
            } catch (IOException failure) {
              throw new IllegalStateException(failure);
            }
          });
      thread.start();
      thread.join();
      System.out.println("others as before " + before.equals(sets()));
    }

    private static String sets() throws IOException {
      return Proc.status("thread-self", "CapPrm")
          + " "
          + Proc.status("thread-self", "CapEff")
          + " "
          + Proc.status("thread-self", "CapInh")
          + " "
          + Proc.status("thread-self", "CapAmb");
    }
  }

  @Test
  void whatIsNoCapabilityIsAnError() {
    assertThat(Capabilities.isBounding(BEYOND)).isEqualTo(-Errno.EINVAL.number());
    assertThat(Capabilities.dropBounding(BEYOND)).isNegative();
    assertThat(Capabilities.raiseAmbient(BEYOND)).isEqualTo(-Errno.EINVAL.number());
  }
}
