package dev.daimon.daemon;

import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.Redirect;
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
 * What the daemon prints before it is ready, so that its launcher can tell why it never was. A JVM
 * that cannot start says so on standard output, of all places.
 *
 * <p>A log file is read again. What would go to the null device or the like goes to a file in
 * memory at first: no thread has to copy anything, and nothing breaks if the launcher is gone.
 */
final class EarlyOutput implements AutoCloseable {
  /** As much as is kept in memory, and as is read of a file, in bytes. */
  private static final int CAPACITY = 1 << 18;

  /** Of a log, where the rest can be read. */
  private static final int LAST_LINES = 10;

  /** Of what is nowhere else, with its stack frames. */
  private static final int ONLY_LINES = 40;

  private final MemoryFile memory;
  private final Stream output;
  private final Stream error;

  /**
   * One of the two streams.
   *
   * @param target where it is to lead at last; null for the null device
   * @param first where it leads at first; null for where it leads in the launcher
   * @param start where in a file the daemon's part begins
   * @param log the file's path, if it can be read there later; else null
   */
  private record Stream(
      @Nullable Descriptor target, @Nullable Descriptor first, long start, @Nullable Path log) {}

  private EarlyOutput(MemoryFile memory, Stream output, Stream error) {
    this.memory = memory;
    this.output = output;
    this.error = error;
  }

  /** Begins to keep it, when the files are open and not yet emptied. */
  static EarlyOutput keep(DaemonConfig config, DaemonFiles files) {
    try {
      MemoryFile memory = MemoryFile.create("daimon-early-output", CAPACITY);
      try {
        return new EarlyOutput(
            memory,
            output(config, files.standardOutput(), memory),
            error(config, files.standardError(), memory));
      } catch (IOException | RuntimeException failure) {
        Cleanup.close(memory, failure);
        throw failure;
      }
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private static Stream output(DaemonConfig config, @Nullable Descriptor target, MemoryFile memory)
      throws IOException {
    return target == null
        ? new Stream(null, memory.descriptor(), 0, null)
        : new Stream(target, target, start(config, target), config.standardOutput);
  }

  private static Stream error(DaemonConfig config, @Nullable Descriptor target, MemoryFile memory)
      throws IOException {
    if (config.inheritStandardErrorUntilReady) {
      return new Stream(target, null, 0, null);
    }
    return target != null && Files.isRegularFile(path(target))
        ? new Stream(target, target, start(config, target), config.standardError)
        : new Stream(target, memory.descriptor(), 0, null);
  }

  private static long start(DaemonConfig config, Descriptor target) throws IOException {
    return !config.truncate && Files.isRegularFile(path(target)) ? Files.size(path(target)) : 0;
  }

  private static Path path(Descriptor descriptor) {
    return Path.of("/proc/self/fd/" + descriptor.number());
  }

  /** Where the daemon's standard output leads at first. */
  Redirect standardOutput() {
    return redirect(output);
  }

  /** Where the daemon's standard error leads at first. */
  Redirect standardError() {
    return redirect(error);
  }

  private static Redirect redirect(Stream stream) {
    return stream.first == null ? Redirect.inherit() : Redirect.to(stream.first);
  }

  /** The file in memory, if standard error leads there at first; else null. */
  @Nullable Descriptor errorMemory() {
    Descriptor inMemory = memory.descriptor();
    return inMemory.equals(error.first) ? inMemory : null;
  }

  /** Where standard error leads when the daemon is ready; null if it changes to nothing else. */
  @Nullable Descriptor errorLater() {
    return error.target == null || error.target.equals(error.first) ? null : error.target;
  }

  /** Where to read what the daemon has printed; empty if it has not, or nowhere that lasts. */
  String pointer() {
    Stream stream = lines(error).isEmpty() ? output : error;
    return stream.log == null || lines(stream).isEmpty() ? "" : "; see " + stream.log;
  }

  /**
   * The last lines of what the user has not seen, and where there is more; empty if there is none.
   */
  String lastWords() {
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

  /** Stack frames are left out where they can be read in the log. */
  private List<String> lines(Stream stream) {
    List<String> lines = new ArrayList<>();
    for (String line : new String(content(stream), StandardCharsets.UTF_8).split("\n", -1)) {
      boolean frame = line.startsWith("\tat ") || line.startsWith("\t... ");
      if (!line.isBlank() && (stream.log == null || !frame)) {
        lines.add(line.stripTrailing());
      }
    }
    return lines;
  }

  private byte[] content(Stream stream) {
    try {
      if (memory.descriptor().equals(stream.first)) {
        return memory.content();
      }
      if (stream.first != null && Files.isRegularFile(path(stream.first))) {
        Path path = path(stream.first);
        long size = Files.size(path);
        // A file that somebody has truncated meanwhile begins anew.
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
    memory.close();
  }
}
