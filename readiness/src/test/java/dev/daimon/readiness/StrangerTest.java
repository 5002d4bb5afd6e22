package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a process may have inherited, from whomever, and what it takes that for. */
@Tag("python3")
@Tag("attack")
class StrangerTest {
  /** Becomes the JVM, with descriptors that are as a launcher leaves them, but for one thing. */
  private static final String SCRIPT =
      """
      import os, socket, struct, sys
      how = sys.argv[1]
      if how == "of another user":
          os.seteuid(65534)
      memory = os.memfd_create("dev.daimon.readines" if how == "name" else "dev.daimon.readiness", 0)
      os.seteuid(os.getuid())
      os.fchmod(memory, 0o664 if how == "writable by its group" else 0o644)
      if how.startswith("standard"):
          names = {"standard input": 0, "standard output": 1, "standard error": 2}
          os.dup2(memory, names[how]); os.close(memory); memory = names[how]
      if how == "file":
          os.dup2(os.open(sys.argv[2], os.O_RDWR), memory)
      read, answers = os.pipe()
      messages, write = os.pipe()
      inode = lambda number: os.fstat(number).st_ino
      pid = 1 if how == "other process" else 0 if how.startswith("nobody") else os.getpid()
      greeting = struct.pack(
          ">iiiiqiq",
          pid, 0 if how == "half a name" else ~pid,
          2 if how == "version" else 1,
          read, inode(read) + (how in ("other pipe", "nobody, other pipe")),
          write, inode(write))
      length = {"empty": 0, "short": 7, "head": 35}.get(how)
      os.write(memory, (greeting + b"hello")[:length])
      if how != "nobody, launcher gone":
          os.write(answers, b"C")
      if how == "file for pipe":
          os.dup2(os.open("/dev/null", os.O_RDONLY), read)
      if how == "socket for pipe":
          ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
          os.dup2(ends[1].fileno(), write)
      if how == "closed":
          os.close(write)
      os.environ["GREETING"] = "/proc/self/fd/%d" % memory
      for number in (memory, read, write, messages):
          if how != "closed" or number != write:
              os.set_inheritable(number, True)
      os.execv(sys.argv[3], sys.argv[3:])
      """;

  /** Tells what it finds, and whether the greeting is still there. */
  static final class Finds {
    public static void main(String[] args) throws IOException {
      Path greeting = Path.of(System.getenv("GREETING"));
      long before = Files.size(greeting);
      String found;
      try {
        DaemonEnd end = DaemonEnd.find();
        found =
            end == null
                ? "nothing"
                : new String(end.greeting(), StandardCharsets.UTF_8)
                    + (end.awaitLauncher() ? ", confirmed" : ", abandoned");
      } catch (IOException failure) {
        found = String.valueOf(failure.getMessage());
      }
      boolean same = Files.size(greeting) == before;
      Files.writeString(Path.of(args[0]), found + (same ? "; left alone" : "; taken out"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          right                 | hello, confirmed; taken out
          name                  | nothing; left alone
          writable by its group | nothing; left alone
          standard input        | nothing; left alone
          standard output       | nothing; left alone
          standard error        | nothing; left alone
          file                  | nothing; left alone
          empty                 | nothing; left alone
          short                 | nothing; left alone
          head                  | the launcher has another version of dev.daimon.readiness.DaemonEnd; left alone
          other process         | nothing; left alone
          version               | the launcher has another version of dev.daimon.readiness.DaemonEnd; left alone
          other pipe            | the connection to the launcher was closed; left alone
          closed                | the connection to the launcher was closed; left alone
          file for pipe         | the connection to the launcher was closed; left alone
          socket for pipe       | the connection to the launcher was closed; left alone
          half a name           | nothing; left alone
          nobody                | nothing; left alone
          nobody, other pipe    | nothing; left alone
          nobody, launcher gone | hello, abandoned; taken out
          """)
  void onlyWhatTheLauncherMadeForThisProcessIsBelieved(String how, String found) throws Exception {
    assertThat(whatIsFound(how)).isEqualTo(found);
  }

  /** By sudo and the like a user starts a process of root's, with descriptors of the user's. */
  @Test
  @Tag("root")
  void whatAnotherUserMadeIsNotBelieved() throws Exception {
    assertThat(whatIsFound("of another user")).isEqualTo("nothing; left alone");
  }

  private static String whatIsFound(String how) throws Exception {
    Path file = Files.createTempFile("daimon", "stranger");
    Path told = Files.createTempFile("daimon", "told");
    try {
      ChildJvm jvm =
          ChildJvm.of(Finds.class).startedBy("python3", "-c", SCRIPT, how, file.toString());
      assertThat(jvm.run(told).exit()).isZero();
      return Files.readString(told);
    } finally {
      Files.delete(file);
      Files.delete(told);
    }
  }
}
