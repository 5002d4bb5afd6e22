package dev.daimon.daemon.javacommand;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgramNameTest {
  @ParameterizedTest
  @CsvSource({
    "org.example.Hello a b.jar, lib/a.jar:classes, Hello",
    "Hello, classes, Hello",
    "org.example/org.example.Hello a, '', Hello",
    "lib/hello-1.0.jar a, lib/hello-1.0.jar, hello-1.0",
    "/srv/hello.jar, /srv/hello.jar, hello",
    "/opt/my app/x.jar a b.jar, /opt/my app/x.jar, x",
    "/opt/my app/x.jar, /opt/my app/x.jar:/opt/agent.jar, x",
    "/opt/my app/x y, /opt/my app/x, x",
    "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher src/Hello.java a b.java, '', Hello",
    "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher /my src/Hello.java a, '', Hello",
    "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher /usr/bin/hello a, '', hello",
    "java, '', java"
  })
  void aProgramIsCalledByWhatWasNamedToRunIt(String command, String classPath, String name) {
    assertThat(ProgramName.of(command, classPath)).isEqualTo(name);
  }
}
