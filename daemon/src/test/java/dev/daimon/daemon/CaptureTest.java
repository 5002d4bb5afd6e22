package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.forking.Child;
import dev.daimon.forking.Program;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.StartException;
import dev.daimon.testing.FullHeap;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A daemon that reads its own standard streams. */
class CaptureTest {
  @RegisterExtension final Facade facade = new Facade();

  /** Prints in every way, and writes down what it has read. */
  static final class Listens {
    // The stream is not closed, because the descriptor is the process' own.
    @SuppressWarnings("resource")
    public static void main(String[] args) throws Exception {
      List<String> read = new ArrayList<>();
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        BufferedReader output = daemon.capturedOutput();
        BufferedReader errors = daemon.capturedError();
        System.out.println("Java ö");
        read.add(output.readLine());
        new FileOutputStream(FileDescriptor.out)
            .write("raw\nlines\n".getBytes(StandardCharsets.US_ASCII));
        read.add(output.readLine());
        read.add(output.readLine());
        System.err.println("an error é");
        read.add(errors.readLine());
        sh("echo native; printf half >&2; echo ' and half' >&2");
        read.add(output.readLine());
        read.add(errors.readLine());
        read.add(output.ready() ? "more" : "no more");
        read.add(interrupted(output));
        daemon.dropPrivileges();
        daemon.ready();
        System.out.println("dropped");
        read.add(output.readLine());
        sh("id -u");
        read.add(output.readLine());
        Words.tell(Path.of(args[0]), "users/read", String.join("\n", read));
        Words.stay();
      }
    }

    private static void sh(String script) throws IOException {
      Child _ = Program.at(Path.of("/bin/sh")).arguments("-c", script).spawn();
    }

