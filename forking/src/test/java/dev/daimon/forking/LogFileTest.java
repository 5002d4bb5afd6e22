package dev.daimon.forking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogFileTest {
  @TempDir Path directory;

  /** Writes to one file, lets it be renamed, and opens it again. */
  static final class Rotates {
    public static void main(String[] args) throws Exception {
      Path path = Path.of(args[0]);
      LogFile log = LogFile.at(path, StandardStream.OUTPUT, StandardStream.ERROR);
      log.reopen();
      for (int i = 1; i < args.length; i++) {
        int _ = dev.daimon.posix.call.Files.close(Integer.parseInt(args[i]));
      }
      // By now without a class to load: the JVM's own files would have these numbers, and Java puts
      // the null device there when it closes them.
      log.reopen();
      say("old");
      Files.move(path, Path.of(path + ".1"));
      log.reopen();
      say("new");
      Proc.descriptors("self")
          .forEach((number, leadsTo) -> {
            if (leadsTo.startsWith(path.toString())) {
              System.out.println(number + " " + leadsTo + " " + flags(number));
            }
          });
    }

    private static void say(String text) throws Exception {
      System.out.println(text + " output");
      System.err.println(text + " error");
      ExitStatus _ =
          Program.at(Path.of("/bin/sh"))
              .arguments("-c", "echo " + text + " child")
              .spawn()
              .waitFor();
    }

    /** O_APPEND, O_NONBLOCK and O_CLOEXEC. */
    private static String flags(int number) {
      try {
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo/" + number))) {
          if (line.startsWith("flags:")) {
            return Integer.toOctalString(Integer.parseInt(line.substring(6).strip(), 8) & 02006000);
          }
        }
      } catch (IOException failure) {
        return failure.toString();
      }
      return "none";
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "2", "0 1 2"})
  void bothStreamsGoOnInTheNewFileAlsoIfTheyWereClosed(String closed) throws Exception {
    Path log = directory.resolve("log");
    List<Object> arguments = new ArrayList<>(List.of(log));
    arguments.addAll(closed.isEmpty() ? List.of() : List.of(closed.split(" ", -1)));

    String printed =
        ChildJvm.of(Rotates.class)
            .startedBy("sh", "-c", "umask 027; exec \"$@\"", "sh")
            .run(arguments.toArray())
            .output();

    assertThat(printed).isEmpty();
    assertThat(Path.of(log + ".1")).hasContent("old output\nold error\nold child");
    assertThat(log)
        .hasContent("new output\nnew error\nnew child\n1 " + log + " 2000\n2 " + log + " 2000");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(log)))
        .isEqualTo("rw-r-----");
  }

  /** Fails to open it again, for one reason after the other, and goes on in the old file. */
  static final class Fails {
    public static void main(String[] args) throws Exception {
      Path path = Path.of(args[0]);
      LogFile log = LogFile.at(path, StandardStream.OUTPUT);
      log.reopen();
      Files.move(path, Path.of(path + ".1"));
      Files.createSymbolicLink(path, Path.of(path + ".1"));
      attempt(log);
      Files.delete(path);
      Command.run("mkfifo", path.toString());
      attempt(log);
      Files.delete(path);
      Files.createDirectory(path);
      attempt(log);
      Files.delete(path);
      Files.move(path.getParent(), Path.of(path.getParent() + ".gone"));
      attempt(log);
    }

    private static void attempt(LogFile log) {
      try {
        log.reopen();
        System.out.println("reopened");
      } catch (IOException failure) {
        System.out.println(failure.getMessage());
      }
    }
  }

  @Test
  void whereItCannotBeOpenedTheOldFileStays() throws Exception {
    Path log = Files.createDirectory(directory.resolve("logs")).resolve("log");

    assertThat(ChildJvm.of(Fails.class).run(log).output()).isEmpty();

    String open = "open " + log + ": ";
    assertThat(Files.readAllLines(directory.resolve("logs.gone/log.1")))
        .containsExactly(
            open + "Too many levels of symbolic links (ELOOP, 40)",
            open + "No such device or address (ENXIO, 6)",
            open + "Is a directory (EISDIR, 21)",
            open + "No such file or directory (ENOENT, 2)");
  }

  @Test
  @Tag("root")
  void inADirectoryOfRootsAUserOpensWhatWasCreatedForItAndCreatesNothing(@TempDir Path classes)
      throws Exception {
    Path log = Files.createFile(directory.resolve("log"));
    Command.run("chown", "65534", log.toString());
    Command.run("chmod", "755", directory.toString());

    ChildJvm nobody = ChildJvm.of(Opens.class).startedBy(ChildJvm.AS_NOBODY).copied(classes);
    assertThat(nobody.run(log).output()).isEmpty();
    assertThat(log).hasContent("reopened");

    Files.delete(log);
    assertThat(nobody.run(log).output())
        .isEqualTo("open " + log + ": Permission denied (EACCES, 13)");
    assertThat(log).doesNotExist();
  }

  static final class Opens {
    public static void main(String[] args) throws Exception {
      try {
        LogFile.at(Path.of(args[0]), StandardStream.OUTPUT).reopen();
        System.out.println("reopened");
      } catch (IOException failure) {
        System.out.println(failure.getMessage());
      }
    }
  }

  /** Prints a text in two pieces, of which the first one comes at the worst moment. */
  static final class Pieces {
    private static final CountDownLatch BEGUN = new CountDownLatch(1);
    private static final CountDownLatch REOPENED = new CountDownLatch(1);

    public static void main(String[] args) throws Exception {
      Path path = Path.of(args[0]);
      LogFile log = LogFile.at(path, StandardStream.OUTPUT);
      log.reopen();
      Thread writer = new Thread(Pieces::write);
      // When everything was flushed, and the descriptor is about to be changed.
      System.setOut(
          new PrintStream(new FileOutputStream(FileDescriptor.out), true) {
            @Override
            public void flush() {
              super.flush();
              if (writer.getState() == Thread.State.NEW) {
                writer.start();
                awaitBegunOrBlocked(writer);
              }
            }
          });
      Files.move(path, Path.of(path + ".1"));
      log.reopen();
      REOPENED.countDown();
      writer.join();
    }

    private static void awaitBegunOrBlocked(Thread writer) {
      while (BEGUN.getCount() > 0 && writer.getState() != Thread.State.BLOCKED) {
        Thread.onSpinWait();
      }
    }

    /** As a print stream does with a long text. */
    private static void write() {
      synchronized (System.out) {
        System.out.print("one ");
        BEGUN.countDown();
        try {
          REOPENED.await();
        } catch (InterruptedException never) {
          throw new IllegalStateException(never);
        }
        System.out.println("two");
      }
    }
  }

  @Test
  void aTextThatTakesSeveralWritesIsInOneFile() throws Exception {
    Path log = directory.resolve("log");

    assertThat(ChildJvm.of(Pieces.class).run(log).output()).isEmpty();

    assertThat(Path.of(log + ".1")).isEmptyFile();
    assertThat(log).hasContent("one two");
  }

  /** Prints from several threads, in several ways, while the file is renamed and opened again. */
  static final class Floods {
    private static final int ROTATIONS = 100;

    private static volatile boolean stop;

    public static void main(String[] args) throws Exception {
      Path path = Path.of(args[0]);
      LogFile log = LogFile.at(path, StandardStream.OUTPUT);
      log.reopen();
      List<Thread> writers = new ArrayList<>();
      boolean isLong = args[1].equals("long");
      // More than any buffer on the way, so that Java writes it in pieces: not beside native code,
      // which writes whenever it likes.
      String filling = isLong ? "x".repeat(10_000) : "";
      writers.add(new Thread(() -> write("one", filling)));
      writers.add(new Thread(() -> write("two", filling)));
      writers.add(new Thread(isLong ? () -> write("long", filling) : Floods::writeNatively));
      writers.forEach(Thread::start);
      for (int i = 1; i <= ROTATIONS; i++) {
        Files.move(path, Path.of(path + "." + i));
        log.reopen();
      }
      stop = true;
      for (Thread writer : writers) {
        writer.join();
      }
      System.out.println("all");
    }

    private static void write(String name, String filling) {
      int i = 0;
      while (!stop) {
        System.out.println(name + " " + i++ + filling + ".");
      }
      System.out.println(name + " last " + i);
    }

    private static void writeNatively() {
      int i = 0;
      while (!stop) {
        writeNatively("native " + i++ + ".\n");
      }
      writeNatively("native last " + i + "\n");
    }

    private static void writeNatively(String line) {
      byte[] bytes = line.getBytes(StandardCharsets.US_ASCII);
      if (dev.daimon.posix.call.Files.write(1, bytes) != bytes.length) {
        throw new IllegalStateException("not written: " + line);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"long", "native"})
  void noLineIsLostOrTornWhileItIsOpenedAgain(String kind) throws Exception {
    Path log = directory.resolve("log");
    assertThat(ChildJvm.of(Floods.class).run(log, kind).output()).isEmpty();

    Map<String, Integer> next = new TreeMap<>();
    Map<String, Integer> lasts = new TreeMap<>();
    int files = 0;
    for (Path file : inOrder()) {
      files++;
      for (String line : Files.readAllLines(file)) {
        String[] words = line.replaceAll("x+\\.$", ".").split(" ", -1);
        if (words.length == 3) {
          lasts.put(words[0], Integer.valueOf(words[2]));
        } else if (words.length == 2) {
          assertThat(words[1]).as(file.toString()).endsWith(".");
          int number = Integer.parseInt(words[1], 0, words[1].length() - 1, 10);
          assertThat(number).as(words[0]).isEqualTo(next.getOrDefault(words[0], 0));
          next.put(words[0], number + 1);
        } else {
          assertThat(line).isEqualTo("all");
        }
      }
    }
    assertThat(files).isEqualTo(Floods.ROTATIONS + 1);
    assertThat(next).isEqualTo(lasts).containsOnlyKeys("one", "two", kind);
  }

  /** The renamed ones first, by their numbers, and then the one that is still written to. */
  private List<Path> inOrder() throws IOException {
    Map<Integer, Path> files = new TreeMap<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, "log*")) {
      for (Path file : all) {
        String number = file.getFileName().toString().replaceAll("^log\\.?", "");
        files.put(number.isEmpty() ? Integer.MAX_VALUE : Integer.parseInt(number), file);
      }
    }
    return List.copyOf(files.values());
  }
}
