package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Signals;
import dev.daimon.testing.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A JVM that cannot call the C library says why, at each call the same. */
class NativeAccessTest {
  private static final String DENIED =
      "this JVM denies native access: run java with --enable-native-access=ALL-UNNAMED, or put"
          + " Enable-Native-Access: ALL-UNNAMED into the manifest of the jar that java -jar runs";

  /** Makes calls of all kinds, each of them twice. */
  static final class Calls {
    private interface Call {
      void make() throws Exception;
    }

    public static void main(String[] args) {
      List<Call> calls = new ArrayList<>();
      calls.add(() -> Descriptor.adopt(99).close());
      calls.add(() -> Files.open("/".getBytes(StandardCharsets.US_ASCII), 0, 0));
      calls.add(Processes::getpid);
      calls.add(Processes::environ);
      calls.add(() -> Signals.kill(0, 0));
      calls.add(() -> Errno.ENOENT.name());
      calls.addAll(List.copyOf(calls));
      for (Call call : calls) {
        try {
          call.make();
          System.out.println("no exception");
        } catch (Throwable failure) {
          System.out.println(failure);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          -Dos.arch=riscv64 | Daimon runs on Linux on x86-64 and AArch64, not on Linux on riscv64
          -Dos.name=Plan 9  | Daimon runs on Linux on x86-64 and AArch64, not on Plan 9 on ARCH
          -Ddev.daimon.posix.without=close | the C library has no close: Daimon needs glibc 2.34 or later
          """)
  void anotherSystemIsNamed(String option, String message) throws Exception {
    assertThat(ChildJvm.of(Calls.class).option(option).run().lines())
        .hasSize(12)
        .containsOnly(
            NativeAccessException.class.getName()
                + ": "
                + message.replace("ARCH", System.getProperty("os.arch")));
  }

  @Test
  void afterTheFirstFunctionThatIsMissingNothingIsCalledAnyMore() throws Exception {
    assertThat(ChildJvm.of(Calls.class).option("-Ddev.daimon.posix.without=getpid").run().lines())
        .hasSize(12)
        .endsWith(
            NativeAccessException.class.getName()
                + ": the C library has no getpid: Daimon needs glibc 2.34 or later");
  }

  @Test
  void aJvmThatDeniesNativeAccessIsToldWhichOptionToGive() throws Exception {
    assertThat(ChildJvm.of(Calls.class).deniedNativeAccess().run().lines())
        .hasSize(12)
        .containsOnly(NativeAccessException.class.getName() + ": " + DENIED);
  }
}
