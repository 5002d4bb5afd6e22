package dev.daimon.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.rmi.registry.LocateRegistry;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rows of {@code docs/launch-forms.md}. */
final class LaunchForms {
  static final String MODULE = "dev.daimon.examples.hello";
  static final String MAIN = MODULE + ".Hello";
  static final String NATIVE = "--enable-native-access=ALL-UNNAMED";

  private static final String DEBUG =
      "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:PORT";
  private static final String JMX =
      "-Dcom.sun.management.jmxremote.port=PORT -Dcom.sun.management.jmxremote.ssl=false"
          + " -Dcom.sun.management.jmxremote.authenticate=false"
          + " -Dcom.sun.management.jmxremote.host=127.0.0.1";
  private static final String WITH = "dev.daimon.examples.WithJvmArguments";

  private LaunchForms() {}

  /**
   * A way to start a program, and the expected daemon.
   *
   * @param name as in the document
   * @param variables environment variables
   * @param words the launcher's; in all of these texts, HERE is its directory, PORT a free port
   * @param daemon the daemon's words; null if there must be none
   * @param program the name of its files
   * @param says the text that must be in its log, or on the standard error of the launcher
   * @param serves the service that it must have besides
   */
  record Form(
      String name,
      Map<String, String> variables,
      String words,
      @Nullable String daemon,
      String program,
      String says,
      Service serves) {
    boolean works() {
      return daemon != null;
    }

    Form with(String variable, String value) {
      return new Form(name, Map.of(variable, value), words, daemon, program, says, serves);
    }

    Form running(String otherProgram, String saysThat) {
      return new Form(name, variables, words, daemon, otherProgram, saysThat, serves);
    }

    Form serving(Service service) {
      return new Form(name, variables, words, daemon, program, says, service);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** A service of a program at a port. */
  interface Service {
    void check(int port) throws Exception;
  }

  static List<Form> all() {
    return List.of(
        works(
            "-cp with relative entries and directories",
            "java " + NATIVE + " -cp classes:dev/.. " + MAIN,
            "java " + NATIVE + " -cp HERE/classes:HERE/dev/.. " + MAIN),
        works(
            "-cp 'lib/*'",
            "java " + NATIVE + " -cp lib/* " + MAIN,
            "java " + NATIVE + " -cp HERE/lib/* " + MAIN),
        works(
            "-cp with an empty entry",
            "java " + NATIVE + " -cp :nowhere " + MAIN,
            "java " + NATIVE + " -cp HERE:HERE/nowhere " + MAIN),
        works(
            "no class path at all",
            "java " + NATIVE + " " + MAIN,
            "java " + NATIVE + " -cp HERE " + MAIN),
        works(
                "CLASSPATH",
                "java " + NATIVE + " " + MAIN,
                "java " + NATIVE + " -cp HERE/lib/* " + MAIN)
            .with("CLASSPATH", "lib/*"),
        works("-jar, Class-Path in the manifest", "java -jar app.jar", "java -jar HERE/app.jar"),
        works("-jar, shaded", "java -jar ./hello.jar", "java -jar HERE/./hello.jar"),
        works(
                "-jar, Spring Boot nested jar",
                "java -jar spring.jar --server.port=PORT",
                "java -jar HERE/spring.jar --server.port=PORT")
            .running("spring", "Started Spring in ")
            .serving(port -> assertThat(Examples.get(port)).isEqualTo("Hello")),
        works(
            "module path with -m",
            "java --enable-native-access=dev.daimon.posix -p lib -m " + MODULE + "/" + MAIN,
            "java --enable-native-access=dev.daimon.posix -p HERE/lib -m " + MODULE + "/" + MAIN),
        works("@argfile", "java @options", "java " + NATIVE + " -cp HERE/lib/* " + MAIN),
        works("JDK_JAVA_OPTIONS", "java " + MAIN, "java -cp HERE/lib/* " + MAIN)
            .with("JDK_JAVA_OPTIONS", NATIVE + " -cp lib/*"),
        works(
            "java Hello.java",
            "java " + NATIVE + " -cp lib/* src/dev/daimon/examples/hello/Hello.java",
            "java " + NATIVE + " -cp HERE/lib/* HERE/src/dev/daimon/examples/hello/Hello.java"),
        works(
            "java --source 25 script",
            "java " + NATIVE + " -cp lib/* --source 25 script",
            "java " + NATIVE + " -cp HERE/lib/* --source 25 HERE/script"),
        works(
            "a jlink image's launcher",
            "image/bin/hello",
            "image/bin/java -m " + MODULE + "/" + MAIN),
        works(
            "a jlink image's bin/java",
            "image/bin/java -m " + MODULE + "/" + MAIN,
            "image/bin/java -m " + MODULE + "/" + MAIN),
        works(
                "-javaagent",
                "java -javaagent:agent.jar=here -jar hello.jar",
                "java -javaagent:HERE/agent.jar=here -jar HERE/hello.jar")
            .running("hello", "agent here\nHello 1\n"),
        works(
            "-XX:AOTCache",
            "java -XX:AOTCache=hello.aot -XX:AOTMode=on -jar hello.jar",
            "java -XX:AOTCache=HERE/hello.aot -XX:AOTMode=on -jar HERE/hello.jar"),
        refused(
            "a debug port",
            "java " + DEBUG + " -jar hello.jar",
            "hello: the debug port PORT is this JVM's own: give -agentlib:jdwp=... to the daemon"
                + " alone, with jvmArguments(...)\n"),
        works(
                "a debug port in jvmArguments",
                "java " + NATIVE + " -cp lib/*:tests " + WITH + " " + DEBUG,
                "java " + NATIVE + " -cp HERE/lib/*:HERE/tests " + DEBUG + " " + WITH + " " + DEBUG)
            .running("with", "ready\n")
            .serving(LaunchForms::debug),
        refused(
            "a JMX port",
            "java " + JMX + " -jar hello.jar",
            "hello: the JMX port PORT is this JVM's own: give"
                + " -Dcom.sun.management.jmxremote.port=... to the daemon alone, with"
                + " jvmArguments(...)\n"),
        works(
                "a JMX port in jvmArguments",
                "java " + NATIVE + " -cp lib/*:tests " + WITH + " " + JMX,
                "java " + NATIVE + " -cp HERE/lib/*:HERE/tests " + JMX + " " + WITH + " " + JMX)
            .running("with", "ready\n")
            .serving(LaunchForms::monitor));
  }

  private static Form works(String name, String words, String daemon) {
    return new Form(name, Map.of(), words, daemon, "hello", "Hello 1\n", port -> {});
  }

  private static Form refused(String name, String words, String says) {
    return new Form(name, Map.of(), words, null, "hello", says, port -> {});
  }

  /** The handshake of the debugger protocol. */
  private static void debug(int port) throws Exception {
    byte[] handshake = "JDWP-Handshake".getBytes(StandardCharsets.US_ASCII);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        InputStream answer = socket.getInputStream()) {
      socket.getOutputStream().write(handshake);
      assertThat(answer.readNBytes(handshake.length)).isEqualTo(handshake);
    }
  }

  private static void monitor(int port) throws Exception {
    assertThat(LocateRegistry.getRegistry("127.0.0.1", port).list()).contains("jmxrmi");
  }
}
