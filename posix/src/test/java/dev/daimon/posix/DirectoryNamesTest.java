package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.daimon.testing.ChildJvm;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirectoryNamesTest {
  /** Some of them are longer than what fits into a page. */
  private static final int MANY = 1000;

  @TempDir Path directory;

  @Test
  void everyNameIsThereOnce() throws Exception {
    List<String> expected = new ArrayList<>(List.of("directory", ".hidden"));
    Files.createDirectory(directory.resolve("directory"));
    Files.createFile(directory.resolve(".hidden"));
    for (int i = 0; i < MANY; i++) {
      expected.add("n".repeat(1 + i % 200) + "-" + i);
      Files.createFile(directory.resolve(expected.getLast()));
    }

    assertThat(names(directory)).containsExactlyInAnyOrderElementsOf(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"C", "POSIX", "C.UTF-8"})
  void namesAreUtf8InEveryLocale(String locale) throws Exception {
    create("größe".getBytes(StandardCharsets.UTF_8));
    create("what?".getBytes(StandardCharsets.UTF_8));
    create(new byte[] {'x', (byte) 0xff});

    assertThat(
            ChildJvm.of(Listing.class)
                .startedBy("env", "LC_ALL=" + locale)
                .run(directory.toString())
                .output())
        .isEqualTo("[größe, what?, x\uFFFD]".codePoints().boxed().toList().toString());
  }

  private void create(byte[] name) throws Exception {
    byte[] above = NativePath.bytes(directory.resolve("x"));
    byte[] path = new byte[above.length - 1 + name.length];
    System.arraycopy(above, 0, path, 0, above.length - 1);
    System.arraycopy(name, 0, path, above.length - 1, name.length);
    Files.createFile(NativePath.of(path));
  }

  /** Prints the names, sorted, as the numbers of their characters. */
  static final class Listing {
    public static void main(String[] args) throws Exception {
      String names = new TreeSet<>(names(Path.of(args[0]))).toString();
      System.out.println(names.codePoints().boxed().toList());
    }
  }

  @Test
  void whatDoesNotExistHasNoNamesAndAFileIsRefused() throws Exception {
    assertThat(names(directory.resolve("none"))).isEmpty();

    Path file = Files.createFile(directory.resolve("file"));
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(() -> names(file))
        .withMessage("open " + file + ": Not a directory (ENOTDIR, 20)");
  }

  @Test
  void aClosedOneIsRefused() throws Exception {
    Files.createFile(directory.resolve("file"));
    DirectoryNames names = new DirectoryNames(directory);
    names.close();
    names.close();

    assertThatIllegalStateException().isThrownBy(names::next);
  }

  @Test
  void aClosedOneIsRefusedAlsoIfItHasReadNamesOrWasMissing() throws Exception {
    Files.createFile(directory.resolve("one"));
    Files.createFile(directory.resolve("two"));
    DirectoryNames names = new DirectoryNames(directory);
    assertThat(names.next()).isNotNull();
    names.close();
    DirectoryNames missing = new DirectoryNames(directory.resolve("none"));
    missing.close();

    assertThatIllegalStateException().isThrownBy(names::next);
    assertThatIllegalStateException().isThrownBy(missing::next);
  }

  private static List<String> names(Path directory) throws PosixException {
    List<String> list = new ArrayList<>();
    try (DirectoryNames names = new DirectoryNames(directory)) {
      String name;
      while ((name = names.next()) != null) {
        list.add(name);
      }
    }
    return list;
  }
}
