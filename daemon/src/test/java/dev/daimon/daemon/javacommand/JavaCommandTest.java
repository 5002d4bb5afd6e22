package dev.daimon.daemon.javacommand;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Words are separated by one space each, so two of them are an empty word; the directory is /d. */
class JavaCommandTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = true,
      value = {
        "java -cp lib Main lib -cp lib       | java -cp /d/lib Main lib -cp lib",
        "./bin/java -cp lib Main             | ./bin/java -cp /d/lib Main",
        "java -classpath lib:/abs:x/* Main   | java -classpath /d/lib:/abs:/d/x/* Main",
        "java --class-path . Main            | java --class-path /d Main",
        "java --class-path=a:b Main          | java --class-path=/d/a:/d/b Main",
        "java -cp a::b: Main                 | java -cp /d/a:/d:/d/b:/d Main",
        "java -cp : Main                     | java -cp /d:/d Main",
        "java -cp * Main                     | java -cp /d/* Main",
        "java -cp ../x:./y Main              | java -cp /d/../x:/d/./y Main",
        "java -cp  Main                      | java -cp  -cp /d Main",
        "java -cp a -cp b Main               | java -cp /d/a -cp /d/b Main",
        "java -Djava.class.path=a Main       | java -Djava.class.path=/d/a Main",
        "java Main x.jar                     | java -cp /d Main x.jar",
        "java a/b/Main                       | java -cp /d a/b/Main",
        "java Missing.java                   | java -cp /d Missing.java",
        "java -Xmx9m Main -jar a.jar         | java -Xmx9m -cp /d Main -jar a.jar",
        "java -jar a.jar b.jar               | java -jar /d/a.jar b.jar",
        "java -jar /a.jar @file              | java -jar /a.jar @file",
        "java -jar -Dx=y a.jar               | java -jar -Dx=y /d/a.jar",
        "java -cp a -jar b.jar               | java -cp /d/a -jar /d/b.jar",
        "java -p a:b -m m/c.Main a           | java -p /d/a:/d/b -m m/c.Main a",
        "java --module-path a --module m a   | java --module-path /d/a --module m a",
        "java --module-path=a --module=m a   | java --module-path=/d/a --module=m a",
        "java -p :a::b:: -m m                | java -p /d:/d/a:/d:/d/b:: -m m",
        "java -p mods/* -m m                 | java -p /d/mods/* -m m",
        "java --upgrade-module-path a -m m   | java --upgrade-module-path /d/a -m m",
        "java --upgrade-module-path=a -m m   | java --upgrade-module-path=/d/a -m m",
        "java --patch-module m=a:/b -m m     | java --patch-module m=/d/a:/b -m m",
        "java --patch-module=m=a::b -m m     | java --patch-module=m=/d/a::/d/b -m m",
        "java --add-modules a -m m           | java --add-modules a -m m",
        "java --limit-modules a -m m         | java --limit-modules a -m m",
        "java --add-exports a/b=c -m m       | java --add-exports a/b=c -m m",
        "java --add-opens a/b=c -m m         | java --add-opens a/b=c -m m",
        "java --add-reads a=b -m m           | java --add-reads a=b -m m",
        "java --enable-native-access a -m m  | java --enable-native-access a -m m",
        "java --illegal-native-access=deny -m m | java --illegal-native-access=deny -m m",
        "java --source 25 prog x             | java --source 25 -cp /d /d/prog x",
        "java --source=25 -cp a prog x       | java --source=25 -cp /d/a /d/prog x",
        "java -javaagent:a.jar=b=c.jar -m m  | java -javaagent:/d/a.jar=b=c.jar -m m",
        "java -javaagent:/a.jar -m m         | java -javaagent:/a.jar -m m",
        "java -agentpath:x/l.so=o -m m       | java -agentpath:/d/x/l.so=o -m m",
        "java -agentpath:l.so=/o -m m        | java -agentpath:l.so=/o -m m",
        "java -agentlib:hprof=file=x -m m    | java -agentlib:hprof=file=x -m m",
        "java -Xbootclasspath/a:a::b -m m    | java -Xbootclasspath/a:/d/a::/d/b -m m",
        "java -splash:a.png -m m             | java -splash:/d/a.png -m m",
        "java -XX:SharedArchiveFile=a:/b -m m | java -XX:SharedArchiveFile=/d/a:/b -m m",
        "java -XX:AOTCache=a -m m            | java -XX:AOTCache=/d/a -m m",
        "java -XX:AOTCacheOutput=a -m m      | java -XX:AOTCacheOutput=/d/a -m m",
        "java -XX:AOTConfiguration=a -m m    | java -XX:AOTConfiguration=/d/a -m m",
        "java -XX:Flags=a -m m               | java -XX:Flags=/d/a -m m",
        "java -XX:VMOptionsFile=a -m m       | java -XX:VMOptionsFile=/d/a -m m",
        "java -XX:HeapDumpPath=. -m m        | java -XX:HeapDumpPath=/d -m m",
        "java -XX:ErrorFile=e%p -m m         | java -XX:ErrorFile=/d/e%p -m m",
        "java -XX:ErrorFile= -m m            | java -XX:ErrorFile= -m m",
        "java -XX:ErrorFile:=e -m m          | java -XX:ErrorFile:=/d/e -m m",
        "java -XX:LogFile=a -m m             | java -XX:LogFile=/d/a -m m",
        "java -XX:+UseSerialGC -m m          | java -XX:+UseSerialGC -m m",
        "java -Xloggc:gc.log -m m            | java -Xloggc:/d/gc.log -m m",
        "java -Xlog:gc -m m                  | java -Xlog:gc -m m",
        "java -Xlog:gc* -m m                 | java -Xlog:gc* -m m",
        "java -Xlog:gc:stderr:time -m m      | java -Xlog:gc:stderr:time -m m",
        "java -Xlog:gc::time -m m            | java -Xlog:gc::time -m m",
        "java -Xlog:gc:a.log -m m            | java -Xlog:gc:/d/a.log -m m",
        "java -Xlog::a.log -m m              | java -Xlog::/d/a.log -m m",
        "java -Xlog:gc:file=a:t:filecount=1 -m m | java -Xlog:gc:file=/d/a:t:filecount=1 -m m",
        "java -Xlog:gc:file=\"a:b\":t -m m   | java -Xlog:gc:file=\"/d/a:b\":t -m m",
        "java -Xlog:gc:\"a:b\" -m m          | java -Xlog:gc:\"/d/a:b\" -m m",
        "java -Xlog:async:drop -m m          | java -Xlog:async:drop -m m",
        "java -XX:StartFlightRecording -m m  | java -XX:StartFlightRecording -m m",
        "java -XX:StartFlightRecording=filename=a,settings=profile -m m"
            + " | java -XX:StartFlightRecording=filename=/d/a,settings=profile -m m",
        "java -XX:StartFlightRecording:delay=1s,filename=\"a,b\" -m m"
            + " | java -XX:StartFlightRecording:delay=1s,filename=\"/d/a,b\" -m m",
        "java -XX:FlightRecorderOptions=repository=a -m m"
            + " | java -XX:FlightRecorderOptions=repository=/d/a -m m",
        "java -Djava.library.path=a::b -m m  | java -Djava.library.path=/d/a:/d:/d/b -m m",
        "java -Djava.io.tmpdir=a -m m        | java -Djava.io.tmpdir=/d/a -m m",
        "java -Djava.util.logging.config.file=a -m m"
            + " | java -Djava.util.logging.config.file=/d/a -m m",
        "java -Djavax.net.ssl.trustStore=NONE -m m | java -Djavax.net.ssl.trustStore=NONE -m m",
        "java -Djava.security.properties=a/b -m m | java -Djava.security.properties=/d/a/b -m m",
        "java -Djava.security.properties==a -m m | java -Djava.security.properties==/d/a -m m",
        "java -Djava.security.properties==/a -m m | java -Djava.security.properties==/a -m m",
        "java -Djava.security.properties= -m m | java -Djava.security.properties= -m m",
        "java -Djava.security.properties=file:a -m m"
            + " | java -Djava.security.properties=file:/d/a -m m",
        "java -Djava.security.properties==file:/a -m m"
            + " | java -Djava.security.properties==file:/a -m m",
        "java -Djava.security.properties=http://a/b -m m"
            + " | java -Djava.security.properties=http://a/b -m m",
        "java -Djava.security.properties=${user.home}/a -m m"
            + " | java -Djava.security.properties=${user.home}/a -m m",
        "java -Djava.security.properties=a/b:c -m m"
            + " | java -Djava.security.properties=/d/a/b:c -m m",
        "java -Djava.security.auth.login.config==a -m m"
            + " | java -Djava.security.auth.login.config==/d/a -m m",
        "java -Dmy.file=a.txt -m m           | java -Dmy.file=a.txt -m m",
        "java --disable-@files -cp @a Main @b | java --disable-@files -cp /d/@a Main @b",
        "java --disable-@files -cp /a @Main  | java --disable-@files -cp /a @Main",
        "java -cp @@a Main                   | java -cp /d/@a Main",
        "java -cp /a @@Main @@b              | java -cp /a @@Main @@b",
        "java -cp /a --add-modules @@b Main  | java -cp /a --add-modules @@b Main",
        "java -cp /a @ x                     | java -cp /a @ x",
        "custom --port                       | custom --port",
        "custom -d                           | custom -d",
        "custom                              | custom",
      })
  void relativePathsOfTheJvmBecomeAbsoluteAndNothingElse(String given, String expected) {
    assertWords(derive(given, Map.of()), expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "com.sun.management.config.file",
        "com.sun.management.jmxremote.access.file",
        "com.sun.management.jmxremote.password.file",
        "com.sun.management.jmxremote.ssl.config.file",
        "content.types.user.table",
        "java.security.krb5.conf",
        "java.util.currency.data",
        "java.util.prefs.systemRoot",
        "java.util.prefs.userRoot",
        "java.xml.config.file",
        "javax.net.ssl.keyStore",
        "jdk.net.hosts.file",
      })
  void aPropertyThatTheJdkReadsAsAPathBecomesAbsolute(String property) {
    assertWords(
        derive("java -D" + property + "=a -m m", Map.of()), "java -D" + property + "=/d/a -m m");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a:b  | java Main                 | java -cp /d/a:/d/b Main",
        "/a   | java Main                 | java Main",
        "/a:  | java Main                 | java -cp /a:/d Main",
        "''   | java Main                 | java -cp /d Main",
        "a    | java -cp /b Main          | java -cp /b Main",
        "a    | java -jar /b.jar          | java -jar /b.jar",
        "a    | java -p /b -m m           | java -p /b -cp /d/a -m m",
        "''   | java -p /b -m m           | java -p /b -m m",
        "a    | java --source 25 /f       | java --source 25 -cp /d/a /f",
      })
  void aRelativeClassPathOfTheEnvironmentIsOverridden(
      String classPath, String given, String expected) {
    assertWords(derive(given, Map.of("CLASSPATH", classPath)), expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-Xmx9m -Dx=y          | java -cp /a Main         | java -cp /a Main",
        "-cp a                 | java Main                | java -cp /d/a Main",
        "-cp ''                | java Main                | java -cp /d Main",
        "--class-path=a:/b     | java Main                | java -cp /d/a:/b Main",
        "-cp /a                | java Main                | java Main",
        "-cp a                 | java -cp /b Main         | java -cp /b Main",
        "-cp a                 | java -cp b Main          | java -cp /d/b Main",
        "-cp a                 | java -jar /b.jar         | java -jar /b.jar",
        "-cp a                 | java -m m                | java -cp /d/a -m m",
        "-p a -Dx=y            | java -Dx=z -m m          | java -p /d/a -Dx=z -m m",
        "--module-path=a       | java -p /b -m m          | java --module-path=/d/a -p /b -m m",
        "--upgrade-module-path a | java -m m              | java --upgrade-module-path /d/a -m m",
        "-XX:ErrorFile=a       | java -m m                | java -XX:ErrorFile=/d/a -m m",
        "--disable-@files      | java -cp @x Main         | java -cp /d/@x Main",
      })
  void whatIsRelativeInJdkJavaOptionsIsOverriddenWhereItCanBe(
      String options, String given, String expected) {
    assertWords(derive(given, Map.of("JDK_JAVA_OPTIONS", options)), expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-cp \"a b\"", "-cp a' 'b", "-c'p'\ta\" \"b \n"})
  void jdkJavaOptionsMayBeQuoted(String options) {
    assertThat(derive("java Main", Map.of("JDK_JAVA_OPTIONS", options)).words())
        .containsExactly("java", "-cp", "/d/a b", "Main");
  }

  @Test
  void theClassPathOfJdkJavaOptionsWinsOverTheOneOfTheEnvironment() {
    assertWords(
        derive("java Main", Map.of("JDK_JAVA_OPTIONS", "-cp a", "CLASSPATH", "b")),
        "java -cp /d/a Main");
    assertWords(
        derive("java Main", Map.of("JDK_JAVA_OPTIONS", "-cp /a", "CLASSPATH", "b")), "java Main");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "JDK_JAVA_OPTIONS -javaagent:x.jar",
        "JDK_JAVA_OPTIONS -agentpath:x/y.so",
        "JDK_JAVA_OPTIONS -Xbootclasspath/a:x",
        "JDK_JAVA_OPTIONS -Xlog:gc:x",
        "JDK_JAVA_OPTIONS -XX:StartFlightRecording:filename=x",
        "JDK_JAVA_OPTIONS -XX:VMOptionsFile=x",
        "JDK_JAVA_OPTIONS --patch-module m=x",
        "JDK_JAVA_OPTIONS @x",
        "JAVA_TOOL_OPTIONS -javaagent:x.jar",
        "JAVA_TOOL_OPTIONS -XX:ErrorFile=x",
        "_JAVA_OPTIONS -javaagent:x.jar",
        "_JAVA_OPTIONS --module-path=x",
      })
  void whatIsRelativeInTheEnvironmentAndAddsUpIsAProblem(String variable) {
    int space = variable.indexOf(' ');
    String name = variable.substring(0, space);
    String option = variable.substring(space + 1);
    assertProblems(
        derive("java -cp /a Main", Map.of(name, "-Dx='a b' " + option)),
        name
            + " has a relative path in "
            + option
            + ", but the daemon starts in another directory: make it absolute");
  }

  @Test
  void absolutePathsInTheEnvironmentAreFine() {
    String options = "-javaagent:/x.jar -Xlog:gc:/x -Dx=y -agentlib:jdwp=server=y,suspend=n";
    assertWords(
        derive(
            "java -cp /a Main",
            Map.of(
                "JDK_JAVA_OPTIONS",
                options,
                "JAVA_TOOL_OPTIONS",
                options,
                "_JAVA_OPTIONS",
                options)),
        "java -cp /a Main");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=5005 | debug port 5005",
        "-agentlib:jdwp=transport=dt_socket,server=y,address=*:5005,suspend=n | debug port 5005",
        "-agentlib:jdwp=address=localhost:5005,transport=dt_socket,server=y | debug port 5005",
        "-agentlib:jdwp=transport=dt_socket,address=[::1]:5005 | debug port 5005",
        "-Xrunjdwp:transport=dt_socket,server=y,address=5005 | debug port 5005",
        "-Dcom.sun.management.jmxremote.port=9 | JMX port 9",
        "-Dcom.sun.management.jmxremote.port=0 -Dcom.sun.management.jmxremote.rmi.port=9 | RMI port 9",
      })
  void aPortThatTheLauncherHoldsIsAProblem(String option, String port) {
    String last = option.substring(option.lastIndexOf(' ') + 1);
    String name = last.substring(0, last.startsWith("-Xrun") ? 10 : last.indexOf('=') + 1);
    String advice = ": give " + name + "... to the daemon alone, with jvmArguments(...)";
    assertProblems(
        derive("java " + option + " -cp /a Main", Map.of()),
        "the " + port + " is this JVM's own" + advice);
    for (String variable : List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")) {
      assertThat(derive("java -cp /a Main", Map.of(variable, option)).problems())
          .singleElement()
          .asString()
          .startsWith("the " + port + " is this JVM's own")
          .endsWith(advice);
    }
    assertWords(
        derive("java -cp /a Main " + option, Map.of(), option.split(" ", -1)),
        "java -cp /a " + option + " Main " + option);
  }

  @Test
  void theProblemOfADebugPortNamesTheVariable() {
    assertProblems(
        derive(
            "java -cp /a Main",
            Map.of("JAVA_TOOL_OPTIONS", "-agentlib:jdwp=transport=dt_socket,address=5005")),
        "the debug port 5005 is this JVM's own, by JAVA_TOOL_OPTIONS: give -agentlib:jdwp=... to the"
            + " daemon alone, with jvmArguments(...)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n",
        "-agentlib:jdwp=transport=dt_socket,server=y,address=0",
        "-agentlib:jdwp=transport=dt_socket,server=y,address=*:0",
        "-Dcom.sun.management.jmxremote.port=0",
        "-Dcom.sun.management.jmxremote.port=9 -Dcom.sun.management.jmxremote.port=0",
        "-Dcom.sun.management.jmxremote.rmi.port=9",
        "-Dcom.sun.management.jmxremote",
      })
  void aPortThatTheSystemChoosesIsNone(String option) {
    assertWords(
        derive("java " + option + " -cp /a Main", Map.of()), "java " + option + " -cp /a Main");
  }

  @Test
  void aJmxPortIsFineIfTheDaemonGetsAnotherOne() {
    String port = "-Dcom.sun.management.jmxremote.port=";
    assertWords(
        derive("java " + port + "8 -cp /a Main", Map.of(), port + "9"),
        "java " + port + "8 -cp /a " + port + "9 Main");
    assertThat(derive("java " + port + "8 -cp /a Main", Map.of(), port + "8").problems())
        .hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "java -Xmx1g -cp /a Main x       | -Xmx2g   | java -Xmx1g -cp /a -Xmx2g Main x",
        "java Main                       | -Xmx2g   | java -cp /d -Xmx2g Main",
        "java Main                       | -cp b    | java -cp /d -cp /d/b Main",
        "java -Xmx1g -jar /a.jar         | -Xmx2g   | java -Xmx1g -Xmx2g -jar /a.jar",
        "java -jar -Xmx1g /a.jar         | -Xmx2g   | java -jar -Xmx1g -Xmx2g /a.jar",
        "java -p /a -m m                 | -Xmx2g   | java -p /a -Xmx2g -m m",
        "java -p /a --module=m           | -Xmx2g   | java -p /a -Xmx2g --module=m",
        "java --source 25 -cp /a /f      | -Xmx2g   | java --source 25 -cp /a -Xmx2g /f",
        "java -cp /a Main                | -javaagent:x.jar | java -cp /a -javaagent:/d/x.jar Main",
        "java -cp /a Main                | -Xlog:gc:x -Dx=@y | java -cp /a -Xlog:gc:/d/x -Dx=@y Main",
        "custom                          | -Xmx2g   | custom -Xmx2g",
      })
  void theDaemonsOwnOptionsComeLast(String given, String jvmArguments, String expected) {
    assertWords(derive(given, Map.of(), jvmArguments.split(" ", -1)), expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Main         | jvmArguments has \"Main\", which would become the main class: options begin with \"-\"",
        "''           | jvmArguments has \"\", which would become the main class: options begin with \"-\"",
        "-jar         | jvmArguments has -jar, but the daemon runs the same program: remove it",
        "-m m         | jvmArguments has -m, but the daemon runs the same program: remove it",
        "--module m   | jvmArguments has --module, but the daemon runs the same program: remove it",
        "--module=m   | jvmArguments has --module, but the daemon runs the same program: remove it",
        "--source 25  | jvmArguments has --source, but the daemon runs the same program: remove it",
        "-Xmx2g -cp   | jvmArguments has -cp without its value: add it",
        "-p -Xmx2g    | jvmArguments has -p without its value: add it",
      })
  void whatIsNoOptionOfTheJvmIsAProblem(String jvmArguments, String problem) {
    assertProblems(derive("java -cp /a Main x", Map.of(), jvmArguments.split(" ", -1)), problem);
  }

  @Test
  void everyProblemIsToldAtOnce() {
    assertThat(
            derive(
                    "java @missing -agentlib:jdwp=address=5005 -cp /a Main",
                    Map.of("_JAVA_OPTIONS", "-javaagent:x.jar"),
                    "Other")
                .problems())
        .hasSize(4);
  }

  @Test
  void problemsAreText() {
    String bytes =
        new String("-javaagent:ä".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    assertThat(derive("java Main", Map.of("_JAVA_OPTIONS", bytes)).problems())
        .singleElement()
        .asString()
        .contains("-javaagent:ä,");
  }

  @ParameterizedTest
  @CsvSource({
    "-cp lib, /a:b, lib, :",
    "-Xbootclasspath/a:lib, /a:b, lib, :",
    "-javaagent:x.jar, /a=b, x.jar, =",
    "-Xlog:gc:x.log, /a:b, x.log, :",
    "'-XX:StartFlightRecording=filename=x', '/a,b', x, ','",
  })
  void aDirectoryThatAnOptionCannotNameIsAProblem(
      String option, String directory, String path, String sign) {
    JavaCommand command =
        JavaCommand.of(
            List.of(("java " + option + " -jar /x.jar").split(" ", -1)),
            directory,
            Map.of(),
            List.of());
    assertProblems(
        command,
        "\""
            + path
            + "\" is relative to "
            + directory
            + ", which cannot be named there because of its \""
            + sign
            + "\": start the program from another directory");
  }

  @Test
  void theRootDirectoryIsADirectoryToo() {
    assertThat(
            JavaCommand.of(List.of("java", "-cp", "a:", "Main"), "/", Map.of(), List.of()).words())
        .containsExactly("java", "-cp", "/a:/", "Main");
  }

  @Test
  void theFirstLineOfAScriptIsOneWord() {
    JavaCommand command =
        JavaCommand.of(
            List.of("java", "--source 25 -cp  lib", "prog", "--source 25 x"),
            "/d",
            Map.of(),
            List.of());
    assertThat(command.words())
        .containsExactly("java", "--source", "25", "-cp", "/d/lib", "/d/prog", "--source 25 x");
  }

  @Test
  void argumentFilesGiveTheirWords(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("options"), "-Dx='a b' # no\n-cp lib @@x\n");
    Files.writeString(directory.resolve("all"), "-cp lib Main @options \"two words\" @@y");
    Files.writeString(directory.resolve("main"), "Main @options");
    Files.writeString(directory.resolve("off"), "--disable-@files -Dx=y");
    assertWords(
        derive(directory, "java -cp lib @@options"), under(directory, "java -cp D/lib @@options"));
    assertThat(derive(directory, "java @options Main").words())
        .containsExactly("java", "-Dx=a b", "-cp", directory + "/lib", "@@@x", "Main");
    assertThat(derive(directory, "java @all @options").words())
        .containsExactly(
            "java", "-cp", directory + "/lib", "Main", "@options", "two words", "@@y", "@options");
    assertWords(derive(directory, "java -cp @main"), under(directory, "java -cp D/Main @@options"));
    assertWords(
        derive(directory, "java @off -cp @options Main"),
        under(directory, "java --disable-@files -Dx=y -cp D/@options Main"));
    assertWords(
        derive(directory, "java @" + directory + "/main"),
        under(directory, "java -cp D Main @options"));
  }

  @Test
  void anArgumentFileWithTheProgramsOptionTakesItFromTheCommandLine(@TempDir Path directory)
      throws IOException {
    Files.writeString(directory.resolve("jar"), "-Xmx1g -jar");
    assertThat(
            JavaCommand.of(
                    List.of("java", "@jar", "a.jar", "@jar"),
                    directory.toString(),
                    Map.of(),
                    List.of("-Xmx2g"))
                .words())
        .containsExactly("java", "-Xmx1g", "-Xmx2g", "-jar", directory + "/a.jar", "@jar");
  }

  @Test
  void argumentFilesOfAVariableAreReadToo(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("options"), "-p lib -javaagent:x.jar");
    JavaCommand command =
        JavaCommand.of(
            List.of("java", "-m", "m"),
            directory.toString(),
            Map.of("JDK_JAVA_OPTIONS", "'@" + file + "'"),
            List.of());
    assertThat(command.words()).containsExactly("java", "-p", directory + "/lib", "-m", "m");
    assertThat(command.problems()).singleElement().asString().contains("-javaagent:x.jar,");
  }

  @Test
  void anArgumentFileThatIsGoneIsAProblem(@TempDir Path directory) throws Exception {
    Command.run("mkfifo", directory.resolve("pipe").toString());
    for (String word : List.of("@gone", "@pipe", "@.")) {
      assertProblems(
          derive(directory, "java " + word + " -cp /a Main"),
          "the daemon needs the words of "
              + word
              + " too, but it is no file that can be read again: give them on the command line");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-XX:VMOptionsFile=o | -Xmx9m -Djava.security.properties=a | -Djava.security.properties=a",
        "-XX:VMOptionsFile=o | '-Dx=y\n-Xlog:gc:file=gc.log\n'      | -Xlog:gc:file=gc.log",
        "-XX:VMOptionsFile=o | '-javaagent:\"x y.jar\"=a'             | -javaagent:x y.jar=a",
        "-XX:VMOptionsFile=o | --module-path=a:/b                    | --module-path=a:/b",
        "-XX:Flags=o         | '+UseSerialGC # no\nErrorFile=\"a b\"'  | -XX:ErrorFile=a b",
        "-XX:Flags=o         | '#ErrorFile=a\nHeapDumpPath:=a#b'      | -XX:HeapDumpPath:=a#b",
      })
  void aRelativePathInAFileThatTheJvmReadsIsAProblem(
      String option, String content, String relative, @TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("o"), content);
    String problem =
        file
            + " has a relative path in "
            + relative
            + ", but the daemon starts in another directory: make it absolute";
    assertProblems(derive(directory, "java " + option + " -m m"), problem);
    Files.writeString(directory.resolve("args"), option);
    assertProblems(derive(directory, "java @args -m m"), problem);
    String absolute = option.replace("=o", "=" + file);
    for (String variable : List.of("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")) {
      assertProblems(derive("java -m m", Map.of(variable, absolute)), problem);
    }
    assertProblems(derive("java -m m", Map.of(), absolute), problem);
  }

  @Test
  void absolutePathsInAFileThatTheJvmReadsAreFine(@TempDir Path directory) throws IOException {
    Files.writeString(directory.resolve("vm"), "-Xlog:gc:/x -Djava.security.properties='/a b'");
    Files.writeString(directory.resolve("flags"), "# ErrorFile=x\n+UseSerialGC ErrorFile=/x");
    assertWords(
        derive(directory, "java -XX:VMOptionsFile=vm -XX:Flags=flags -m m"),
        under(directory, "java -XX:VMOptionsFile=D/vm -XX:Flags=D/flags -m m"));
  }

  @Test
  void aPortInAFileThatTheJvmReadsIsAProblem(@TempDir Path directory) throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("vm"), "-agentlib:jdwp=transport=dt_socket,server=y,address=5005");
    assertProblems(
        derive(directory, "java -XX:VMOptionsFile=vm -m m"),
        "the debug port 5005 is this JVM's own, by "
            + file
            + ": give -agentlib:jdwp=... to the daemon alone, with jvmArguments(...)");
    String option = "-XX:VMOptionsFile=" + file;
    assertWords(derive("java -p /a -m m", Map.of(), option), "java -p /a " + option + " -m m");
    Files.writeString(file, "-Dcom.sun.management.jmxremote.port=9");
    assertThat(derive("java -m m", Map.of("JAVA_TOOL_OPTIONS", option)).problems())
        .singleElement()
        .asString()
        .startsWith("the JMX port 9 is this JVM's own: ");
  }

  @Test
  void aSourceFileIsOneThatExists(@TempDir Path directory) throws IOException {
    Files.createFile(directory.resolve("Prog.java"));
    assertWords(
        derive(directory, "java Prog.java x"), under(directory, "java -cp D D/Prog.java x"));
    assertWords(
        derive(directory, "java -cp /a Prog.java x"),
        under(directory, "java -cp /a D/Prog.java x"));
    assertWords(
        derive(directory, "java -jar Prog.java"), under(directory, "java -jar D/Prog.java"));
  }

  @Test
  void aFlightRecordersSettingsAreAFileIfThereIsOne(@TempDir Path directory) throws IOException {
    Files.createFile(directory.resolve("my.jfc"));
    String option = "java -XX:StartFlightRecording:settings=";
    assertWords(
        derive(directory, option + "my.jfc -m m"), under(directory, option + "D/my.jfc -m m"));
    assertWords(
        derive(directory, option + "profile -m m"), under(directory, option + "profile -m m"));
  }

  private static JavaCommand derive(Path directory, String words) {
    return JavaCommand.of(List.of(words.split(" ", -1)), directory.toString(), Map.of(), List.of());
  }

  /** Puts the directory where "D" stands. */
  private static String under(Path directory, String words) {
    return words.replace("D/", directory + "/").replace("D ", directory + " ");
  }

  private static JavaCommand derive(
      String words, Map<String, String> variables, String... jvmArguments) {
    return JavaCommand.of(List.of(words.split(" ", -1)), "/d", variables, List.of(jvmArguments));
  }

  private static void assertWords(JavaCommand command, String expected) {
    assertThat(command.problems()).isEmpty();
    assertThat(command.words()).containsExactly(expected.split(" ", -1));
  }

  private static void assertProblems(JavaCommand command, String... problems) {
    assertThat(command.problems()).containsExactly(problems);
  }
}
