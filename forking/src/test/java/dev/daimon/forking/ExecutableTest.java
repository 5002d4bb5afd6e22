package dev.daimon.forking;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One character of a string stands for one byte here. */
class ExecutableTest {
  private static final String DYNAMIC_LINKER = "/lib(64)?/ld-linux";

  @TempDir Path directory;

  @Nested
  class Find {
    @Test
    void theFirstInTheSearchPathIsTaken() throws IOException {
      Path first = executable("first/prog", "#!/bin/sh\n");
      Path second = executable("second/prog", "#!/bin/sh\n");
      Path empty = Files.createDirectory(directory.resolve("empty"));

      assertThat(find("prog", empty + ":" + first.getParent() + ":" + second.getParent()))
          .isEqualTo(first);
      assertThat(find("prog", "/no/such/directory:" + second.getParent())).isEqualTo(second);
    }

    @Test
    void relativeEntriesAreThoseOfTheGivenDirectory() throws IOException {
      Path prog = executable("bin/prog", "#!/bin/sh\n");

      assertThat(find("prog", "bin")).isEqualTo(prog);
      assertThat(find("prog", "/nowhere:./bin/").normalize()).isEqualTo(prog);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":", "/nowhere:", ":/nowhere", "/nowhere::/no"})
    void anEmptyEntryIsTheGivenDirectory(String searchPath) throws IOException {
      Path prog = executable("prog", "#!/bin/sh\n");

      assertThat(find("prog", searchPath)).isEqualTo(prog);
    }

    @Test
    void withoutASearchPathTheSystemsProgramsAreFound() throws IOException {
      executable("true", "#!/bin/sh\n");

      assertThat(Executable.find(bytes("true"), null, directory)).isEqualTo(Path.of("/bin/true"));
    }

    @Test
    void aNameWithASlashIsAPath() throws IOException {
      Path prog = executable("sub/prog", "#!/bin/sh\n");

      assertThat(find("./sub/prog", "/nowhere").normalize()).isEqualTo(prog);
      assertThat(find("sub/prog", "/nowhere")).isEqualTo(prog);
      assertThat(find(prog.toString(), "/nowhere")).isEqualTo(prog);
      assertNotFound("./prog", "sub", "ENOENT");
    }

    @Test
    void directoriesAndWhatIsNotExecutableAreSteppedOver() throws IOException {
      Files.createDirectories(directory.resolve("first/prog"));
      Files.createDirectory(directory.resolve("second"));
      Files.createFile(directory.resolve("second/prog"));
      Path prog = executable("third/prog", "#!/bin/sh\n");

      assertThat(find("prog", "first:second:third")).isEqualTo(prog);
      assertNotFound("prog", "first:second", "no permission", "first/prog");
      assertNotFound("prog", "second:/nowhere", "no permission", "second/prog");
    }

    @Test
    void whatIsNowhereIsNotFound() {
      assertNotFound("prog", "/nowhere:" + directory, "not found in PATH");
    }

    @Test
    void anEmptyNameIsNoProgram() {
      assertNotFound("", directory.toString(), "empty");
    }

    @ParameterizedTest
    @ValueSource(strings = {".", ".."})
    void aDirectorysOwnNameIsNoProgram(String name) {
      assertNotFound(name, "bin:/bin", "no permission");
    }

    @Test
    void namesAreBytesNotText() throws IOException {
      byte[] odd = bytes("\u00ffpr\u0080g");
      Path place = NativePath.of(concat(NativePath.bytes(directory), bytes("/d\u00fe")));
      Files.createDirectory(place);
      Path prog = NativePath.of(concat(NativePath.bytes(place), bytes("/\u00ffpr\u0080g")));
      write(prog, "#!/bin/sh\n");

      Path found = Executable.find(odd, NativePath.bytes(place), directory);
      assertThat(NativePath.bytes(found)).isEqualTo(NativePath.bytes(prog));
      assertThat(Executable.find(odd, bytes("d\u00fe"), directory)).isEqualTo(prog);
      assertThat(Program.at(found).spawn().waitFor().exitCode()).hasValue(0);
    }

    @Test
    void whatHasNoInterpreterIsPassedOverAsByExecvp() throws IOException {
      executable("first/prog", "#!/no/such/interpreter\r\n");
      executable("second/prog", "#!/bin/sh\n");

      assertThat(find("prog", "first:second")).isEqualTo(directory.resolve("second/prog"));
      assertNotFound("prog", "first:third", "its interpreter /no/such/interpreter?: ");
    }

    private Path find(String name, String searchPath) throws IOException {
      return Executable.find(bytes(name), bytes(searchPath), directory);
    }

