package dev.daimon.daemon;

import dev.daimon.daemon.DaemonizeException.Reason;
import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.Redirect;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the daemon prints on standard error before it is ready, so that its launcher can tell it.
 *
 * <p>A log file is read again. Where standard error leads to the null device or the like, it leads
 * to a file in memory at first: no thread has to copy anything, and nothing breaks if the launcher
 * is gone. So does standard output, until the program takes over: a JVM that cannot start may say
 * there why.
 */
final class EarlyErrors implements AutoCloseable {
  /** As much as is kept in memory, and as is read of a file, in bytes. */
  private static final int CAPACITY = 1 << 18;

  private static final int LAST_LINES = 10;

  private final @Nullable Descriptor target;
  private final @Nullable MemoryFile memory;
  private final MemoryFile output;
  private final boolean inherited;
  private final long start;

  private EarlyErrors(
      @Nullable Descriptor target, @Nullable MemoryFile memory, boolean inherited, long start)
      throws PosixException {
    output = MemoryFile.create("daimon-output", CAPACITY);
    this.target = target;
    this.memory = memory;
    this.inherited = inherited;
    this.start = start;
  }

  /**
   * Begins to keep them.
   *
   * @param target where standard error is to lead at last; null for the null device
   */
  static EarlyErrors keep(DaemonConfig config, @Nullable Descriptor target) {
    try {
      if (config.inheritStandardErrorUntilReady) {
        return new EarlyErrors(target, null, true, 0);
      }
      if (target != null && Files.isRegularFile(path(target))) {
        return new EarlyErrors(target, null, false, Files.size(path(target)));
      }
      MemoryFile memory = MemoryFile.create("daimon-errors", CAPACITY);
      return new EarlyErrors(target, memory, false, 0);
    } catch (IOException failure) {
      throw new DaemonizeException(Reason.SYSTEM, failure);
    }
  }

  private static Path path(Descriptor descriptor) {
    return Path.of("/proc/self/fd/" + descriptor.number());
  }

  /** Where the daemon's standard error leads at first. */
  Redirect redirect() {
    if (memory != null) {
      return Redirect.to(memory.descriptor());
    }
    return inherited || target == null ? Redirect.inherit() : Redirect.to(target);
  }

  /** Where the daemon's standard output leads at first, if at last to the null device. */
  Redirect outputRedirect() {
    return Redirect.to(output.descriptor());
  }

  /** The file in memory; null if there is none. */
  @Nullable Descriptor memory() {
    return memory == null ? null : memory.descriptor();
  }

  /** Where standard error leads when the daemon is ready; null if it changes to nothing else. */
  @Nullable Descriptor later() {
    return inherited || memory != null ? target : null;
  }

  /**
   * The last lines, if there are any that the user has not seen; where it happened, is left out.
   */
  List<String> lastLines() {
    List<String> lines = new ArrayList<>();
    for (String line : new String(content(), StandardCharsets.UTF_8).split("\n", -1)) {
      if (!line.isBlank() && !line.startsWith("\tat ")) {
        lines.add(line.stripTrailing());
      }
    }
    return lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size());
  }

  private byte[] content() {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    try {
      content.write(output.content());
      content.write(inherited ? new byte[0] : errors());
    } catch (IOException unreadable) {
      content.writeBytes(
          ("its errors cannot be read: " + unreadable.getMessage())
              .getBytes(StandardCharsets.UTF_8));
    }
    return content.toByteArray();
  }

  private byte[] errors() throws IOException {
    if (memory != null) {
      return memory.content();
    }
    if (target != null) {
      Path path = path(target);
      long size = Files.size(path);
      // A file that somebody has truncated meanwhile begins anew.
      long from = Math.max(size < start ? 0 : start, size - CAPACITY);
      try (FileInputStream file = new FileInputStream(path.toFile())) {
        file.skipNBytes(from);
        return file.readNBytes(CAPACITY);
      }
    }
    return new byte[0];
  }

  @Override
  public void close() {
    try (output;
        memory) {
      return;
    } catch (PosixException failure) {
      throw new DaemonizeException(Reason.SYSTEM, failure);
    }
  }
}
