package dev.daimon.daemon.javacommand;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The JDK's own launcher understands the derived words in "/" as it did the first ones here. */
class RealLauncherTest {
  /** Prints what it was started with, paths absolute and other text as numbers. */
  private static final String PROBE =
      """
      package probe;

      import java.nio.file.Path;

      public class Probe {
        public static void main(String[] arguments) {
          for (String name : new String[] {"java.class.path", "jdk.module.path"}) {
            // No class path, an empty one and an empty entry of one mean the directory.
            String list = System.getProperty(name, name.contains("module") ? null : "");
            if (list != null && (!list.isEmpty() || System.getProperty("jdk.module.main") == null)) {
              for (String entry : list.split(":", name.contains("module") ? 0 : -1)) {
                System.out.println(name + " " + Path.of(entry).toAbsolutePath().normalize());
              }
            }
          }
          System.out.println("resource " + ClassLoader.getSystemResource("resource.txt"));
          System.out.println("dependency " + ClassLoader.getSystemResource("dependency.txt"));
          System.out.println("patch " + Probe.class.getResource("patch.txt"));
          System.out.println("module " + Probe.class.getModule().getName());
          System.out.println("agent " + System.getProperty("agent"));

          print("x", System.getProperty("x"));
          for (String argument : arguments) {
            print("argument", argument);
          }
        }

        static void print(String name, String text) {
          StringBuilder line = new StringBuilder(name);
          if (text != null) {
            for (char c : text.toCharArray()) {
              line.append(' ').append((int) c);
            }
          }
          System.out.println(line);
        }
      }
      """;

  private static final String AGENT =
      """
      package probe;

      public class Agent {
        public static void premain(String options) {
          System.setProperty("agent", "loaded with " + options);
        }
      }
      """;

  /** Prints the options that the JVM has read, a line of numbers each. */
  private static final String OPTIONS =
      """
      package probe;

      import java.lang.management.ManagementFactory;

      public class Options {
        public static void main(String[] arguments) {
          for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            Probe.print("option", option);
          }
        }
      }
      """;

  private static final String JAVA = tool("java");

  @TempDir static Path here;

  @BeforeAll
  static void buildWhatIsStarted() throws Exception {
    Path source = Files.createDirectories(here.resolve("source/probe"));
    Files.writeString(source.resolve("Probe.java"), PROBE);
    Files.writeString(source.resolve("Agent.java"), AGENT);
    Files.writeString(here.resolve("source/module-info.java"), "module probe { exports probe; }");
    Files.writeString(source.resolve("Options.java"), OPTIONS);
    compile(
        "classes",
        "source/probe/Probe.java",
        "source/probe/Agent.java",
        "source/probe/Options.java");
    compile("mods/probe", "source/probe/Probe.java", "source/module-info.java");
    Files.writeString(Files.createDirectories(here.resolve("other")).resolve("resource.txt"), "");
    Files.writeString(here.resolve("dependency.txt"), "");
    Files.writeString(here.resolve("resource.txt"), "");
    Files.createDirectories(here.resolve("patch/probe"));
    Files.writeString(here.resolve("patch/probe/patch.txt"), "");
    Files.createDirectories(here.resolve("lib"));
    jar("lib/dependency.jar", "Created-By: test", ".", "dependency.txt");
    jar("lib/probe.jar", "Main-Class: probe.Probe", "classes", "probe");
    jar("app.jar", "Main-Class: probe.Probe\nClass-Path: lib/dependency.jar", "classes", "probe");
    jar("agent.jar", "Premain-Class: probe.Agent", "classes", "probe");
    Files.writeString(here.resolve("Single.java"), PROBE.replace("package probe;", ""));
    Files.writeString(
        here.resolve("script"), "#!java --source 25\n" + PROBE.replace("package probe;", ""));
    Files.writeString(
        here.resolve("options"),
        "# where the classes are\n-cp \"cla\\\n   sses\":'other' -Dx=\"a \\\"b\\\"\"\n");
    Files.writeString(here.resolve("all"), "-cp classes probe.Probe @options \"two words\" ''\n");
    Files.writeString(here.resolve("jarred"), "-Dx=y\n-jar");
  }

