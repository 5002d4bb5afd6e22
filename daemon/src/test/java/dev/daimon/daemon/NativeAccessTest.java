package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A JVM that denies native access starts no daemon, and says in one line what to do. */
class NativeAccessTest {
  private static final String DENIED =
      "this JVM denies native access: run java with --enable-native-access=ALL-UNNAMED, or put"
          + " Enable-Native-Access: ALL-UNNAMED into the manifest of the jar that java -jar runs";

  @RegisterExtension final Facade facade = new Facade();

  @ParameterizedTest
  @ValueSource(
      strings = {"user=nobody", "foreground", "simulate", "captureOutput", "lockFile=lock"})
  void itSaysWhichOptionToGive(String setting) throws Exception {
    ChildJvm.Result result =
        ChildJvm.of(Words.Stays.class).deniedNativeAccess().run(facade.directory(), setting);

    assertThat(result.err()).isEqualTo("Words$Stays: " + DENIED + "\n");
    assertThat(result.exit()).isEqualTo(71);
    assertThat(result.out()).isEmpty();
    assertThat(facade.directory()).isEmptyDirectory();
  }

  @Test
  void aLaunchThrowsThatAsAFailureOfTheSystem() throws Exception {
    assertThat(
            ChildJvm.of(RefusalTest.Asks.class)
                .deniedNativeAccess()
                .run(facade.directory(), "umask=022")
                .lines())
        .containsExactly("SYSTEM 71 " + DENIED);
  }
}
