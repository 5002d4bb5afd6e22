package dev.daimon.daemon.streams;

import dev.daimon.daemon.config.Settings;
import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.Redirect;
import dev.daimon.forking.StandardStream;
import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the daemon prints before it is ready: the launcher shows the last lines if it never is.
 * Standard output counts too, since a JVM that cannot start says so there.
 *
 * <p>Output that goes to a log file is read from there. Output that would go to the null device, or
 * to anything else that cannot be read again, goes to a file in memory until the daemon is ready.
 * So no thread has to copy it, and nothing breaks if the launcher is gone.
 */
public final class EarlyOutput implements AutoCloseable {
  /** The size of the file in memory, and how much of a log file is read, in bytes. */
  private static final int CAPACITY = 1 << 18;

  /** How many lines of a log are shown; the user can read the rest there. */
  private static final int LAST_LINES = 10;

  /** How many lines are shown of output that is lost otherwise, stack frames included. */
  private static final int ONLY_LINES = 40;

  private final MemoryFile memory;

  /** The same file, unless what is kept of standard error goes to its own one later. */
  private final MemoryFile outputMemory;

  private final Stream output;
  private final Stream error;

  /**
   * One of the two streams.
   *
   * @param target the file it leads to when the daemon is ready; null for the null device
   * @param first the file it leads to before; null if it leads where the launcher's does
   * @param start the offset in the file at which the daemon's output begins
   * @param log the path at which the user can read the file later; null for none
   */
  private record Stream(
      @Nullable Descriptor target, @Nullable Descriptor first, long start, @Nullable Path log) {}

  private EarlyOutput(MemoryFile memory, MemoryFile outputMemory, Stream output, Stream error) {
    this.memory = memory;
    this.outputMemory = outputMemory;
    this.output = output;
    this.error = error;
  }

  /** Prepares both streams; the files must be open, and not emptied yet. */
  public static EarlyOutput keep(Settings settings, DaemonFiles files) {
    try {
      MemoryFile memory = memory();
      try {
        Stream error = error(settings, files.standardError(), memory);
        Descriptor target = files.standardOutput();
        boolean moves = error.target != null && memory.descriptor().equals(error.first);
        MemoryFile outputMemory = target == null && moves ? memory() : memory;
        Stream output = output(settings, target, outputMemory);
        return new EarlyOutput(memory, outputMemory, output, error);
      } catch (IOException | RuntimeException failure) {
        Cleanup.close(memory, failure);
        throw failure;
      }
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static MemoryFile memory() throws PosixException {
    return MemoryFile.create("daimon-early-output", CAPACITY);
  }

  private static Stream output(Settings settings, @Nullable Descriptor target, MemoryFile memory)
      throws IOException {
    return target == null
        ? new Stream(null, memory.descriptor(), 0, null)
        : new Stream(target, target, start(settings, target), settings.standardOutput);
  }

  private static Stream error(Settings settings, @Nullable Descriptor target, MemoryFile memory)
      throws IOException {
    if (settings.inheritStandardErrorUntilReady) {
      return new Stream(target, null, 0, null);
    }
    return target != null && Files.isRegularFile(path(target))
        ? new Stream(target, target, start(settings, target), settings.standardError)
        : new Stream(target, memory.descriptor(), 0, null);
  }

  private static long start(Settings settings, Descriptor target) throws IOException {
    return !settings.truncate && Files.isRegularFile(path(target)) ? Files.size(path(target)) : 0;
  }

  private static Path path(Descriptor descriptor) {
    return Path.of("/proc/self/fd/" + descriptor.number());
  }

  /** Returns where the daemon's standard output leads at first. */
  public Redirect standardOutput() {
    return redirect(output);
  }

  /** Returns where the daemon's standard error leads at first. */
  public Redirect standardError() {
    return redirect(error);
  }

  private static Redirect redirect(Stream stream) {
    if (stream.first != null) {
      return Redirect.to(stream.first);
    }
    // Of a stream that is closed here the daemon's JVM would have a file of its own.
    return StandardStream.ERROR.isOpen() ? Redirect.inherit() : Redirect.nullDevice();
  }

  /** Returns the file in memory if standard error leads there at first; otherwise null. */
  public @Nullable Descriptor errorMemory() {
    Descriptor inMemory = memory.descriptor();
    return inMemory.equals(error.first) ? inMemory : null;
  }

  /**
   * Returns the file that standard error leads to when the daemon is ready; null if it stays where
   * it is, or leads to the null device then.
   */
  public @Nullable Descriptor errorLater() {
    return error.target == null || error.target.equals(error.first) ? null : error.target;
  }

  /** Names the log that has the daemon's output; empty if there is no output, or no log. */
  public String pointer() {
    Stream stream = lines(error).isEmpty() ? output : error;
    return stream.log == null || lines(stream).isEmpty() ? "" : "; see " + stream.log;
  }

  /** Returns the last lines of the output, and names the log; empty if there is no output. */
  public String lastLines() {
    List<String> lines = lines(error);
    Stream stream = lines.isEmpty() ? output : error;
    lines = lines(stream);
    if (lines.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder(". Its last words");
    text.append(stream.log == null ? "" : ", in " + stream.log).append(':');
    int most = stream.log == null ? ONLY_LINES : LAST_LINES;
    for (String line : lines.subList(Math.max(0, lines.size() - most), lines.size())) {
      text.append("\n  ").append(line);
    }
    return text.toString();
  }

  /**
   * Returns the lines that tell something: without what every JVM says that gets options from a
   * variable, and without stack frames if they can be read in a log.
   */
  private List<String> lines(Stream stream) {
    List<String> lines = new ArrayList<>();
    for (String line : new String(content(stream), StandardCharsets.UTF_8).split("\n", -1)) {
      boolean frame = line.startsWith("\tat ") || line.startsWith("\t... ");
      if (!line.isBlank() && !namesOptions(line) && (stream.log == null || !frame)) {
        lines.add(line.stripTrailing());
      }
    }
    return lines;
  }

  private static boolean namesOptions(String line) {
    return line.startsWith("Picked up JAVA_TOOL_OPTIONS: ")
        || line.startsWith("Picked up _JAVA_OPTIONS: ")
        || line.startsWith("NOTE: Picked up JDK_JAVA_OPTIONS: ");
  }

  private byte[] content(Stream stream) {
    try {
      MemoryFile kept = stream.equals(output) ? outputMemory : memory;
      if (kept.descriptor().equals(stream.first)) {
        return kept.content();
      }
      if (stream.first != null && Files.isRegularFile(path(stream.first))) {
        Path path = path(stream.first);
        long size = Files.size(path);
        // If somebody has truncated the file meanwhile, all of it is the daemon's.
        long from = Math.max(size < stream.start ? 0 : stream.start, size - CAPACITY);
        try (FileInputStream file = new FileInputStream(path.toFile())) {
          file.skipNBytes(from);
          return file.readNBytes(CAPACITY);
        }
      }
    } catch (IOException unreadable) {
      return ("what it printed cannot be read: " + unreadable.getMessage())
          .getBytes(StandardCharsets.UTF_8);
    }
    return new byte[0];
  }

  @Override
  public void close() throws PosixException {
    try (memory) {
      outputMemory.close();
    }
  }
}