  static List<List<String>> forms() {
    String utf8 = latin1("äöü");
    return List.of(
        List.of("-cp", "lib/*", "probe.Probe", "lib/*"),
        List.of("-cp", "classes:other", "probe.Probe", "", "-cp", "x"),
        List.of("-classpath", "classes::lib/dependency.jar", "probe.Probe"),
        List.of("--class-path=other:classes:", "probe.Probe"),
        List.of("-Djava.class.path=classes", "probe/Probe"),
        List.of("-jar", "app.jar", "a.jar", "@options"),
        List.of("-jar", "-Dx=y", "./app.jar"),
        List.of("-cp", "other", "-jar", "app.jar"),
        List.of("-p", "mods", "-m", "probe/probe.Probe", "a"),
        List.of("--module-path", ":mods/probe:", "-cp", "other", "--module=probe/probe.Probe"),
        List.of("-p", "mods", "--patch-module", "probe=patch", "-m", "probe/probe.Probe"),
        List.of("-Xbootclasspath/a:other::patch", "-cp", "classes", "probe.Probe"),
        List.of("@options", "probe.Probe", "@options"),
        List.of("@all", "@options", "@@options"),
        List.of("@jarred", "app.jar", "x"),
        List.of("--disable-@files", "-cp", "classes", "probe.Probe", "@options"),
        List.of("-Dx=@@options", "-cp", "classes", "probe.Probe", "@@options"),
        List.of("Single.java", "a"),
        List.of("-cp", "other", "Single.java", "a"),
        List.of("--source", "25", "script", "a"),
        List.of("--source 25 -Dx=y -cp other", "script", "--source 25"),
        List.of("-javaagent:agent.jar=a=b", "-jar", "app.jar"),
        List.of("-Dx=" + utf8, "-cp", "classes", "probe.Probe", utf8),
        List.of("-Dx=\u00ff\u0080\u00fe", "-cp", "classes", "probe.Probe", "\u00ff\u0080\u00fe"),
        List.of("-Xlog:gc:file=gc.log:time", "-Xlog:gc:\"gc:2.log\"", "-jar", "app.jar"),
        List.of("-XX:ErrorFile=e.log", "-XX:HeapDumpPath=.", "-splash:no.png", "-jar", "app.jar"));
  }

