package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Unix;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.FileReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Whether the daemon listens on a Unix socket. */
final class UnixCheck extends ListenerCheck {
  /** {@code __SO_ACCEPTCON}: the socket listens. */
  private static final long LISTENS = 0x10000;

  private static final String DATAGRAM = "0002";

  /** The fields of a line; the last one is the path. */
  private static final int FLAGS = 3;

  private static final int TYPE = 4;
  private static final int INODE = 6;
  private static final int PATH = 7;

  private final Path path;

  /** The sockets that were found, with their paths as the programs have written them. */
  private final Map<Long, String> found = new HashMap<>();

  UnixCheck(Unix condition) {
    path = condition.path();
  }

  @Override
  String where() {
    return path.toString();
  }

  /**
   * The sockets whose path ends with the right name: a path may be relative to a directory, or to
   * another root directory than this process has.
   *
   * <p>The kernel prints a name as it is, and one may contain a line feed: so a stranger can add
   * lines. A socket of which there are two lines does not count, nor one that is no Unix socket.
   *
   * <p>The list is read twice, to remember only the sockets that may be meant: anybody may have
   * very many others.
   */
  @Override
  Set<Long> sockets(long main) throws IOException {
    found.clear();
    if (!Files.exists(path)) {
      return Set.of();
    }
    String name = latin1(NativePath.bytes(path));
    name = name.substring(name.lastIndexOf('/') + 1);
    try {
      Set<Long> meant = new HashSet<>();
      String line;
      try (BufferedReader lines = list(main)) {
        while ((line = lines.readLine()) != null) {
          String[] fields = fields(line);
          if (isMeant(fields, name)) {
            meant.add(inode(fields));
          }
        }
      }
      if (meant.isEmpty()) {
        return Set.of();
      }
      try (BufferedReader lines = list(main)) {
        while ((line = lines.readLine()) != null) {
          String[] fields = fields(line);
          long inode = inode(fields);
          if (!meant.remove(inode)) {
            // Another socket's line, or the second one.
            found.remove(inode);
          } else if (isMeant(fields, name)) {
            found.put(inode, fields[PATH]);
          }
        }
      }
    } catch (FileNotFoundException gone) {
      return Set.of();
    }
    return found.keySet();
  }

  /** One character a byte: the kernel prints the bytes of a name, which may be in no locale. */
  private static BufferedReader list(long main) throws IOException {
    return new BufferedReader(
        new FileReader(ProcDirectory.of(main) + "/net/unix", StandardCharsets.ISO_8859_1));
  }

  private static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static String[] fields(String line) {
    return line.strip().split(" +", PATH + 1);
  }

  /** The inode of a line's socket; 0 for what is no such line. */
  private static long inode(String[] fields) {
    return fields.length > INODE ? number(fields[INODE], 10) : 0;
  }

  private static boolean isMeant(String[] fields, String name) {
    return fields.length > PATH
        && inode(fields) > 0
        && ((number(fields[FLAGS], 16) & LISTENS) != 0 || fields[TYPE].equals(DATAGRAM))
        && fields[PATH].endsWith(name);
  }

  /** A number of the list; 0 for what is none. */
  private static long number(String field, int radix) {
    try {
      return Long.parseLong(field, radix);
    } catch (NumberFormatException forged) {
      return 0;
    }
  }

  /** A forged line may have the inode of another kind of socket. */
  @Override
  boolean holds(PidFd process, Set<Long> sockets) throws PosixException {
    return process.hasUnixSocket(sockets);
  }

  /** Finds those that the process has by halves: strangers may have very many of that name. */
  @Override
  boolean listens(long pid, Set<Long> sockets) throws IOException {
    if (isOver()) {
      tookTooLong(pid);
      return false;
    }
    if (!has(pid, sockets)) {
      return false;
    }
    // Another order each time: where the time does not suffice, the next examination may find it.
    List<Long> inodes = new ArrayList<>(sockets);
    Collections.shuffle(inodes);
    int half = inodes.size() / 2;
    if (half == 0) {
      return leadsThere(pid, Objects.requireNonNull(found.get(inodes.getFirst())));
    }
    return listens(pid, Set.copyOf(inodes.subList(0, half)))
        || listens(pid, Set.copyOf(inodes.subList(half, inodes.size())));
  }

  /** Whether the path of its socket leads this process to the file that is meant. */
  private boolean leadsThere(long pid, String bound) throws PosixException {
    String process = ProcDirectory.of(pid);
    return isSame(bound) || isSame(process + "/root" + bound) || isSame(process + "/cwd/" + bound);
  }

  private boolean isSame(String other) {
    try {
      return other.startsWith("/")
          && Files.isSameFile(path, NativePath.of(other.getBytes(StandardCharsets.ISO_8859_1)));
    } catch (IOException none) {
      return false;
    }
  }
}
