package dev.daimon.testing;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A JDK of this machine.
 *
 * @param feature the first number of its version
 */
public record Jdk(Path home, int feature) {
  private static final Pattern VERSION =
      Pattern.compile("^JAVA_VERSION=\"?(\\d+)", Pattern.MULTILINE);

  /** Returns the one that runs these tests. */
  public static Jdk own() {
    return new Jdk(Path.of(System.getProperty("java.home")), Runtime.version().feature());
  }

  /** Returns those that {@code mvnw} has found, the oldest first. */
  public static List<Jdk> installed() throws IOException {
    Set<Jdk> found = new HashSet<>();
    Path directory = Path.of(System.getProperty("daimon.jdks", "/usr/lib/jvm"));
    try (DirectoryStream<Path> homes = Files.newDirectoryStream(directory)) {
      for (Path home : homes) {
        // Debian has links from other names; those of a JDK that was removed lead nowhere.
        if (Files.exists(home)) {
          of(home.toRealPath()).ifPresent(found::add);
        }
      }
    }
    return found.stream().sorted(Comparator.comparingInt(Jdk::feature)).toList();
  }

  private static Optional<Jdk> of(Path home) throws IOException {
    Path release = home.resolve("release");
    if (!Files.isExecutable(home.resolve("bin/java")) || !Files.isReadable(release)) {
      return Optional.empty();
    }
    Matcher version = VERSION.matcher(Files.readString(release));
    return version.find()
        ? Optional.of(new Jdk(home, Integer.parseInt(version.group(1))))
        : Optional.empty();
  }

  /** Returns one of its programs. */
  public String tool(String name) {
    return home.resolve("bin").resolve(name).toString();
  }
}
