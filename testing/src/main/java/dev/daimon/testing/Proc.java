package dev.daimon.testing;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads what {@code /proc} shows of a process, which is named as there: by its id, or {@code self},
 * or {@code thread-self}.
 */
public final class Proc {
  private Proc() {}

  /** Returns a field of its status, such as {@code SigIgn}. */
  public static String status(String process, String field) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc", process, "status"))) {
      if (line.startsWith(field + ":")) {
        return line.substring(field.length() + 1).strip();
      }
    }
    throw new AssertionError("no " + field);
  }

  /** Returns the open descriptors and the path of each, without the one that lists them. */
  public static SortedMap<Integer, String> descriptors(String process) throws IOException {
    SortedMap<Integer, String> descriptors = new TreeMap<>();
    File directory = new File("/proc/" + process + "/fd");
    // Listed altogether first, so that the listing's own descriptor is closed.
    for (String name : Objects.requireNonNull(directory.list())) {
      Path link = directory.toPath().resolve(name);
      try {
        descriptors.put(Integer.valueOf(name), Files.readSymbolicLink(link).toString());
      } catch (NoSuchFileException closed) {
        // Another thread has closed it since.
      }
    }
    return descriptors;
  }

  /** Returns what this JVM has open in a directory. */
  public static List<String> openIn(Path directory) throws IOException {
    return descriptors("self").values().stream()
        .filter(leadsTo -> Path.of(leadsTo).startsWith(directory))
        .toList();
  }

  /** How many descriptors this JVM may have. */
  public static int mostDescriptors() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/limits"))) {
      if (line.startsWith("Max open files ")) {
        return Integer.parseInt(line.split(" +", -1)[3]);
      }
    }
    throw new AssertionError("no limit");
  }
}
