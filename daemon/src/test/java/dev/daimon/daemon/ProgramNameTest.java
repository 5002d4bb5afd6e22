package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgramNameTest {
  @ParameterizedTest
  @CsvSource({
    "org.example.Hello a b.jar, Hello",
    "Hello, Hello",
    "org.example/org.example.Hello a, Hello",
    "lib/hello-1.0.jar a, hello-1.0",
    "/srv/hello.jar, hello",
    "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher src/Hello.java a, Hello",
    "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher /usr/bin/hello, hello",
    "java, java"
  })
  void aProgramIsCalledByWhatWasNamedToRunIt(String command, String name) {
    assertThat(ProgramName.of(command)).isEqualTo(name);
  }
}
