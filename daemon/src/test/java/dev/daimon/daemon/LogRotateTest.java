package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Signal;
import dev.daimon.testing.Command;
import dev.daimon.testing.ProcessSandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Debian's logrotate renames the log of a busy daemon, and sends it USR1. */
@Tag("logrotate")
class LogRotateTest {
  private static final int ROTATIONS = 12;

  @RegisterExtension final Facade facade = new Facade();

  /** Prints numbered lines, thousands in a second, from threads and from children. */
  static final class Floods {
    private static volatile boolean stop;

    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        List<Writer> writers =
            List.of(new Writer("one", false), new Writer("two", false), new Writer("child", true));
        int[] rotations = {0};
        daemon.on(
            Signal.USR1,
            signal -> {
              daemon.reopenLogs();
              // The next rotation compresses the old file, so nobody may write to it any more.
              for (Writer writer : writers) {
                writer.awaitNext();
              }
              Words.tell(directory, "rotated", Integer.toString(++rotations[0]));
            });
        daemon.onStop(
            Duration.ofMinutes(1),
            signal -> {
              stop = true;
              for (Writer writer : writers) {
                writer.join();
              }
              Words.tell(directory, "done", "");
            });
        writers.forEach(Writer::start);
        daemon.ready();
        Words.stay();
      }
    }

    private static final class Writer extends Thread {
      private final boolean byChildren;
      private volatile int next;

      Writer(String name, boolean byChildren) {
        super(name);
        this.byChildren = byChildren;
      }

      @Override
      public void run() {
        try {
          while (!stop) {
            int number = next;
            if (byChildren) {
              // Few enough lines for one write.
              String format = getName() + " %.0f.";
              new ProcessBuilder("seq", "-f", format, number + "", (number + 9) + "")
                  .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                  .start()
                  .waitFor();
              next = number + 10;
            } else {
              System.out.println(getName() + " " + number + ".");
              next = number + 1;
              // If a rotation took minutes, there would be gigabytes to compress.
              LockSupport.parkNanos(50_000);
            }
          }
          System.out.println(getName() + " last " + next);
        } catch (IOException | InterruptedException failure) {
          throw new IllegalStateException(failure);
        }
      }

      /** Waits for a line that was begun after this call. */
      void awaitNext() throws InterruptedException {
        int now = next;
        while (isAlive() && next < now + 2) {
          Thread.sleep(1);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"nocreate", "create 0640 root root", "compress\n delaycompress"})
  void everyLineIsThereOnceAndWhole(String options) throws Exception {
    Path log = facade.file("logs/log");
    Files.createDirectory(log.getParent());
    Path settings =
        Files.writeString(
            facade.file("logrotate.conf"),
            """
            "%s" {
             rotate 100
             %s
             postrotate
              kill -USR1 $(cat %s)
             endscript
            }
            """
                .formatted(log, options, facade.pidFile()));
    Facade.openToAll(settings, "rw-r--r--");
    long pid = facade.daemon(Floods.class, "out=logs/log");

    for (int i = 1; i <= ROTATIONS; i++) {
      Command.run("logrotate", "-f", "-s", facade.file("state").toString(), settings.toString());
      String rotation = Integer.toString(i);
      ProcessSandbox.await("rotation " + i, () -> facade.awaitText("rotated").equals(rotation));
    }
    facade.stop(pid);

    assertThat(facade.awaitText("done")).isEmpty();
    assertLines(log);
  }

  /** Each writer's lines are complete, in order, and without duplicates. */
  private static void assertLines(Path log) throws IOException {
    Map<String, Integer> next = new TreeMap<>();
    Map<String, Integer> lasts = new TreeMap<>();
    List<Path> files = inOrder(log);
    assertThat(files).hasSize(ROTATIONS + 1);
    for (Path file : files) {
      for (String line : lines(file)) {
        String[] words = line.split(" ", -1);
        if (words.length == 3 && words[1].equals("last")) {
          lasts.put(words[0], Integer.valueOf(words[2]));
          continue;
        }
        int number = next.getOrDefault(words[0], 0);
        if (!line.equals(words[0] + " " + number + ".")) {
          throw new AssertionError(file + ": " + line + ", and not number " + number);
        }
        next.put(words[0], number + 1);
      }
    }
    assertThat(next).isEqualTo(lasts).containsOnlyKeys("one", "two", "child");
  }

  /** Returns the files, the oldest first: it has the highest number, and the log has none. */
  private static List<Path> inOrder(Path log) throws IOException {
    Map<Integer, Path> files = new TreeMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(log.getParent())) {
      for (Path file : all) {
        String number = file.getFileName().toString().replaceAll("\\D", "");
        files.put(number.isEmpty() ? 0 : -Integer.parseInt(number), file);
      }
    }
    return new ArrayList<>(files.values());
  }

  private static List<String> lines(Path file) throws IOException {
    try (InputStream bytes = Files.newInputStream(file);
        InputStream content = file.toString().endsWith(".gz") ? new GZIPInputStream(bytes) : bytes;
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(content, StandardCharsets.US_ASCII))) {
      return reader.lines().toList();
    }
  }
}
