package dev.daimon.examples.web;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.daimon.daemon.Daemon;
import dev.daimon.daemon.DaemonConfig;
import dev.daimon.daemon.Daemonizer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import sun.misc.Signal;

/**
 * A web server that opens its port as root and serves as somebody else: {@code java -jar
 * examples/web/target/web.jar 80 www-data web.properties}, where the file says {@code
 * greeting=Hello}. {@code kill -HUP $(cat web.pid)} reads the file again, {@code kill} stops it.
 */
final class Web {
  private final Path file;
  private volatile String greeting;

  private Web(Path file) throws IOException {
    this.file = file;
    greeting = read(file);
  }

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    Path here = Daemonizer.launchDirectory();
    DaemonConfig config =
        DaemonConfig.builder()
            .pidFile(here.resolve("web.pid"))
            .standardOutput(here.resolve("web.log"))
            .standardError(here.resolve("web.log"))
            .append(true)
            .user(arguments[1])
            // For systemd, containers and debuggers: java -Dforeground=true -jar …
            .foreground(Boolean.getBoolean("foreground"))
            .build();
    try (Daemon daemon = Daemonizer.daemonize(config)) {
      HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
      daemon.chownFiles();
      daemon.dropPrivileges();

      // What the user may not read is found out now, and not at the first SIGHUP.
      Web web = new Web(here.resolve(arguments[2]));
      server.createContext("/", web::serve);
      Signal.handle(new Signal("HUP"), signal -> web.reload());
      server.start();
      System.out.println("Serving port " + port);
      daemon.ready();
      new CountDownLatch(1).await();
    }
  }

  private void serve(HttpExchange exchange) throws IOException {
    byte[] text = (greeting + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, text.length);
    exchange.getResponseBody().write(text);
    exchange.close();
  }

  /** What is wrong now does not harm what is served. */
  private void reload() {
    try {
      greeting = read(file);
      System.out.println("Read " + file);
    } catch (IOException failure) {
      System.err.println("Not read: " + failure);
    }
  }

  private static String read(Path file) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    }
    return properties.getProperty("greeting", "Hello");
  }
}
