package dev.daimon.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Jdk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Programs that are packaged or written in another way. */
class FormsIT {
  private final Jdk jdk = Jdk.own();

  @RegisterExtension final Consumers consumers = new Consumers();

  private String java(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(List.of(jdk.tool("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    command.addAll(List.of(arguments));
    return consumers.output(command);
  }

  private String onClassPath(String program, String... words) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "--illegal-native-access=deny",
                "-cp",
                Consumers.classPath(program)));
    command.addAll(List.of(words));
    return java(command.toArray(new String[0]));
  }

  /** The POM is that of docs/modules.md, the program that of the README. */
  @Test
  void theBom() throws Exception {
    assertThat(onClassPath("bom", "Once")).isEqualTo("locked; press Enter to release it ");

    assertThat(consumers.file("once.lock")).exists();
  }

  @Test
  void aShadedJar() throws Exception {
    assertThat(java("-jar", Consumers.jar("shaded").toString())).isEmpty();

    long pid = Consumers.pid(consumers.file("hello.pid"));
    Consumers.await(
        "Hello 1", () -> Files.readString(consumers.file("hello.log")).contains("Hello 1\n"));
    consumers.stop(pid);
    assertThat(consumers.file("hello.pid")).doesNotExist();
  }

  @Test
  void aSpringBootJar() throws Exception {
    assertThat(java("-jar", Consumers.jar("spring").toString(), "--server.port=0")).isEmpty();

    assertThat(Consumers.isLocked(consumers.file("spring.pid"))).isTrue();
    consumers.stop(Consumers.pid(consumers.file("spring.pid")));
    assertThat(consumers.file("spring.pid")).doesNotExist();
  }

  @Test
  void anImageOfJlink() throws Exception {
    Path image = consumers.file("image");
    consumers.output(
        List.of(
            jdk.tool("jlink"),
            "--module-path",
            Consumers.modulePath("control"),
            "--add-modules",
            "org.example",
            "--add-options=--enable-native-access=dev.daimon.posix --illegal-native-access=deny",
            "--launcher",
            "run=org.example/org.example.Main",
            "--output",
            image.toString()));

    String modules =
        consumers.output(List.of(image.resolve("bin/java").toString(), "--list-modules"));
    assertThat(modules.lines().map(module -> module.replaceFirst("@.*", "")))
        .contains("dev.daimon.control", "java.base", "org.example")
        .allMatch(module -> module.matches("dev\\.daimon\\.\\w+|java\\.base|org\\.example"));
    Path file = consumers.file("x.pid");
    assertThat(consumers.output(List.of(image.resolve("bin/run").toString(), file.toString())))
        .startsWith("OK\n")
        .endsWith("not running: there is no " + file + "\n");
  }

  @Test
  void aKotlinProgram() throws Exception {
    Path file = consumers.file("x.pid");

    assertThat(onClassPath("kotlin", "org.example.MainKt", file.toString()))
        .isEqualTo("no launcher\n");

    assertThat(Consumers.pid(file)).isPositive();
  }

  /** The build must fail, which the invoker checks, and for these two reasons. */
  @Test
  void kotlinKnowsWhatTakesAndReturnsNull() throws Exception {
    String log = Files.readString(Consumers.BUILT.resolve("kotlin-null/build.log"));

    assertThat(log.lines().filter(line -> line.contains("Null.kt:")).distinct())
        .satisfiesExactly(
            passed ->
                assertThat(passed)
                    .endsWith("Null.kt:4:42 Null cannot be a value of a non-null type 'Path'."),
            ignored ->
                assertThat(ignored).contains("Null.kt:6:37 ").endsWith("of type 'DaemonEnd?'."));
  }
}
