package dev.daimon.readiness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;

/** A real server, activated by systemd's own tool, with its setting for an inherited channel. */
@Tag("systemd-socket-activate")
class JettyTest {
  @Test
  void jettyServesTheSocketThatItWasActivatedWith() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Process jetty =
        ChildJvm.of(Jetty.class)
            .with(Server.class, HttpField.class, Connection.class, Callback.class, Logger.class)
            .startedBy("sh", "-c", "exec \"$@\" 2>/dev/null", "sh")
            .startedBy("systemd-socket-activate", "--listen=127.0.0.1:" + port, "--fdname=web")
            .start();
    try {
      assertThat(firstAnswer(port, jetty)).startsWith("HTTP/1.1 200 ").endsWith("by Jetty: web");
      // The process that was activated is the one that serves.
      assertThat(answer(port)).endsWith("by Jetty: web");
      assertThat(jetty.isAlive()).isTrue();
    } finally {
      jetty.destroyForcibly().waitFor();
    }
  }

  /** Asks again until the activator listens; what it accepts then waits for Jetty. */
  private static String firstAnswer(int port, Process jetty) throws Exception {
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (true) {
      try {
        return answer(port);
      } catch (SocketException notYet) {
        if (System.nanoTime() > deadline || !jetty.isAlive()) {
          throw notYet;
        }
        Thread.onSpinWait();
      }
    }
  }

  private static String answer(int port) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      socket.setSoTimeout(60_000);
      socket
          .getOutputStream()
          .write(
              "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  static final class Jetty {
    public static void main(String[] args) throws Exception {
      ListenDescriptor web = ListenDescriptors.fromEnvironment().named("web").orElseThrow();
      web.toInheritedChannel();
      Server server = new Server();
      ServerConnector connector = new ServerConnector(server);
      connector.setInheritChannel(true);
      server.addConnector(connector);
      server.setHandler(
          new Handler.Abstract() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
              Content.Sink.write(response, true, "by Jetty: " + web.name(), callback);
              return true;
            }
          });
      server.start();
      server.join();
    }
  }
}
