package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.startup.StartException;
import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The distribution: in any directory, called in any way, with any JDK on the machine. */
class DistributionIT {
  private static final String JDK = System.getProperty("java.home");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @ParameterizedTest
  @CsvSource({
    "with space, '', \"$dir/with space/bin/daimon\" run",
    "with space, with space/bin, ./daimon run",
    "with space, with space/bin, sh daimon run",
    "bin/d, bin, d/bin/daimon run",
    "bin/d, '', bin/d/bin/daimon run",
    "bin/d, bin/d/bin, ./daimon run",
    "bin/d, bin/d/bin, sh daimon run",
    "bin/d, bin/d/bin, sh ./daimon run",
    "bin/d, bin/d/lib, ../bin/daimon run",
    "bin/d, bin/d/bin, PATH=.:$PATH daimon run",
    "bin/d, bin/d, PATH=bin:$PATH daimon run",
    "bin, bin, bin/daimon run",
    "bin, bin/bin, sh daimon run",
    "d, '', ln -s $dir/d/bin/daimon absolute; ./absolute run",
    "d, '', mkdir x; ln -s ../d/bin/daimon x/relative; x/relative run",
    "d, d, ln -s bin/daimon relative; cd /; $dir/d/relative run",
    "d, '', ln -s d/bin/daimon one; ln -s $dir/one two; ./two run",
    "d, '', ln -s d linked; linked/bin/daimon run",
    "d, '', ln -s d/bin linked; linked/daimon run",
    "d, d/bin, ./daimonize -f",
    "d, '', d/bin/daimonize -f",
    "d, '', ln -s d/bin/daimonize daimonize; ./daimonize -f",
    "d, '', ln -s d/bin/daimon daimonize; PATH=.:$PATH daimonize -f",
  })
  void theCommandWorksFromEverywhere(String place, String here, String command) throws Exception {
    copyTo(sandbox.file(place));

    ProcessSandbox.Result result =
        sandbox.shell("cd \"$dir/" + here + "\"; " + command + " echo it works");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "it works\n", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run", "--version"})
  void aPathWithAColonIsRefusedInOneLine(String words) throws Exception {
    Path home = copyTo(sandbox.file("a:b"));

    ProcessSandbox.Result result =
        sandbox.shell("'" + home + "/bin/daimon' " + words + " touch $dir/ran");

    assertThat(result.exitCode()).isEqualTo(71);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1).contains("colon", "a:b");
    assertThat(sandbox.file("ran")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"missing", "empty", "gone"})
  void javaHomeIsUsedIfTheJdkOfTheCachesIsGone(String known) throws Exception {
    Path home = copyTo(sandbox.file("d"));
    forgetJdk(home, known);

    ProcessSandbox.Result result =
        sandbox.run(
            List.of(home + "/bin/daimon", "run", "echo", "it works"), Map.of("JAVA_HOME", JDK));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "it works\n", ""));
  }

  /** JAVA_HOME comes first, then the JDK of the caches, then any other one. */
  @ParameterizedTest
  @CsvSource({
    "25, 25, home",
    "26, 25, home",
    "17, 25, known",
    "'', 25, known",
    "'', gone, path",
    // Another JDK has come to its place.
    "'', 17, path",
  })
  void theJdkIsThatOfJavaHomeOrOfTheCachesOrAny(String home, String known, String used)
      throws Exception {
    Path place = copyTo(sandbox.file("d"));
    recordingJdk("home", home);
    recordingJdk("known", known);
    recordingJdk("path", "25");
    Files.writeString(place.resolve("lib/jdk"), sandbox.file("known") + "\n");
    if (known.equals("gone")) {
      forgetJdk(place, known);
    }

    ProcessSandbox.Result result =
        sandbox.shell(
            "JAVA_HOME=$dir/home PATH=$dir/path/bin:$PATH $dir/d/bin/daimon run echo it works");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "it works\n", ""));
    assertThat(sandbox.file("used")).hasContent(used);
  }

  private void recordingJdk(String name, String version) throws IOException {
    fakeJdk(
        name,
        version.isEmpty() ? "none" : version,
        "echo " + name + " >>" + sandbox.file("used"),
        "exec " + JDK + "/bin/java \"$@\"");
  }

  @Test
  void makeCacheRecordsItsJdk() throws Exception {
    Path home = copyTo(sandbox.file("d"));
    forgetJdk(home, "gone");

    ProcessSandbox.Result result =
        sandbox.run(List.of(home + "/lib/make-cache"), Map.of("JAVA_HOME", JDK));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(home.resolve("lib/jdk")).hasContent(JDK + "\n");
    assertNothingNew(home);
  }

  /** Neither by JAVA_HOME nor by the PATH, with or without symbolic links. */
  @ParameterizedTest
  @CsvSource({
    "$dir/old, $dir/old/bin:/usr/bin:/bin",
    "$dir/old, $dir/links:/usr/bin:/bin",
    "'', $dir/links:/usr/bin:/bin",
    "/, /usr/bin:/bin",
    "'', /usr/bin:/bin",
    "'', /nowhere",
  })
  void anOlderJavaIsNeverUsed(String javaHome, String path) throws Exception {
    Path home = copyTo(sandbox.file("d"));
    forgetJdk(home, "missing");
    fakeJdk("old", "17.0.15", "touch " + sandbox.file("used"), "exit 1");
    Files.createDirectory(sandbox.file("links"));
    Files.createSymbolicLink(sandbox.file("links/java"), sandbox.file("old/bin/java"));

    ProcessSandbox.Result result =
        sandbox.shell(
            "PATH=" + path + " JAVA_HOME=" + javaHome + " $dir/d/bin/daimon --version </dev/null");

    assertThat(sandbox.file("used")).doesNotExist();
    if (result.exitCode() == 0) {
      assertThat(result.out()).startsWith("daimon ");
      assertThat(result.err()).isEmpty();
    } else {
      // There is no other JDK in a usual directory of this machine.
      assertThat(result.exitCode()).isEqualTo(71);
      assertThat(result.out()).isEmpty();
      assertThat(result.err()).startsWith("daimon: no JDK").hasLineCount(1);
    }
  }

  /** A later JDK may have other internals, and would print a warning about the missing ones. */
  @ParameterizedTest
  @CsvSource({"25, true", "25.0.9, true", "26, false", "26.0.1, false"})
  void theLinkerIsNotLoadedWithTheJdkWhoseEntryPointIsKnown(String version, boolean known)
      throws Exception {
    Path home = copyTo(sandbox.file("d"));
    Path classes = sandbox.file("classes");
    fakeJdk(
        "jdk",
        version,
        "for word; do",
        "    set -- \"$@\" \"$word\"",
        "    shift",
        "    case $word in -Xlog:all=*) log=-Xlog:class+load:file=" + classes + ";; *) log=; esac",
        "    set -- \"$@\" $log",
        "done",
        "exec " + JDK + "/bin/java \"$@\"");
    Files.writeString(home.resolve("lib/jdk"), sandbox.file("jdk") + "\n");

    assertThat(sandbox.shell("$dir/d/bin/daimon start -p $dir/pid true"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(Files.readString(classes))
        .contains("dev.daimon.posix.call.Libc ")
        .matches(text ->
            text.contains("jdk.internal.foreign.abi.DowncallLinker ")
                == !(known
                    && Runtime.version().feature() == 25
                    && System.getProperty("os.arch").equals("amd64")));
  }

  /** However java fails, one line reports it, and the shell prints nothing of its own. */
  @ParameterizedTest
  @CsvSource({
    "kill -KILL $$, 137, start true",
    "kill -KILL $$, 137, start -f true",
    "kill -TERM $$, 143, start true",
    "kill -SEGV $$, '139): it cannot start here', start true",
    "kill -ABRT $$, '134): it cannot start here', start true",
    "echo no memory >&2; exit 1, '1): no memory; nothing was started', start true",
    "exit 1, '1): it cannot start here; nothing was started', restart -p /x true",
    "exit 4, '4): it cannot start here; nothing was started', start true",
    "exit 127, '127): it cannot start here; nothing was started', start true",
    "exit 1, '1): it cannot start here', status -p /x",
    "exit 3, '3): it cannot start here', status -p /x",
    "exit 1, '1): it cannot start here', --version",
    "case $* in *--version) exit 0; esac; kill -SEGV $$, 139, start true",
  })
  void aFailureOfJavaItselfIsReportedInOneLine(String end, String status, String words)
      throws Exception {
    Path home = copyTo(sandbox.file("d"));
    fakeJdk("jdk", "25", end);
    Files.writeString(home.resolve("lib/jdk"), sandbox.file("jdk") + "\n");

    ProcessSandbox.Result result = sandbox.shell("ulimit -c 0; $dir/d/bin/daimon " + words);

    assertThat(result)
        .isEqualTo(
            new ProcessSandbox.Result(
                71,
                "",
                "daimon: java has failed (status "
                    + status
                    + (status.contains(")")
                        ? "\n"
                        : "); whether the program runs is not known\n")));
  }

  /** The launcher script ends with each exit code that the main class can have. */
  @Test
  void theLauncherScriptPassesOnEveryExitCode() throws Exception {
    Path home = copyTo(sandbox.file("d"));
    Files.writeString(home.resolve("lib/jdk"), sandbox.file("jdk") + "\n");
    Map<Integer, Integer> codes = new TreeMap<>(Map.of(0, 0, 121, 1, 123, 3, 124, 4));
    for (StartException.Reason reason : StartException.Reason.values()) {
      int code = reason.exitCode();
      codes.put(code <= ScriptProtocol.LAST_MOVED ? ScriptProtocol.MOVED + code : code, code);
    }
    for (Map.Entry<Integer, Integer> code : codes.entrySet()) {
      fakeJdk("jdk", "25", "exit " + code.getKey());

      assertThat(sandbox.shell("$dir/d/bin/daimon start true"))
          .isEqualTo(new ProcessSandbox.Result(code.getValue(), "", ""));
    }
  }

  /** Hosts with many users, and batch systems, limit the address space. */
  @Test
  void littleAddressSpaceIsEnough() throws Exception {
    assertThat(sandbox.shell("ulimit -v 1000000; $daimon start -p $dir/pid sleep 1000"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.shell("ulimit -v 1000000; $daimon status -p $dir/pid").exitCode()).isZero();
    assertThat(sandbox.shell("ulimit -v 1000000; $daimon stop -p $dir/pid"))
        .isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(sandbox.shell("ulimit -v 1000000; $daimon run echo it works"))
        .isEqualTo(new ProcessSandbox.Result(0, "it works\n", ""));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 6})
  @Tag("root")
  void aLimitOfProcessesThatIsTooLowIsReportedInOneLine(int processes) throws Exception {
    ProcessSandbox.Result result = withProcesses(processes, sandbox.publicDaimon());

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).startsWith("daimon: ").hasLineCount(1);
  }

  /** The shell fails before it runs the launcher script, so the message is the shell's. */
  @Test
  @Tag("root")
  void aLinkThatCannotBeFollowedForLackOfProcessesHasAKnownExitCode() throws Exception {
    Path link = Files.createSymbolicLink(sandbox.file("link"), sandbox.publicDaimon());

    ProcessSandbox.Result result = withProcesses(1, link);

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).hasLineCount(1);
  }

  /** Starts as a user without other processes, since all of a user's processes count. */
  private ProcessSandbox.Result withProcesses(int processes, Path daimon) throws Exception {
    return sandbox.run(
        List.of(
            "setpriv",
            "--reuid=3000000" + (200 + processes),
            "--clear-groups",
            "prlimit",
            "--nproc=" + processes,
            daimon.toString(),
            "start",
            "true"),
        Map.of());
  }

  @ParameterizedTest
  @CsvSource({
    "umount -l /proc, is not mounted",
    "mount -t tmpfs x /proc, is not mounted",
    "mount -t tmpfs x /proc; mkdir /proc/self; echo >/proc/self/stat, cannot be read",
    "mount -t tmpfs x /proc; mkdir -p /proc/self/stat, cannot be read",
    "mount -t tmpfs x /proc; mkdir -p /proc/self/fd; echo 1 >/proc/self/stat, cannot be read",
    "exec unshare --pid --fork --kill-child \"$0\", another PID namespace",
  })
  @Tag("root")
  void aProcThatDoesNotShowThisProcessIsReportedInOneLine(String change, String told)
      throws Exception {
    for (String words : List.of("start true", "run true", "stop -p /x", "status -p /x")) {
      ProcessSandbox.Result result =
          sandbox.run(
              List.of(
                  "unshare",
                  "--mount",
                  "sh",
                  "-c",
                  change + (change.startsWith("exec") ? " " : "; \"$0\" ") + words,
                  Sandbox.DAIMON.toString()),
              Map.of());

      assertThat(result.exitCode())
          .as(result.toString())
          .isEqualTo(words.startsWith("status") ? 4 : 71);
      assertThat(result.out()).isEmpty();
      assertThat(result.err()).startsWith("daimon: /proc").hasLineCount(1).contains(told);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "start, 400000",
    "start -f, 400000",
    "--version, 400000",
    "run, 400000",
    "start, 300000",
    "start, 100000",
    "start, 30000",
    "start, 15000",
    "run, 100000",
  })
  void aJvmThatCannotStartLeavesNoFilesAndIsReportedInOneLine(String words, int space)
      throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "cd $dir; ulimit -c 0; ulimit -v " + space + "; $daimon " + words + " touch $dir/ran");

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(71);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("daimon: java has failed (status ")
        .hasLineCount(1)
        .doesNotContain("not known");
    assertThat(sandbox.directory()).isEmptyDirectory();
    try (DirectoryStream<Path> left = Files.newDirectoryStream(Path.of("/"), "{hs_err,core}*")) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void theCallersJavaOptionsDoNotSpoilTheCache() throws Exception {
    Path home = copyTo(sandbox.file("d"));
    Path cache = cacheOf(home);
    Files.writeString(cache, "spoilt");

    ProcessSandbox.Result result =
        sandbox.run(
            List.of(home + "/lib/make-cache"),
            Map.of(
                "JDK_AOT_VM_OPTIONS", "-Xnonsense",
                "JAVA_TOOL_OPTIONS", "-Xnonsense",
                "JDK_JAVA_OPTIONS", "-Xnonsense"));

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "", ""));
    assertThat(Files.size(cache)).isGreaterThan(1_000_000);
    assertThat(sandbox.shell("$dir/d/bin/daimon run echo it works"))
        .isEqualTo(new ProcessSandbox.Result(0, "it works\n", ""));
    assertNothingNew(home);
  }

  @ParameterizedTest
  @ValueSource(strings = {"echo no memory; exit 1", "exit 0", "kill -KILL $$"})
  void theOldCacheStaysIfNoNewOneCanBeMade(String end) throws Exception {
    Path home = copyTo(sandbox.file("d"));
    Path cache = cacheOf(home);
    fakeJdk("jdk", "25", end);
    Files.writeString(home.resolve("lib/jdk"), sandbox.file("jdk") + "\n");

    ProcessSandbox.Result result = sandbox.run(List.of(home + "/lib/make-cache"), Map.of());

    assertThat(result.exitCode()).isNotZero();
    assertThat(result.err()).isNotEmpty();
    assertThat(cache).hasSameBinaryContentAs(cacheOf(Sandbox.DAIMON.getParent().getParent()));
    assertNothingNew(home);
  }

  private static void assertNothingNew(Path home) throws IOException {
    try (DirectoryStream<Path> left = Files.newDirectoryStream(home.resolve("lib"), "*.new*")) {
      assertThat(left).isEmpty();
    }
  }

  private static Path cacheOf(Path home) throws IOException {
    try (DirectoryStream<Path> caches =
        Files.newDirectoryStream(home.resolve("lib"), "*-start.aot")) {
      return caches.iterator().next();
    }
  }

  private static void forgetJdk(Path home, String how) throws IOException {
    Path known = home.resolve("lib/jdk");
    switch (how) {
      case "missing" -> Files.delete(known);
      case "empty" -> Files.writeString(known, "");
      default -> Files.writeString(known, "/no/such/jdk\n");
    }
  }

  /** A JDK whose java is a script of these lines. */
  private void fakeJdk(String name, String version, String... lines) throws IOException {
    Path bin = Files.createDirectories(sandbox.file(name + "/bin"));
    Files.writeString(bin.resolveSibling("release"), "JAVA_VERSION=\"" + version + "\"\n");
    sandbox.script(name + "/bin/java", "#!/bin/sh\n" + String.join("\n", lines));
  }

  private static Path copyTo(Path home) throws Exception {
    Files.createDirectories(home.getParent());
    TestUser.output("cp", "-a", Sandbox.DAIMON.getParent().getParent().toString(), home.toString());
    return home;
  }
}
