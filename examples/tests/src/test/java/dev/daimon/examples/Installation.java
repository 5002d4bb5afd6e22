package dev.daimon.examples;

import dev.daimon.testing.Command;
import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The example {@code hello} in every packaging that java can start, in one directory. */
final class Installation {
  private static final String SOURCE = "dev/daimon/examples/hello/Hello.java";

  private final Path directory;

  private Installation(Path directory) {
    this.directory = directory;
  }

  static Installation in(Path directory) throws Exception {
    Installation installation = new Installation(directory);
    installation.build();
    return installation;
  }

  /** Links everything into another directory. */
  void linkInto(Path other) throws IOException {
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      for (Path one : all) {
        Files.createSymbolicLink(other.resolve(one.getFileName()), one);
      }
    }
  }

  private void build() throws Exception {
    Path lib = Files.createDirectory(directory.resolve("lib"));
    List<String> jars = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path jar = Path.of(entry);
      String name = jar.getFileName().toString();
      if (name.matches("daimon-\\d.*|daimon-(?!testing|examples?-).*|daimon-example-hello-.*")) {
        Files.copy(jar, lib.resolve(name));
        jars.add("lib/" + name);
      }
    }
    Files.copy(Examples.jar("hello"), directory.resolve("hello.jar"));
    Files.copy(Examples.jar("spring"), directory.resolve("spring.jar"));
    sources();
    classes();
    // A line of a manifest has at most 512 bytes; one that begins with a blank continues the last.
    String classPath = String.join("\n  ", jars);
    jar("app.jar", "Main-Class: " + LaunchForms.MAIN + "\nClass-Path: " + classPath);
    jar("agent.jar", "Premain-Class: " + Agent.class.getName());
    Files.writeString(
        directory.resolve("options"),
        "# one argument a line\n"
            + LaunchForms.NATIVE
            + "\n-cp\n\"lib/*\"\n"
            + LaunchForms.MAIN
            + "\n");
    image(lib);
  }

  private void sources() throws IOException {
    Path original = Examples.ROOT.resolve("examples/hello/src/main/java").resolve(SOURCE);
    Path copy = directory.resolve("src").resolve(SOURCE);
    Files.createDirectories(copy.getParent());
    Files.copy(original, copy);
    // A file without the suffix is a single source file without a package.
    String text = Files.readString(original);
    Files.writeString(directory.resolve("script"), text.substring(text.indexOf("import ")));
  }

  /** Directories with class files: those of the example, of the agent, and all of "dev". */
  private void classes() throws Exception {
    Path classes = directory.resolve("classes");
    Command.run("cp", "-r", Examples.ROOT + "/examples/hello/target/classes", classes.toString());
    Command.run("cp", "-r", Examples.ROOT + "/examples/tests/target/test-classes", tests());
    String shaded = Examples.jar("hello").toString();
    Command.run(
        "sh",
        "-c",
        "cd \"$0\" && \"$1\" -xf \"$2\" dev",
        directory.toString(),
        Examples.tool("jar"),
        shaded);
  }

  private String tests() {
    return directory.resolve("tests").toString();
  }

  private void jar(String name, String manifest) throws Exception {
    Path entries =
        Files.writeString(
            directory.resolve("manifest"), manifest + "\nEnable-Native-Access: ALL-UNNAMED\n");
    Command.run(
        Examples.tool("jar"),
        "cfm",
        directory.resolve(name).toString(),
        entries.toString(),
        "-C",
        name.equals("agent.jar") ? tests() : directory.resolve("classes").toString(),
        "dev");
  }

  private void image(Path lib) throws Exception {
    Command.run(
        Examples.tool("jlink"),
        "--module-path=" + lib,
        "--add-modules=" + LaunchForms.MODULE,
        "--add-options=--enable-native-access=dev.daimon.posix",
        "--launcher=hello=" + LaunchForms.MODULE + "/" + LaunchForms.MAIN,
        "--output=" + directory.resolve("image"));
  }
}
