package dev.daimon.startup;

import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.SearchLimit;
import dev.daimon.posix.VisibleText;
import dev.daimon.readiness.ListenAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The sockets that listen at an address, and the processes that have them open. A search is limited
 * in time, since anybody may have very many sockets and descriptors.
 */
final class Listeners {
  private static final String LISTENING_TCP = "0A";
  private static final String LISTENING_UNIX = "00010000";

  /** How an IPv4 address begins that a socket of IPv6 has, as Java's have. */
  private static final String MAPPED = hex(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1});

  /** Fields of {@code /proc/PID/stat}, counted from the one behind the name. */
  private static final int PARENT = 1;

  private static final int SESSION = 3;

  /** The time to find a process whose name is shown to people, in ns. */
  private static final long NAME_NANOS = 1_000_000_000L;

  /** The time to find out whether strangers listen, on which a restart depends. */
  private static final long STRANGERS_NANOS = 10_000_000_000L;

  /** What the descriptors of these sockets lead to. */
  private final Set<String> sockets = new HashSet<>();

  private final SearchLimit limit;

  /** How many descriptors were read. */
  private int read;

  private Listeners(ListenAddress address, long time) {
    this.limit = new SearchLimit(time);
    Path path = address.path();
    if (path == null) {
      addTcp("/proc/net/tcp", address);
      addTcp("/proc/net/tcp6", address);
    } else {
      addUnix(new String(NativePath.bytes(path), StandardCharsets.ISO_8859_1));
    }
  }

  /** Names a process that listens there, as a part of a sentence; empty if none is found. */
  static String words(ListenAddress address) {
    return words(address, NAME_NANOS);
  }

  /** As {@link #words(ListenAddress)}, within this time in ns. */
  static String words(ListenAddress address, long time) {
    Listeners listeners = new Listeners(address, time);
    if (listeners.sockets.isEmpty()) {
      return "";
    }
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(all(), "[1-9]*")) {
      for (Path process : processes) {
        if (listeners.limit.isOver(listeners.read)) {
          return "";
        }
        if (listeners.areSeenOpenIn(process)) {
          String name = name(process);
          return "; process "
              + process.getFileName()
              + (name == null ? "" : ", " + name + ",")
              + " listens there";
        }
      }
    } catch (IOException | DirectoryIteratorException unreadable) {
      return "";
    }
    return "";
  }

  /**
   * Whether a process listens there that a stop of the daemon would not end, and nobody of the
   * daemon: neither itself, nor a descendant, nor another process of its session. False if the
   * daemon may not be examined, nobody is found, or the time does not suffice.
   */
  static boolean areStrangers(ListenAddress address, long daemon) {
    return areStrangers(address, daemon, STRANGERS_NANOS);
  }

  /** As {@link #areStrangers(ListenAddress, long)}, within this time in ns. */
  static boolean areStrangers(ListenAddress address, long daemon, long time) {
    Listeners listeners = new Listeners(address, time);
    if (listeners.sockets.isEmpty()) {
      return false;
    }
    try {
      Origin origin = Origin.of(daemon);
      return origin != null
          && !listeners.areOpenIn(directory(daemon))
          && listeners.areOthers(daemon, origin.session());
    } catch (IOException | DirectoryIteratorException hidden) {
      return false;
    }
  }

  private boolean areOthers(long daemon, long session) throws IOException {
    boolean found = false;
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(all(), "[1-9]*")) {
      for (Path process : processes) {
        if (limit.isOver(read)) {
          return false;
        }
        Origin origin = areSeenOpenIn(process) ? Origin.of(process) : null;
        if (origin != null) {
          if (origin.session() == session || origin.leadsTo(daemon)) {
            return false;
          }
          found = true;
        }
      }
    }
    return found && !limit.isOver(read);
  }

  private static Path all() throws PosixException {
    return Path.of(ProcDirectory.ofAll());
  }

  private static Path directory(long process) throws PosixException {
    return Path.of(ProcDirectory.of(process));
  }

  /** Where a process comes from, by its {@code stat}. */
  private record Origin(long parent, long session) {
    /** Null if the process has ended, or is hidden from this user. */
    static @Nullable Origin of(Path process) {
      try {
        String line = Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1);
        String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ", -1);
        return new Origin(Long.parseLong(fields[PARENT]), Long.parseLong(fields[SESSION]));
      } catch (IOException hidden) {
        return null;
      }
    }

    static @Nullable Origin of(long process) {
      try {
        return of(directory(process));
      } catch (PosixException hidden) {
        return null;
      }
    }

    /** Whether a parent, or a parent's parent, is the daemon. One that is hidden leads nowhere. */
    boolean leadsTo(long daemon) {
      Origin next = this;
      while (next != null && next.parent > 1 && next.parent != daemon) {
        next = of(next.parent);
      }
      return next != null && next.parent == daemon;
    }
  }

  /** Adds the sockets that listen at this port, and take what another one at the host would. */
  private void addTcp(String table, ListenAddress address) {
    String hex = Integer.toHexString(address.port()).toUpperCase(Locale.ROOT);
    String suffix = ":" + "0".repeat(4 - hex.length()) + hex;
    try (BufferedReader lines = lines(table)) {
      // The title; then the sockets that listen, and then all others.
      String line = lines.readLine();
      for (int n = 0; line != null && (line = lines.readLine()) != null && !limit.isOver(n); n++) {
        String[] fields = line.strip().split(" +", -1);
        if (fields.length <= 9 || !fields[3].equals(LISTENING_TCP)) {
          return;
        }
        if (fields[1].endsWith(suffix)
            && isAt(fields[1].substring(0, fields[1].length() - suffix.length()), address.host())) {
          add(fields[9]);
        }
      }
    } catch (IOException missing) {
      // Without IPv6 there is no table of it.
      return;
    }
  }

  private static boolean isAt(String listed, @Nullable InetAddress host) {
    String own = listed.startsWith(MAPPED) ? listed.substring(MAPPED.length()) : listed;
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
      hex.append(HexFormat.of().withUpperCase().toHexDigits(bytes.getInt()));
    }
    return hex.toString();
  }

  /** Adds the sockets that listen at this path, in which each character stands for a byte. */
  private void addUnix(String path) {
    try (BufferedReader lines = lines("/proc/net/unix")) {
      String line;
      for (int n = 0; (line = lines.readLine()) != null && !limit.isOver(n); n++) {
        String[] fields = line.split(" +", 8);
        if (fields.length > 7 && fields[3].equals(LISTENING_UNIX) && fields[7].equals(path)) {
          add(fields[6]);
        }
      }
    } catch (IOException missing) {
      // A kernel without Unix sockets.
      return;
    }
  }

  /** A list of the kernel's, which may be longer than this JVM's memory. */
  private static BufferedReader lines(String list) throws IOException {
    return Files.newBufferedReader(Path.of(list), StandardCharsets.ISO_8859_1);
  }

  private void add(String inode) {
    sockets.add("socket:[" + inode + "]");
  }

  /** Whether a process has one of the sockets open, as far as this user may see that. */
  private boolean areSeenOpenIn(Path process) {
    try {
      return areOpenIn(process);
    } catch (IOException | DirectoryIteratorException gone) {
      // Another user's process, or one that has ended.
      return false;
    }
  }

  private boolean areOpenIn(Path process) throws IOException {
    try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
      for (Path descriptor : descriptors) {
        if (limit.isOver(read)) {
          return false;
        }
        read++;
        if (leadsToSocket(descriptor)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean leadsToSocket(Path descriptor) throws IOException {
    try {
      return sockets.contains(Files.readSymbolicLink(descriptor).toString());
    } catch (NoSuchFileException closed) {
      return false;
    }
  }

  private static @Nullable String name(Path process) {
    try {
      return VisibleText.line(Files.readString(process.resolve("comm")).strip());
    } catch (IOException gone) {
      return null;
    }
  }
}
