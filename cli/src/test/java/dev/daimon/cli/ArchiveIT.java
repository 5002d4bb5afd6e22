package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The archive, installed and removed as docs/command.md says. */
class ArchiveIT {
  private static final Path DOCUMENT =
      Path.of(System.getProperty("daimon.root"), "docs/command.md");

  private static final String VERSION = System.getProperty("daimon.version");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @Test
  void itIsInstalledUsedAndRemovedAsDocumented() throws Exception {
    Path prefix = Files.createDirectory(sandbox.file("prefix"));
    Path own = Files.createDirectories(prefix.resolve("bin")).resolve("own");
    Files.writeString(own, "another's");
    List<String> blocks = documented();
    assertThat(blocks).hasSize(2);
    Matcher settings = Pattern.compile("VERSION=\\S+ PREFIX=/usr/local\n").matcher(blocks.get(0));
    String set = "set -eu; VERSION=" + VERSION + " PREFIX=" + prefix + "\n";
    String install = settings.replaceFirst(Matcher.quoteReplacement(set));
    assertThat(install).startsWith(set);

    Path home = prefix.resolve("lib/daimon-" + VERSION);
    // Twice, since whoever is not sure does it again; then the jar is another one.
    for (int i = 0; i < 2; i++) {
      assertThat(
              sandbox.run(
                  List.of("sh", "-c", "cd " + archive().getParent() + "; " + install),
                  Map.of("JAVA_HOME", System.getProperty("java.home"))))
          .isEqualTo(new Result(0, "", ""));
      assertThat(files(home.resolve("lib"), "*.jar")).hasSize(1);
      assertThat(files(home.resolve("lib"), "*.aot")).hasSize(2);
      Files.createFile(home.resolve("lib/daimon-" + VERSION + "-ffffffffffff.jar"));
    }
    Files.delete(home.resolve("lib/daimon-" + VERSION + "-ffffffffffff.jar"));

    String used = "PATH=" + prefix + "/bin:$PATH; unset JAVA_HOME; ";
    assertThat(sandbox.shell(used + "daimonize -p $dir/pid sleep 1000; daimon stop -p $dir/pid"))
        .isEqualTo(new Result(0, "", ""));
    assertThat(prefix.resolve("share/man/man1/daimon.1")).exists();
    assertThat(prefix.resolve("share/bash-completion/completions/daimonize")).exists();

    assertThat(sandbox.shell(set + blocks.get(1))).isEqualTo(new Result(0, "", ""));

    try (Stream<Path> left = Files.walk(prefix)) {
      assertThat(left.filter(file -> !Files.isDirectory(file))).containsExactly(own);
    }
    assertThat(prefix.resolve("lib")).isEmptyDirectory();
  }

  /** Root unpacks it as it is: so it must be root's, and writable by root alone. */
  @Test
  void everyFileIsRootsAndOfOneTime() throws Exception {
    Pattern file =
        Pattern.compile(
            "(?:drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|l\\S+) 0/0 +\\d+ (\\S+ \\S+) daimon-"
                + Pattern.quote(VERSION)
                + "/.*");

    List<String> listing =
        TestUser.output("tar", "--numeric-owner", "--utc", "-tvzf", archive().toString())
            .lines()
            .toList();

    assertThat(listing).hasSizeGreaterThan(10).allMatch(line -> file.matcher(line).matches());
    assertThat(listing.stream().map(line -> file.matcher(line).replaceFirst("$1")).distinct())
        .hasSize(1);
    assertThat(listing)
        .anyMatch(line -> line.endsWith("/LICENSE"))
        .anyMatch(line -> line.startsWith("-rwx") && line.endsWith("/bin/daimon"))
        .anyMatch(line -> line.startsWith("-rwx") && line.endsWith("/lib/make-cache"))
        // They fit one build of the JDK alone.
        .noneMatch(line -> line.contains(".aot") || line.endsWith("/lib/jdk"));
  }

  private static Path archive() {
    return Sandbox.DAIMON.getParent().getParent().resolveSibling("daimon-" + VERSION + ".tar.gz");
  }

  private static List<Path> files(Path directory, String pattern) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, pattern)) {
      found.forEach(files::add);
    }
    return files;
  }

  /** The blocks of the section on the archive: install, remove. */
  private static List<String> documented() throws IOException {
    String document = Files.readString(DOCUMENT);
    int begin = document.indexOf("\n### The archive\n");
    String section = document.substring(begin, document.indexOf("\n### ", begin + 1));
    return Pattern.compile("(?m)(^ {4}.*\n)+")
        .matcher(section)
        .results()
        .map(MatchResult::group)
        .map(block -> block.replaceAll("(?m)^ {4}", ""))
        .toList();
  }
}
