package dev.daimon.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.forking.OutputFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputTailTest {
  @TempDir Path directory;

  private Path log() {
    return directory.resolve("log");
  }

  private void write(String text) throws IOException {
    Files.writeString(log(), text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  @Test
  void onlyWhatWasWrittenSinceCounts() throws Exception {
    write("before\n");
    try (OutputFile file = OutputFile.open(log());
        OutputTail tail = OutputTail.of(file.descriptor())) {
      assertThat(tail.lastLines()).isEmpty();
      write("one\n\ntwo\nthree");

      assertThat(tail.lastLines()).containsExactly("one", "two", "three");
    }
  }

  @Test
  void theLastLinesAreFewAndShort() throws Exception {
    try (OutputFile file = OutputFile.open(log());
        OutputTail tail = OutputTail.of(file.descriptor())) {
      write("x".repeat(5000) + "\n");
      assertThat(tail.lastLines()).containsExactly("x".repeat(2047));

      write("a\n".repeat(500));
      assertThat(tail.lastLines()).hasSize(10).containsOnly("a");

      write("y".repeat(1500) + "\nz\n");
      assertThat(tail.lastLines()).endsWith("y".repeat(1500), "z");
    }
  }

  @Test
  void afterATruncationEverythingCounts() throws Exception {
    write("long ago\n".repeat(10));
    try (OutputFile file = OutputFile.open(log());
        OutputTail tail = OutputTail.of(file.descriptor())) {
      file.truncate();
      write("new\n");

      assertThat(tail.lastLines()).containsExactly("new");
      byte[] buffer = new byte[100];
      assertThat(tail.read(buffer)).isEqualTo(4);
      assertThat(tail.wasTruncated()).isTrue();
    }
  }

  @Test
  void aLineThatIsCutDoesNotCount() throws Exception {
    String line = "x".repeat(299) + "\n";
    write(line.repeat(20));
    try (OutputFile file = OutputFile.open(log());
        OutputTail tail = OutputTail.of(file.descriptor())) {
      write(line.repeat(10));
      assertThat(tail.lastLines()).hasSize(6).containsOnly("x".repeat(299));

      file.truncate();
      write(line.repeat(10));
      assertThat(tail.lastLines()).hasSize(6).containsOnly("x".repeat(299));
    }
  }

  @Test
  void theFileIsClosed() throws Exception {
    try (OutputFile file = OutputFile.open(log())) {
      OutputTail tail = OutputTail.of(file.descriptor());
      tail.close();

      assertThatThrownBy(tail::lastLines).isInstanceOf(IOException.class);
    }
  }

  @Test
  void aDeviceHasNoTail() throws Exception {
    try (OutputFile device = OutputFile.open(Path.of("/dev/null"))) {
      assertThatThrownBy(() -> OutputTail.of(device.descriptor()))
          .isInstanceOf(IOException.class)
          .hasMessage("/dev/null: not a regular file, cannot be read");
    }
  }

  @Test
  void aTextIsFoundHoweverItArrives() throws Exception {
    byte[] text = "abaababaab".getBytes(StandardCharsets.US_ASCII);
    for (int cut = 0; cut <= text.length; cut++) {
      Files.deleteIfExists(log());
      try (OutputFile file = OutputFile.open(log());
          OutputTail tail = OutputTail.of(file.descriptor())) {
        LineSearch search = new LineSearch(text);
        write("abaabab\nabaababaab".substring(0, 8 + cut));
        boolean early = search.isIn(tail);
        write("abaababaab".substring(cut));

        assertThat(early).isEqualTo(cut == text.length);
        assertThat(early || search.isIn(tail)).isTrue();
      }
    }
  }

  @Test
  void aTextIsNotFoundAcrossLines() throws Exception {
    try (OutputFile file = OutputFile.open(log());
        OutputTail tail = OutputTail.of(file.descriptor())) {
      LineSearch search = new LineSearch("ready".getBytes(StandardCharsets.US_ASCII));
      write("rea\ndy read");
      assertThat(search.isIn(tail)).isFalse();
      file.truncate();
      write("y");
      assertThat(search.isIn(tail)).isFalse();
      write("ready");
      assertThat(search.isIn(tail)).isTrue();
    }
  }
}
