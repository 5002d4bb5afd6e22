package dev.daimon.examples;

import java.io.IOException;
import java.net.BindException;
import java.net.ServerSocket;

/** Ports for the servers of the tests. */
final class Ports {
  private static final int FIRST_UNPRIVILEGED = 1024;

  private Ports() {}

  /** Returns a port that was free a moment ago. */
  static int free() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Returns a free port that only root may open. */
  static int privileged() throws IOException {
    int port = FIRST_UNPRIVILEGED - 1;
    while (isTaken(port)) {
      port--;
    }
    return port;
  }

  static boolean isTaken(int port) throws IOException {
    try (ServerSocket _ = new ServerSocket(port)) {
      return false;
    } catch (BindException taken) {
      return true;
    }
  }
}