    private static String interrupted(BufferedReader output) throws IOException {
      Thread.currentThread().interrupt();
      try {
        return output.readLine();
      } catch (InterruptedIOException interrupted) {
        return Thread.interrupted() ? "interrupted" : "broken off";
      }
    }
  }

  private static final List<String> READ =
      List.of("Java ö", "raw", "lines", "an error é", "native", "half and half", "no more");

  @Test
  void whatJavaAndNativeCodePrintIsReadLineByLine() throws Exception {
    Files.createDirectory(facade.file("users"));

    long pid = facade.daemon(Listens.class, "captureOutput");

    assertThat(facade.awaitText("users/read").lines()).startsWith(READ.toArray(String[]::new));
    assertThat(Proc.descriptors(Long.toString(pid)).values())
        .noneMatch(leadsTo -> leadsTo.startsWith("/memfd:"));
  }

  @Test
  void itIsReadInTheCharacterSetOfItsStream() throws Exception {
    Files.createDirectory(facade.file("users"));
    List<String> sets = List.of("-Dstdout.encoding=ISO-8859-1", "-Dstderr.encoding=IBM850");

    assertThat(facade.run(facade.java(sets, Listens.class, "captureOutput"), Map.of()))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(facade.awaitText("users/read").lines()).startsWith(READ.toArray(String[]::new));
  }

  /** Prints why it ends, and ends; perhaps with a child that has inherited its streams. */
  static final class CannotBind {
    public static void main(String[] args) throws Exception {
      try (Daemon _ = Daemonizer.daemonize(Words.config(args[0], args[1]).build())) {
        if (args[2].equals("child")) {
          Child _ = Program.at(Path.of("/bin/sleep")).arguments("1000").spawn();
        }
        for (int i = 0; i < 5000; i++) {
          System.err.println("trying");
        }
        System.err.println("cannot bind");
        System.exit(1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"alone", "child"})
  void theLastWordsOfOneThatEndsBeforeItIsReadyAreTold(String how) throws Exception {
    ProcessSandbox.Result result = facade.launch(CannotBind.class, "captureOutput", how);

    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err())
        .startsWith(
            "CaptureTest$CannotBind: the daemon exited with 1 before it was ready."
                + " Its last words:\n")
        .endsWith("\n  trying\n  cannot bind\n");
    // A child has got SIGKILL, and nobody waits for its end but this test.
    facade.awaitEnd();
  }

  @Test
  @Tag("root")
  void itIsReadAlsoOnceTheDaemonHasDropped() throws Exception {
    facade.forEveryone();
    Files.setAttribute(Files.createDirectory(facade.file("users")), "unix:uid", 7001);

    facade.daemon(Listens.class, "captureOutput", "user=#7001");

    assertThat(facade.awaitText("users/read").lines()).endsWith("interrupted", "dropped", "7001");
  }

  /** Says on standard output why its streams cannot be captured. */
  static final class CannotCapture {
    public static void main(String[] args) throws Exception {
      // One process of this user, with all its threads, runs already.
      PrivilegeDrop.builder().limit(ResourceLimit.parse("nproc=1")).build().applyToProcess();
      try {
        Launch _ = Daemonizer.launch(Words.config(args).build());
      } catch (StartException failure) {
        System.out.println(failure.exitCode() + " " + failure.getMessage());
      }
    }
  }

  @Test
  @Tag("root")
  void withoutAThreadTheStreamsAreAsBefore() throws Exception {
    List<String> command = new ArrayList<>(facade.asNobody());
    Path theirs = Files.createDirectory(facade.file("users"));
    Files.setAttribute(theirs, "unix:uid", 65534);
    List<String> options = List.of("-Xlog:disable");
    command.addAll(
        facade.java(
            options, CannotCapture.class, "foreground", "captureOutput", "pidFile=users/pid"));

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(result.out())
        .startsWith("71 there is no thread to capture OUTPUT: ")
        .hasLineCount(1);
    assertThat(theirs).isEmptyDirectory();
  }

  /** Prints lines when there is no memory for them, and one when there is. */
  static final class LacksMemory {
    static final int LINES = 20;

    // The stream is not closed, because the descriptor is the process' own.
    @SuppressWarnings("resource")
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        BufferedReader output = daemon.capturedOutput();
        FileOutputStream out = new FileOutputStream(FileDescriptor.out);
        // More than the pipe holds, so it is read meanwhile.
        byte[] lines =
            ("x".repeat(60_000) + "\n").repeat(LINES).getBytes(StandardCharsets.US_ASCII);
        out.write("begin\n".getBytes(StandardCharsets.US_ASCII));
        String read = output.readLine();
        FullHeap.fill();
        out.write(lines);
        FullHeap.free();
        out.write("the end\n".getBytes(StandardCharsets.US_ASCII));
        int kept = 0;
        int lost = 0;
        for (read = output.readLine(); !read.equals("the end"); read = output.readLine()) {
          if (read.endsWith(" lost]")) {
            lost += Integer.parseInt(read.substring(1, read.indexOf(' ')));
          } else {
            kept++;
          }
        }
        Words.tell(Path.of(args[0]), "count", (lost > 0) + " " + (kept + lost));
      }
    }
  }

  @Test
  void aLackOfMemoryLosesLinesAndNotTheStream() throws Exception {
    List<String> options = List.of("-Xmx16m", "-XX:-UseTLAB");

    ProcessSandbox.Result result =
        facade.run(
            facade.java(options, LacksMemory.class, "foreground", "captureOutput"), Map.of());

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(facade.awaitText("count")).isEqualTo("true " + LacksMemory.LINES);
  }

  /** Prints a flood of lines before it begins to read. */
  static final class Floods {
    static final int LINES = 4_000_000;

    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args[0], args[1], args[2]).build())) {
        Process yes =
            new ProcessBuilder("sh", "-c", "yes \"$0\" | head -n " + LINES, args[3])
                .inheritIO()
                .start();
        int exitCode = yes.waitFor();
        System.out.println("the end");
        BufferedReader output = daemon.capturedOutput();
        int kept = 0;
        int lost = 0;
        for (String read = output.readLine(); !read.equals("the end"); read = output.readLine()) {
          if (read.endsWith(" lost]")) {
            lost += Integer.parseInt(read.substring(1, read.indexOf(' ')));
          } else {
            kept++;
          }
        }
        Words.tell(Path.of(args[0]), "count", exitCode + " " + kept + " " + lost);
        daemon.ready();
        Words.stay();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"this line has fifty bytes, and one is its line feed", ""})
  void aFloodThatNobodyReadsNeitherBlocksNorGrows(String line) throws Exception {
    facade.daemon(Floods.class, "captureOutput", "jvm=-Xmx32m", line);

    String[] count = facade.awaitText("count").split(" ", -1);
    assertThat(count[0]).isEqualTo("0");
    int kept = Integer.parseInt(count[1]);
    assertThat(kept).isBetween(5_000, Floods.LINES / 10);
    assertThat(count[2]).isEqualTo(Integer.toString(Floods.LINES - kept));
  }
}
