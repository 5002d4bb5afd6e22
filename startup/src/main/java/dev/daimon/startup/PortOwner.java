package dev.daimon.startup;

import dev.daimon.posix.VisibleText;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the process that listens at a TCP port, for the message about a port that is taken. */
final class PortOwner {
  private static final String LISTENING = "0A";

  private PortOwner() {}

  /** Names the process, as a part of a sentence; empty if it cannot be found. */
  static String words(int port) {
    Set<String> sockets = new HashSet<>();
    addListening("/proc/net/tcp", port, sockets);
    addListening("/proc/net/tcp6", port, sockets);
    if (sockets.isEmpty()) {
      return "";
    }
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      for (Path process : processes) {
        if (hasOpen(process, sockets)) {
          String name = name(process);
          return "; process "
              + process.getFileName()
              + (name == null ? "" : ", " + name + ",")
              + " listens there";
        }
      }
    } catch (IOException unreadable) {
      return "";
    }
    return "";
  }

  /** Adds what the descriptors of sockets that listen at this port lead to. */
  private static void addListening(String table, int port, Set<String> sockets) {
    String suffix = String.format(":%04X", port);
    try {
      for (String line : Files.readAllLines(Path.of(table))) {
        String[] fields = line.strip().split("\\s+", -1);
        if (fields.length > 9 && fields[1].endsWith(suffix) && fields[3].equals(LISTENING)) {
          sockets.add("socket:[" + fields[9] + "]");
        }
      }
    } catch (IOException missing) {
      // Without IPv6 there is no table of it.
      return;
    }
  }

  private static boolean hasOpen(Path process, Set<String> sockets) {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        if (sockets.contains(Files.readSymbolicLink(descriptor).toString())) {
          return true;
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException gone) {
      // Another user's process, or one that has ended.
      return false;
    }
    return false;
  }

  private static @Nullable String name(Path process) {
    try {
      return VisibleText.line(Files.readString(process.resolve("comm")).strip());
    } catch (IOException gone) {
      return null;
    }
  }
}
