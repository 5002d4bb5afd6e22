package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrustedFileTest {
  private static final int LIMIT = 100_000;
  private static final long USER = Identity.effectiveUser();

  @TempDir private Path directory;
  private Path file = Path.of("/nowhere");

  @BeforeEach
  void name() throws IOException {
    file = directory.toRealPath().resolve("file");
  }

  private static String read(Path path) throws IOException {
    return new String(TrustedFile.read(path, USER, LIMIT).orElseThrow(), StandardCharsets.UTF_8);
  }

  private void write(String content) throws IOException {
    try (TrustedFile.Pending pending =
        TrustedFile.prepare(file, content.getBytes(StandardCharsets.UTF_8))) {
      pending.commit(/* durable= */ true);
    }
  }

  private Set<String> names() throws IOException {
    try (Stream<Path> names = Files.list(directory)) {
      return Set.copyOf(names.map(name -> name.getFileName().toString()).toList());
    }
  }

  @Test
  void whatWasWrittenIsReadAndNobodyElseMayReadIt() throws Exception {
    write("one");
    assertThat(read(file)).isEqualTo("one");
    write("two, longer");
    assertThat(read(file)).isEqualTo("two, longer");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(names()).containsExactly("file");
  }

  @Test
  void aRelativePathIsFoundInADirectoryThatTheLocaleCannotDecode() throws Exception {
    assertThat(ChildJvm.of(Relative.class).inUndecodableDirectory(directory).run().lines())
        .containsExactly("content", "trusted", "given");
    try (Stream<Path> below = Files.list(directory)) {
      assertThat(below.findFirst().orElseThrow().resolve("file")).hasContent("content");
    }
  }

  static final class Relative {
    public static void main(String[] args) throws IOException {
      Path file = Path.of("file");
      byte[] content = "content".getBytes(StandardCharsets.UTF_8);
      try (TrustedFile.Pending pending = TrustedFile.prepare(file, content)) {
        pending.commit(/* durable= */ false);
      }
      System.out.println(read(file));
      Ownership.requireTrust(file, USER);
      Ownership.requireFixedPath(file);
      System.out.println("trusted");
      if (USER == 0) {
        Ownership.give(file, Identity.of("#7001", "#7001"));
      }
      System.out.println("given");
    }
  }

  @Test
  void nothingIsChangedWithoutACommit() throws Exception {
    write("old");
    try (TrustedFile.Pending pending = TrustedFile.prepare(file, new byte[5])) {
      pending.write(new byte[] {'a', 'b'}, 1);
      assertThat(names()).hasSize(2);
    }
    assertThat(read(file)).isEqualTo("old");
    assertThat(names()).containsExactly("file");
  }

  @Test
  void theNextWriterRemovesWhatAKilledOneHasLeft() throws Exception {
    Files.createFile(directory.resolve(".daimon-1-1"));
    write("one");
    assertThat(names()).containsExactly("file");
  }

  @Test
  void theNextWriterLeavesWhatAnotherOneIsWriting() throws Exception {
    try (TrustedFile.Pending pending = TrustedFile.prepare(file, new byte[] {'a'})) {
      TrustedFile.prepare(directory.resolve("other"), new byte[0]).close();

      assertThat(names()).containsExactly(String.valueOf(pending.temporary().getFileName()));
      pending.commit(/* durable= */ true);
    }
    assertThat(read(file)).isEqualTo("a");
  }

  @Test
  void aPartIsOverwrittenBeforeTheCommit() throws Exception {
    try (TrustedFile.Pending pending = TrustedFile.prepare(file, new byte[] {'a', 'b', 'c'})) {
      pending.write(new byte[] {'x'}, 1);
      pending.commit(/* durable= */ false);
    }
    assertThat(read(file)).isEqualTo("axc");
  }

  @Test
  void aMissingFileOrDirectoryIsNone() throws Exception {
    assertThat(TrustedFile.read(file, USER, LIMIT)).isEmpty();
    assertThat(TrustedFile.read(file.resolve("below"), USER, LIMIT)).isEmpty();
    assertThatThrownBy(() -> TrustedFile.prepare(file.resolve("below"), new byte[0]))
        .isInstanceOf(PosixException.class);
  }

  @Test
  void aLinkIsNotFollowedButReplaced() throws Exception {
    Path other = Files.writeString(directory.resolve("other"), "other");
    Files.createSymbolicLink(file, other);

    assertThatThrownBy(() -> read(file))
        .hasMessage(file + " is a symbolic link, which is not followed");
    write("own");
    assertThat(other).hasContent("other");
    assertThat(read(file)).isEqualTo("own");
  }

  @Test
  void onlyARegularFileIsRead() throws Exception {
    assertThat(new ProcessBuilder("mkfifo", file.toString()).start().waitFor()).isZero();

    assertThatThrownBy(() -> read(file)).hasMessage(file + " is not a regular file");
    assertThatThrownBy(() -> read(Path.of("/dev/zero"))).hasMessageContaining("/dev/zero is not ");
    assertThatThrownBy(() -> read(directory.toRealPath())).isInstanceOf(IOException.class);
  }

  @Test
  void aFileThatOthersMayWriteIsNotTrusted() throws Exception {
    write("own");
    for (String mode : new String[] {"rw--w----", "rw-----w-"}) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
      assertThatThrownBy(() -> read(file))
          .hasMessage(file + " is not trusted: others may write to it; type chmod go-w " + file);
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(read(file)).isEqualTo("own");
  }

  @Test
  void aLongFileIsNotRead() throws Exception {
    Files.write(file, new byte[LIMIT]);
    assertThat(TrustedFile.read(file, USER, LIMIT).orElseThrow()).hasSize(LIMIT);
    Files.write(file, new byte[LIMIT + 1]);
    assertThatThrownBy(() -> read(file)).hasMessage(file + " is longer than 100000 bytes");
  }

  /** One writer's content or the other's, as a whole. */
  @Test
  void aFileThatIsReplacedWhileItIsReadIsReadAsAWhole() throws Exception {
    write("a".repeat(50_000));
    AtomicBoolean done = new AtomicBoolean();
    Thread one = writer("a", done);
    Thread two = writer("b", done);
    try {
      for (int i = 0; i < 300; i++) {
        String content = read(file);
        assertThat(content).hasSize(50_000).matches("a*|b*");
      }
    } finally {
      done.set(true);
      one.join();
      two.join();
    }
    assertThat(names()).containsExactly("file");
  }

  private Thread writer(String letter, AtomicBoolean done) {
    return Thread.ofPlatform()
        .start(() -> {
          try {
            while (!done.get()) {
              write(letter.repeat(50_000));
            }
          } catch (IOException failure) {
            throw new UncheckedIOException(failure);
          }
        });
  }

  @Test
  @Tag("root")
  void rootTrustsNoFileOfAnotherUser() throws Exception {
    write("own");
    Ownership.give(file, Identity.of("#1234", null));
    assertThatThrownBy(() -> read(file))
        .hasMessageContaining("is not trusted: it belongs to user id 1234, and not to root");
    assertThat(TrustedFile.read(file, 1234, LIMIT)).isPresent();
  }

  @Test
  @Tag("root")
  void rootTrustsNoDirectoryThatOthersMayWriteTo() throws Exception {
    write("own");
    Files.setPosixFilePermissions(
        directory.toRealPath(), PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(() -> read(file))
        .hasMessageContaining("others than root may exchange it or a directory above it");
    assertThatThrownBy(() -> write("other")).hasMessageContaining("is not trusted");
    assertThat(names()).containsExactly("file");
  }
}
