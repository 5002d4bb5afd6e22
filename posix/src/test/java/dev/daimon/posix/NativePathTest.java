package dev.daimon.posix;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NativePathTest {
  @Property(tries = 300)
  void anyNameIsTheSameBytesAgainAndFindsItsFile(@ForAll("names") byte[] name) throws IOException {
    Path directory = java.nio.file.Files.createTempDirectory("names");
    try {
      assertThat(RoundTrip.fault(directory, name)).isEmpty();
    } finally {
      java.nio.file.Files.delete(directory);
    }
  }

  @Provide
  Arbitrary<byte[]> names() {
    return Arbitraries.bytes()
        .filter(b -> b != 0 && b != '/')
        .array(byte[].class)
        .ofMinSize(1)
        .ofMaxSize(255)
        .filter(name -> !Arrays.equals(name, bytes(".")) && !Arrays.equals(name, bytes("..")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "POSIX", "C.UTF-8"})
  void anyNameIsTheSameBytesInEveryLocale(String locale, @TempDir Path directory) throws Exception {
    assertThat(
            ChildJvm.of(RoundTrip.class)
                .startedBy("env", "LC_ALL=" + locale)
                .run(directory.toString())
                .output())
        .isEmpty();
  }

  /** Creates files by their bytes and looks for them by their paths; prints what went wrong. */
  static final class RoundTrip {
    public static void main(String[] args) throws IOException {
      Path directory = Path.of(args[0]);
      Random random = new Random(1);
      for (int i = 0; i < 300; i++) {
        byte[] name = new byte[1 + random.nextInt(40)];
        for (int j = 0; j < name.length; j++) {
          do {
            name[j] = (byte) random.nextInt(256);
          } while (name[j] == 0 || name[j] == '/' || name[j] == '.');
        }
        System.out.print(fault(directory, name));
      }
      System.out.print(fault(directory, "größe und Maß".getBytes(UTF_8)));
    }

    static String fault(Path directory, byte[] name) throws IOException {
      ByteArrayOutputStream joined = new ByteArrayOutputStream();
      joined.writeBytes(NativePath.bytes(directory));
      joined.write('/');
      joined.writeBytes(name);
      byte[] bytes = joined.toByteArray();
      Path path = NativePath.of(bytes);

      int flags = Files.O_WRONLY | Files.O_CREAT | Files.O_EXCL;
      String text = Arrays.toString(name);
      int fd = Files.open(bytes, flags, 0600);
      if (fd < 0) {
        return "open: " + Errno.of(-fd) + " of " + text + "\n";
      }
      Descriptor.adopt(fd).close();
      try {
        if (!Arrays.equals(NativePath.bytes(path), bytes)) {
          return "other bytes than " + text + "\n";
        }
        if (!java.nio.file.Files.isRegularFile(path)) {
          return "java.nio does not find " + text + "\n";
        }
        try (var listed = java.nio.file.Files.newDirectoryStream(directory)) {
          for (Path found : listed) {
            if (!Arrays.equals(NativePath.bytes(found), bytes)) {
              return "java.nio lists other bytes than " + text + "\n";
            }
          }
        }
        return "";
      } finally {
        Files.unlink(bytes);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/", "/a", "/a b", "/a?b", "/?", "/a%41", "/%", "/a#b", "/a\nb", "/a\\b", "/ü?ü"})
  void whatIsSpecialInAUriIsNotInAPath(String text) {
    assertThat(NativePath.bytes(NativePath.of(text.getBytes(UTF_8))))
        .isEqualTo(text.getBytes(UTF_8));
  }

  @ParameterizedTest
  @CsvSource({"//, /", "//a//b, /a/b", "/a/, /a", "//ü//?//, /ü/?", "/ü/, /ü"})
  void slashesTooManyAreDropped(String text, String path) {
    assertThat(NativePath.bytes(NativePath.of(text.getBytes(UTF_8))))
        .isEqualTo(path.getBytes(UTF_8));
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "größe", "what?"})
  void aDirectoryHasNoSlashAtItsEnd(String name, @TempDir Path parent) throws IOException {
    Path directory = NativePath.of((parent + "/" + name).getBytes(UTF_8));
    java.nio.file.Files.createDirectory(directory);

    assertThat(NativePath.bytes(directory)).isEqualTo((parent + "/" + name).getBytes(UTF_8));
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "what?", "../x", "./x"})
  void aRelativePathBecomesAbsoluteAndIsNotNormalized(String relative) {
    assertThat(NativePath.bytes(Path.of(relative)))
        .isEqualTo(bytes(System.getProperty("user.dir") + "/" + relative));
  }

  @Test
  void theEmptyPathIsTheWorkingDirectory() {
    assertThat(NativePath.bytes(Path.of(""))).isEqualTo(bytes(System.getProperty("user.dir")));
  }

  // In the C locale Java itself believes to be in "gr????e".
  @ParameterizedTest
  @ValueSource(strings = {"C", "C.UTF-8"})
  void aRelativePathIsFoundInAWorkingDirectoryBeyondAscii(String locale, @TempDir Path parent)
      throws Exception {
    Path directory = NativePath.of((parent + "/größe").getBytes(UTF_8));
    java.nio.file.Files.createDirectory(directory);
    java.nio.file.Files.createFile(directory.resolve("file"));

    String found =
        ChildJvm.of(PrintBytes.class)
            .startedBy("env", "LC_ALL=" + locale, "sh", "-c", "cd \"$0\"/gr* && exec \"$@\"")
            .startedBy(parent.toString())
            .run("file", "")
            .output();

    assertThat(found.getBytes(ISO_8859_1))
        .isEqualTo((parent + "/größe/file\n" + parent + "/größe").getBytes(UTF_8));
  }

  static final class PrintBytes {
    public static void main(String[] args) {
      for (String arg : args) {
        System.out.writeBytes(NativePath.bytes(Path.of(arg)));
        System.out.println();
      }
    }
  }

  @Test
  void anAbsolutePathHasTheBytesOfTheWorkingDirectory(@TempDir Path parent) throws Exception {
    String found =
        ChildJvm.of(PrintParents.class).inUndecodableDirectory(parent).run("a/b", "c").output();

    assertThat(found.getBytes(ISO_8859_1))
        .isEqualTo((parent + "/größe/a\n" + parent + "/größe").getBytes(UTF_8));
    assertThat((Object) NativePath.absolute(parent)).isSameAs(parent);
    assertThat((Object) NativePath.absolute(Path.of("x"))).isEqualTo(Path.of("x").toAbsolutePath());
  }

  static final class PrintParents {
    public static void main(String[] args) {
      for (String arg : args) {
        Path parent = NativePath.absolute(Path.of(arg)).getParent();
        System.out.writeBytes(NativePath.bytes(Objects.requireNonNull(parent)));
        System.out.println();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a", "./a", "/a\0b", "/ü\0"})
  void bytesThatAreNoAbsolutePathAreRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> NativePath.of(text.getBytes(UTF_8)));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }
}