  @ParameterizedTest
  @MethodSource("forms")
  void eachFormOfTheCommandLineIsUnderstood(List<String> form) throws Exception {
    assertAgrees(Map.of(), form);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "CLASSPATH=classes:other             | probe.Probe a",
        "CLASSPATH=lib/*                     | probe.Probe a",
        "CLASSPATH=other                     | Single.java a",
        "CLASSPATH=other                     | --source 25 script",
        "CLASSPATH=other                     | -p mods -m probe/probe.Probe",
        "CLASSPATH=                          | -p mods -m probe/probe.Probe",
        "CLASSPATH=other                     | -jar app.jar",
        "JDK_JAVA_OPTIONS=-cp classes        | probe.Probe a",
        "JDK_JAVA_OPTIONS=-cp \"lib/*\"      | probe.Probe a",
        "JDK_JAVA_OPTIONS=-cp other          | -cp classes probe.Probe",
        "JDK_JAVA_OPTIONS=-cp other          | -jar app.jar",
        "JDK_JAVA_OPTIONS=-p mods -Dx=y      | -Dx=z -m probe/probe.Probe",
        "JDK_JAVA_OPTIONS=--disable-@files   | -cp classes probe.Probe @options",
        "JAVA_TOOL_OPTIONS=-Dx='a b'         | -jar app.jar",
      })
  void eachVariableIsUnderstood(String variable, String form) throws Exception {
    int equals = variable.indexOf('=');
    assertAgrees(
        Map.of(variable.substring(0, equals), variable.substring(equals + 1)),
        List.of(form.split(" ", -1)));
  }

  @ParameterizedTest
  @CsvSource({"'',", "CLASSPATH,"})
  void aProgramWithoutAClassPathIsInTheDirectory(String variable) throws Exception {
    Map<String, String> variables = variable.isEmpty() ? Map.of() : Map.of(variable, "");
    Path classes = here.resolve("classes");
    assertAgrees(classes, variables, List.of("probe.Probe", "a"));
    assertAgrees(classes, variables, List.of("-cp", "", "probe.Probe", "a"));
  }

  @Test
  void aDirectoryWithAnyTextAsItsNameIsNamed() throws Exception {
    String name = latin1("@ä *%20ö");
    Command.run("cp", "-r", here.resolve("classes").toString(), here.resolve("copy").toString());
    run(here, Map.of(), List.of("mv", "copy", name));
    List<String> words = List.of(JAVA, "probe.Probe", "a");
    JavaCommand command = JavaCommand.of(words, here + "/" + name, Map.of(), List.of());
    assertThat(run(Path.of("/"), Map.of(), command.words())).contains("argument 97");
  }

  @Test
  void anArgumentFileIsReadAsTheLauncherReadsIt() throws Exception {
    // The same each time; more than the launcher's buffer of 4096 bytes.
    Random random = new Random(25);
    String alphabet = " \t\f\n\r\"'\\\\#@-nrtfab\u00ff  \n";
    for (int round = 0; round < 8; round++) {
      StringBuilder text = new StringBuilder("-cp classes probe.Probe\n");
      int length = round % 3 == 0 ? 6000 : 40;
      for (int i = 0; i < length; i++) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      Files.writeString(here.resolve("random"), text, StandardCharsets.ISO_8859_1);
      assertAgrees(Map.of(), List.of("@random"));
    }
  }

  @Test
  void aFileOfOptionsIsReadAsTheJvmReadsIt() throws Exception {
    String options = "  -Da='b \"c' -Dd=e\\\\ \f-Df=g\"h'\ni\"j'k' -Dl=#m\u000b-Dn=\"\" -Do=p";
    Files.writeString(here.resolve("vm"), options, StandardCharsets.ISO_8859_1);
    assertThat(options("-XX:VMOptionsFile=vm")).isEqualTo(ArgumentSplitter.inVariable(options));

    String flags =
        "# ErrorFile=a\n\t+HeapDumpOnOutOfMemoryError ErrorFile='b \"c' #d\nHeapDumpPath=e\"f g\n"
            + "  ErrorFile:=h#i\\\fNativeMemoryTracking=o'f'f OnError=\"\"";
    Files.writeString(here.resolve("flags"), flags, StandardCharsets.ISO_8859_1);
    List<String> expected = new ArrayList<>(ArgumentSplitter.inFlagsFile(flags));
    expected.add("-XX:Flags=flags");
    assertThat(options("-XX:Flags=flags")).isEqualTo(expected);
  }

  /** Returns what the JVM says that it was given, in a run with an option. */
  private static List<String> options(String option) throws Exception {
    List<String> words = List.of(JAVA, option, "-cp", "classes", "probe.Options");
    List<String> options = new ArrayList<>();
    for (String line : run(here, Map.of(), words).lines().toList()) {
      StringBuilder text = new StringBuilder();
      for (String number : line.substring("option".length()).strip().split(" ", -1)) {
        text.append((char) Integer.parseInt(number));
      }
      options.add(text.toString());
    }
    return options;
  }

  private static void assertAgrees(Map<String, String> variables, List<String> form)
      throws IOException, InterruptedException {
    assertAgrees(here, variables, form);
  }

  private static void assertAgrees(Path directory, Map<String, String> variables, List<String> form)
      throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(List.of(JAVA, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
    words.addAll(form);
    String expected = run(directory, variables, words);
    JavaCommand command = JavaCommand.of(words, directory.toString(), variables, List.of());
    assertThat(command.problems()).isEmpty();
    assertThat(run(Path.of("/"), variables, command.words()))
        .as("%s", command.words())
        .isEqualTo(expected);
  }

  /** Runs these very bytes as words, which a {@link ProcessBuilder} alone could not. */
  private static String run(Path directory, Map<String, String> variables, List<String> words)
      throws IOException, InterruptedException {
    Path file = Files.createTempFile("daimon-words", "");
    try {
      Files.writeString(file, String.join("\0", words) + "\0", StandardCharsets.ISO_8859_1);
      ProcessBuilder builder =
          new ProcessBuilder("xargs", "-0", "-x", "-a", file.toString(), "env")
              .directory(directory.toFile())
              .redirectErrorStream(true);
      for (String name :
          List.of("CLASSPATH", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")) {
        builder.environment().remove(name);
      }
      // Java finds no class in a directory whose name is no text of the locale.
      builder.environment().put("LC_ALL", "C.UTF-8");
      builder.environment().putAll(variables);
      Process process = builder.start();
      process.getOutputStream().close();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).as("%s: %s", words, output).isZero();
      return output;
    } finally {
      Files.delete(file);
    }
  }

  private static void compile(String target, String... sources)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of(tool("javac"), "-d", here.resolve(target).toString()));
    for (String source : sources) {
      command.add(here.resolve(source).toString());
    }
    Command.run(command.toArray(new String[0]));
  }

  private static void jar(String file, String manifest, String directory, String content)
      throws IOException, InterruptedException {
    Path entries = Files.writeString(here.resolve("manifest"), manifest + "\n");
    Command.run(
        tool("jar"),
        "cfm",
        here.resolve(file).toString(),
        entries.toString(),
        "-C",
        here.resolve(directory).toString(),
        content);
  }

  private static String tool(String name) {
    return Path.of(System.getProperty("java.home"), "bin", name).toString();
  }

  private static String latin1(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
  }
}