    private void assertNotFound(String name, String searchPath, String... reasons) {
      assertThatThrownBy(() -> find(name, searchPath))
          .isInstanceOf(NotExecutableException.class)
          .hasMessageContainingAll(reasons)
          .hasMessageStartingWith(name.isEmpty() ? "\"\": " : name + ": ");
    }
  }

  @Nested
  class Check {
    @Test
    void aMissingProgramIsToldByName() {
      Path missing = directory.resolve("missing");

      assertThatThrownBy(() -> Executable.check(missing))
          .isInstanceOfSatisfying(
              NotExecutableException.class,
              refused -> assertThat(refused.program()).isEqualTo(missing.toString()))
          .hasMessageStartingWith(missing + ": ")
          .hasMessageContaining("ENOENT");
      assertRefused(Path.of("/dev/null/prog"), "ENOTDIR");
    }

    @Test
    void whatIsNoRegularFileIsNoProgram() throws IOException {
      assertRefused(directory, "is a directory");
      assertRefused(Path.of("/dev/null"), "is not a regular file");
      Path fifo = directory.resolve("fifo");
      Program.at(Path.of("/usr/bin/mkfifo"))
          .arguments("-m", "777", fifo.toString())
          .spawn()
          .waitFor();
      assertRefused(fifo, "is not a regular file");
    }

    @Test
    void aFileWithoutExecutePermissionIsNoProgramEvenForRoot() throws IOException {
      Path file = Files.writeString(directory.resolve("file"), "#!/bin/sh\n");

      assertRefused(file, "no permission", "EACCES");
    }

    @Test
    @Tag("root")
    void permissionIsThatOfTheUser() throws Exception {
      Path roots = executable("roots", "#!/bin/sh\n");
      Files.setPosixFilePermissions(roots, PosixFilePermissions.fromString("rwx------"));
      Path unreadable = directory.resolve("unreadable");
      Files.copy(Path.of("/bin/true"), unreadable);
      Files.setPosixFilePermissions(unreadable, PosixFilePermissions.fromString("--x--x--x"));
      Path hidden = executable("hidden/prog", "#!/bin/sh\n");
      Path classes = Files.createDirectory(directory.resolve("classes"));
      ChildJvm jvm = ChildJvm.of(CheckAll.class).startedBy(ChildJvm.AS_NOBODY).copied(classes);
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.setPosixFilePermissions(
          hidden.getParent(), PosixFilePermissions.fromString("rwx------"));

      assertThat(jvm.run(roots, unreadable, hidden).lines())
          .containsExactly(
              roots + ": no permission to execute it: Permission denied (EACCES, 13)",
              unreadable + ": fine",
              hidden + ": Permission denied (EACCES, 13)",
              "prog: not found in PATH, with no permission to look for " + hidden);
    }

    static final class CheckAll {
      public static void main(String[] args) throws IOException {
        for (String path : args) {
          try {
            Executable.check(Path.of(path));
            System.out.println(path + ": fine");
          } catch (NotExecutableException refused) {
            System.out.println(refused.getMessage());
          }
        }
        Path hidden = Path.of(args[2]).getParent();
        try {
          Executable.find(bytes("prog"), bytes(hidden + ":/nowhere"), hidden);
        } catch (NotExecutableException refused) {
          System.out.println(refused.getMessage());
        }
      }
    }

    @Test
    void aMissingInterpreterIsToldByName() throws IOException {
      Path script = executable("script", "#!/no/such/interpreter\n");

      assertRefused(script, script + ": its interpreter /no/such/interpreter: ", "ENOENT");
      assertRefused(executable("arg", "#! \t/no/such/one -x y\n"), "/no/such/one: ");
    }

    @Test
    void anInterpreterThatCannotBeExecutedIsToldByName() throws IOException {
      Path plain = Files.createFile(directory.resolve("plain"));

      assertRefused(executable("a", "#!" + plain + "\n"), "its interpreter " + plain, "EACCES");
      assertRefused(executable("b", "#!" + directory + "\n"), "is a directory");
    }

    @Test
    void anInterpreterIsJudgedThroughItsOwn() throws IOException {
      Path bad = executable("bad", "#!/no/such/interpreter\n");
      Path script = executable("script", "#!" + bad + "\n");

      assertRefused(script, "its interpreter " + bad + ": its interpreter /no/such/interpreter: ");
    }

    @Test
    void interpretersThatNeverEndAreRefused() throws IOException {
      Path loop = directory.resolve("loop");
      write(loop, "#!" + loop + "\n");

      assertRefused(loop, "too many interpreters of interpreters");
    }

    @Test
    void asManyInterpretersAsTheKernelFollowsAreAccepted() throws IOException {
      Path previous = Path.of("/bin/sh");
      for (int i = 0; i < 8; i++) {
        previous = executable("script" + i, "#!" + previous + "\n");
        assertJudgedAsTheKernelDoes(previous);
      }
      assertAccepted(directory.resolve("script4"));
      assertRefused(directory.resolve("script5"), "too many interpreters of interpreters");
    }

    /** The last ones have no end of line within what the kernel reads. */
    @ParameterizedTest
    @ValueSource(
        strings = {
          "#!/bin/sh\n",
          "#!/bin/sh",
          "#!/bin/sh -e",
          "#!  \t /bin/sh  -e -u \t \n",
          "#! /no/such -e\n",
          "#!/no/such",
          "#!/no/such\0/bin/sh\n",
          "#!/bin/sh\0-x\n",
          "#!/bin/sh\r\n",
          "#!\n",
          "#!",
          "#! \t \n",
          "#! \t ",
          "#!\0\n",
          "#!/bin/../bin/./sh\n",
          "#!/bin/sh/\n",
          "#!/bin\n",
          "#!/dev/null\n",
          "#!/\n",
          "#!/etc/passwd\n",
          "#",
          "",
          ":",
          "text without a magic\n",
          "#!/\u00ff\u0080\n"
        })
    void aScriptIsJudgedAsTheKernelDoes(String content) throws IOException {
      assertJudgedAsTheKernelDoes(executable("script", content));
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 252, 253, 254, 255, 256, 257, 300, 5000})
    void aLongLineIsJudgedAsTheKernelDoes(int length) throws IOException {
      String missing = "#!/" + "x".repeat(length - 3);
      String slashes = "#!" + "/".repeat(length - 8) + "bin/sh";

      assertJudgedAsTheKernelDoes(executable("a", missing));
      assertJudgedAsTheKernelDoes(executable("b", missing + "\n"));
      assertJudgedAsTheKernelDoes(executable("c", missing + " x\n"));
      assertJudgedAsTheKernelDoes(executable("d", slashes + "\n"));
      assertJudgedAsTheKernelDoes(executable("e", "#!/bin/sh " + "x".repeat(length) + "\n"));
      assertJudgedAsTheKernelDoes(executable("f", "#!" + " ".repeat(length) + "/no/such\n"));
    }

    @Test
    void aRelativeInterpreterIsLeftToTheKernel() throws IOException {
      assertAccepted(executable("script", "#!no/such/interpreter\n"));
    }

    @Test
    void aMissingInterpreterOfAnElfFileIsToldByName() throws IOException {
      String elf = elf().replaceFirst(DYNAMIC_LINKER, "/nib$1/ld-linux");
      Path program = executable("program", elf);

      assertRefused(program, "its interpreter /nib", "/ld-linux", "ENOENT");
      assertJudgedAsTheKernelDoes(program);
      assertAccepted(executable("intact", elf()));
    }

    @Test
    void anElfInterpreterWithALongNameIsFound() throws IOException {
      String elf = elf();
      String linker = elf.replaceFirst("(?s).*?(" + DYNAMIC_LINKER + "[^\0]*)\0.*", "$1");
      String longName = "/".repeat(300) + linker.substring(1);
      // The program header moves from the name inside to one at the end of the file.
      Path program = executable("program", elf + longName + "\0");
      patchInterpreter(program, elf.length(), longName.length() + 1);

      assertAccepted(program);
      assertJudgedAsTheKernelDoes(program);
    }

    @Test
    void aTruncatedElfFileIsNoReasonToFail() throws IOException {
      String elf = elf();
      for (int length = 4; length < 1_000; length += 3) {
        assertAcceptedOrRefused(executable("program", elf.substring(0, length)));
      }
    }

    private static void patchInterpreter(Path program, long offset, long size) throws IOException {
      java.nio.ByteBuffer bytes =
          java.nio.ByteBuffer.wrap(Files.readAllBytes(program))
              .order(java.nio.ByteOrder.LITTLE_ENDIAN);
      int header = (int) bytes.getLong(32);
      while (bytes.getInt(header) != 3) {
        header += 56;
      }
      bytes.putLong(header + 8, offset).putLong(header + 32, size);
      Files.write(program, bytes.array());
    }
  }

  static void assertAcceptedOrRefused(Path program) {
    try {
      Executable.check(program);
    } catch (NotExecutableException refused) {
      assertThat(refused.program()).isEqualTo(program.toString());
    }
  }

  private static void assertAccepted(Path program) throws IOException {
    Executable.check(program);
  }

  private static void assertRefused(Path program, String... reasons) {
    assertThatThrownBy(() -> Executable.check(program))
        .isInstanceOf(NotExecutableException.class)
        .hasMessageContainingAll(reasons);
  }

  /** What is accepted runs, by the shell if need be, and what is refused does not. */
  private void assertJudgedAsTheKernelDoes(Path program) throws IOException {
    boolean runs;
    try {
      Program.at(program)
          .standardInput(Redirect.nullDevice())
          .standardOutput(Redirect.nullDevice())
          .standardError(Redirect.nullDevice())
          .directory(directory)
          .spawn()
          .waitFor();
      runs = true;
    } catch (PosixException refused) {
      runs = false;
    }
    String verdict = "accepted";
    try {
      Executable.check(program);
    } catch (NotExecutableException refused) {
      verdict = refused.getMessage();
    }
    assertThat(verdict.equals("accepted")).as(verdict).isEqualTo(runs);
  }

  private static String elf() throws IOException {
    return new String(Files.readAllBytes(Path.of("/bin/true")), ISO_8859_1);
  }

  private Path executable(String name, String content) throws IOException {
    Path path = directory.resolve(name);
    Files.createDirectories(path.getParent());
    return write(path, content);
  }

  /** By a name of its own: a file that is still open for writing cannot be executed. */
  private static Path write(Path path, String content) throws IOException {
    Files.write(path, bytes(content));
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    return path;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static byte[] concat(byte[] first, byte[] second) {
    byte[] both = java.util.Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
