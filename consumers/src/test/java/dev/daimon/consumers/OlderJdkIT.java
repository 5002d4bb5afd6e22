package dev.daimon.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Jdk;
import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What somebody sees who has a JDK that is too old. */
@Tag("older-jdk")
class OlderJdkIT {
  /** The oldest that somebody still starts a program for Java 25 with. */
  private static final int OLDEST = 17;

  @RegisterExtension final Consumers consumers = new Consumers();

  static List<Jdk> older() throws IOException {
    return Jdk.installed().stream()
        .filter(jdk -> jdk.feature() >= OLDEST && jdk.feature() < 25)
        .toList();
  }

  /** The words are Java's own. */
  @ParameterizedTest
  @MethodSource("older")
  void aProgramIsRefusedInTwoLinesWithBothVersions(Jdk jdk) throws Exception {
    Result result = run(jdk, Consumers.classPath("locking"), "org.example.Main");

    assertThat(result.err()).hasLineCount(2).contains(versions("org/example/Main", jdk));
  }

  /** A program that was compiled for the older JDK begins, and could catch the error. */
  @ParameterizedTest
  @MethodSource("older")
  void aProgramForThatJdkIsToldWhichClassNeedsANewerOne(Jdk jdk) throws Exception {
    Path source =
        Files.writeString(
            consumers.file("Old.java"),
            """
            class Old {
              public static void main(String[] arguments) throws Exception {
                dev.daimon.locking.SingletonLock.acquire(java.nio.file.Path.of("x"));
              }
            }
            """);
    consumers.output(
        List.of(
            Jdk.own().tool("javac"),
            "-J-XX:TieredStopAtLevel=1",
            "--release",
            Integer.toString(OLDEST),
            "-cp",
            Consumers.classPath("locking"),
            source.toString()));

    Result result = run(jdk, consumers.directory() + ":" + Consumers.classPath("locking"), "Old");

    assertThat(result.err())
        .startsWith("Exception in thread \"main\" java.lang.UnsupportedClassVersionError: ")
        .contains(versions("dev/daimon/locking/SingletonLock", jdk));
  }

  private Result run(Jdk jdk, String classPath, String main) throws Exception {
    Result result = consumers.run(List.of(jdk.tool("java"), "-cp", classPath, main, "x"), Map.of());
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(consumers.file("x")).doesNotExist();
    return result;
  }

  private static String versions(String type, Jdk jdk) {
    return type
        + " has been compiled by a more recent version of the Java Runtime (class file version"
        + " 69.0), this version of the Java Runtime only recognizes class file versions up to "
        + (jdk.feature() + 44)
        + ".0";
  }
}
