package dev.daimon.startup;

import dev.daimon.posix.VisibleText;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the process that listens at a TCP address, for the message about one that is taken. */
final class PortOwner {
  private static final String LISTENING = "0A";

  /** How an IPv4 address begins that a socket of IPv6 has, as Java's have. */
  private static final String MAPPED = hex(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1});

  private PortOwner() {}

  /** Names the process, as a part of a sentence; empty if it cannot be found. */
  static String words(@Nullable InetAddress host, int port) {
    Set<String> sockets = new HashSet<>();
    addListening("/proc/net/tcp", host, port, sockets);
    addListening("/proc/net/tcp6", host, port, sockets);
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

  /** Adds what the descriptors of sockets that listen at this address lead to. */
  private static void addListening(
      String table, @Nullable InetAddress host, int port, Set<String> sockets) {
    String suffix = String.format(":%04X", port);
    try {
      for (String line : Files.readAllLines(Path.of(table))) {
        String[] fields = line.strip().split("\\s+", -1);
        if (fields.length > 9
            && fields[1].endsWith(suffix)
            && fields[3].equals(LISTENING)
            && isAt(fields[1].substring(0, fields[1].length() - suffix.length()), host)) {
          sockets.add("socket:[" + fields[9] + "]");
        }
      }
    } catch (IOException missing) {
      // Without IPv6 there is no table of it.
      return;
    }
  }

  /** Whether a socket with an address of the table takes what another one at this host would. */
  private static boolean isAt(String address, @Nullable InetAddress host) {
    String own = address.startsWith(MAPPED) ? address.substring(MAPPED.length()) : address;
    return host == null
        || host.isAnyLocalAddress()
        || own.chars().allMatch(digit -> digit == '0')
        || own.equals(hex(host.getAddress()));
  }

  /** An address as in the table: each four bytes are a number of this machine's byte order. */
  private static String hex(byte[] address) {
    ByteBuffer bytes = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
    StringBuilder hex = new StringBuilder();
    while (bytes.hasRemaining()) {
      hex.append(String.format("%08X", bytes.getInt()));
    }
    return hex.toString();
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
