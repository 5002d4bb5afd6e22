package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How the program is found, and what happens if it cannot be found or executed. */
class ProgramIT {
  @RegisterExtension final Sandbox sandbox = new Sandbox();

  static Stream<Arguments> unusable() {
    List<Arguments> cases = new ArrayList<>();
    for (String command : List.of("start", "run")) {
      cases.add(Arguments.of(command, "/no/such/program", "ENOENT"));
      cases.add(Arguments.of(command, "no-such-program", "not found in PATH"));
      cases.add(Arguments.of(command, "./missing", "ENOENT"));
      cases.add(Arguments.of(command, "./dangling", "ENOENT"));
      cases.add(Arguments.of(command, "./plain", "permission"));
      cases.add(Arguments.of(command, "./directory", "directory"));
      cases.add(Arguments.of(command, "./no-interpreter", "/no/such/interpreter"));
      cases.add(Arguments.of(command, "./plain/child", "ENOTDIR"));
    }
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("unusable")
  void aProgramThatCannotRunIsNamedAndNothingIsChanged(
      String command, String program, String reason) throws Exception {
    prepareUnusable();
    Files.writeString(sandbox.file("log"), "kept\n");

    ProcessSandbox.Result result =
        sandbox.shell("$daimon " + command + " -p $dir/pid -l $dir/lock -o $dir/log " + program);

    assertRefused(result, program, reason);
    assertThat(sandbox.file("pid")).doesNotExist();
    assertThat(sandbox.file("lock")).doesNotExist();
    assertThat(sandbox.file("log")).hasContent("kept\n");
  }

  @ParameterizedTest
  @MethodSource("unusable")
  void aStalePidfileIsNotChanged(String command, String program, String reason) throws Exception {
    prepareUnusable();
    Path pidFile = Files.writeString(sandbox.file("pid"), "4194000\n");
    Object inode = Files.getAttribute(pidFile, "unix:ino");

    ProcessSandbox.Result result =
        sandbox.shell("$daimon " + command + " -p $dir/pid -o $dir/log " + program);

    assertRefused(result, program, reason);
    assertThat(pidFile).hasContent("4194000\n");
    assertThat(Files.getAttribute(pidFile, "unix:ino")).isEqualTo(inode);
    assertThat(sandbox.file("log")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  @Tag("root")
  void permissionIsCheckedAsTheTargetUser(String command) throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    Path program = sandbox.script("roots-own", "#!/bin/sh");
    Sandbox.openToAll(program, "rwx------");

    ProcessSandbox.Result result =
        sandbox.daimon(
            command, "-u", "65534", "-p", sandbox.file("pid").toString(), program.toString());

    assertRefused(result, program.toString(), "permission");
    assertThat(sandbox.file("pid")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({"/no/such/directory, ENOENT", "/etc/passwd, ENOTDIR"})
  void aWorkingDirectoryThatCannotBeEnteredIsReportedBeforeAnythingIsChanged(
      String directory, String reason) throws Exception {
    Files.writeString(sandbox.file("log"), "kept\n");

    ProcessSandbox.Result result =
        sandbox.shell("$daimon start -p $dir/pid -o $dir/log -c " + directory + " sleep 1000");

    assertThat(result.exitCode()).isEqualTo(71);
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains(directory, reason);
    assertThat(sandbox.file("pid")).doesNotExist();
    assertThat(sandbox.file("log")).hasContent("kept\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "start -p $dir/pid ./program",
        "start -p $dir/pid sub/../program",
        "start -p $dir/pid -c / ./program",
        "start -p $dir/pid ../*/program",
        "start -p $dir/pid ./link",
        "start -p $dir/pid sub/link"
      })
  void aRelativePathIsRelativeToTheCallersDirectory(String words) throws Exception {
    prepareProgram();

    assertThat(sandbox.shell("$daimon " + words)).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitProgram("sleep");
    assertThat(sandbox.file("ran")).exists();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "PATH=$PATH:$dir",
        "PATH=/no/such:$PATH:.",
        "PATH=sub/..:$PATH",
        "PATH=:$PATH",
        "PATH=$PATH:",
        "PATH=$dir/program:$PATH::"
      })
  void relativeDirectoriesInThePathAreRelativeToTheCallersDirectory(String path) throws Exception {
    prepareProgram();

    ProcessSandbox.Result result =
        sandbox.shell("export dir; " + path + " $daimon start -p $dir/pid program");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitProgram("sleep");
    assertThat(sandbox.file("ran")).exists();
  }

  @Test
  void aFileInThePathThatCannotBeExecutedIsSkipped() throws Exception {
    prepareProgram();
    Files.createDirectory(sandbox.file("first"));
    Files.writeString(sandbox.file("first/program"), "");
    Files.createDirectories(sandbox.file("second/program"));

    ProcessSandbox.Result result =
        sandbox.shell("PATH=$dir/first:$dir/second:$dir:$PATH $daimon start -p $dir/pid program");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitProgram("sleep");
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aScriptWithoutAnInterpreterLineIsRunByTheShell(String command) throws Exception {
    sandbox.script("bare", "echo \"$0 $*\" > $dir/ran");

    ProcessSandbox.Result result = sandbox.shell("$daimon " + command + " ./bare 'a  b' c");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitEnd();
    assertThat(sandbox.file("ran")).content().endsWith("/bare a  b c\n");
  }

  @Test
  void aScriptWithAnInterpreterLineGetsItsArgument() throws Exception {
    sandbox.script("checked", "#!/bin/sh -u", "echo $- > $dir/ran");

    assertThat(sandbox.shell("$daimon start ./checked"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
    sandbox.awaitEnd();
    assertThat(Files.readString(sandbox.file("ran"))).contains("u");
  }

  @Test
  void aStartWorksFromADirectoryThatIsGone() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "mkdir gone; cd gone; rmdir ../gone; $daimon start -p $dir/pid sleep 1000 2>$dir/err;"
                + "echo $?; $daimon start ./sleep 2>>$dir/err");

    assertThat(result.out()).isEqualTo("0\n");
    assertThat(result.exitCode()).isEqualTo(66);
    // dash prints a message about it, too.
    assertThat(Files.readAllLines(sandbox.file("err")))
        .filteredOn(line -> !line.startsWith("sh: "))
        .containsExactly("daimon: ./sleep: No such file or directory (ENOENT, 2)");
  }

  private void prepareUnusable() throws Exception {
    Files.writeString(sandbox.file("plain"), "#!/bin/sh\n");
    Files.createDirectory(sandbox.file("directory"));
    Files.createSymbolicLink(sandbox.file("dangling"), Path.of("/no/such/file"));
    sandbox.script("no-interpreter", "#!/no/such/interpreter -x");
  }

  /** Creates a program that creates a file, links to the program, and a directory beside it. */
  private void prepareProgram() throws Exception {
    sandbox.script("program", "#!/bin/sh", "touch $dir/ran", "exec sleep 1000");
    Files.createDirectory(sandbox.file("sub"));
    Files.createSymbolicLink(sandbox.file("link"), Path.of("program"));
    Files.createSymbolicLink(sandbox.file("sub/link"), Path.of("../program"));
  }

  private static void assertRefused(ProcessSandbox.Result result, String program, String reason) {
    assertThat(result.exitCode()).as(result.toString()).isEqualTo(66);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains(program, reason);
  }
}
