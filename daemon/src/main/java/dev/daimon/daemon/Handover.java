package dev.daimon.daemon;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.NativePath;
import dev.daimon.startup.FileSet;
import dev.daimon.startup.PendingChown;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the launcher hands over to the daemon, besides what a process inherits by itself: its
 * directory and settings, and which inherited descriptor is what.
 *
 * <p>The numbers mean the same in both processes.
 */
final class Handover {
  private static final int STANDARD_ERROR = 2;

  /** Stands for a descriptor that there is not. */
  private static final int NONE = -1;

  final Path launchDirectory;

  /** As {@link DaemonConfig#settings()} says them. */
  final List<String> settings;

  final @Nullable Descriptor pidFile;
  final @Nullable Descriptor lockFile;

  /** Where standard error leads for the time being, if that is a file in memory. */
  final @Nullable Descriptor earlyErrors;

  /** Where standard error leads at last; null for the null device, or if it leads there now. */
  final @Nullable Descriptor standardError;

  final Map<String, Descriptor> kept;

  /** Files that root has opened, and that are to become the user's. */
  final List<PendingChown> pendingChowns;

  Handover(
      Path launchDirectory,
      List<String> settings,
      @Nullable Descriptor pidFile,
      @Nullable Descriptor lockFile,
      @Nullable Descriptor earlyErrors,
      @Nullable Descriptor standardError,
      Map<String, Descriptor> kept,
      List<PendingChown> pendingChowns) {
    this.launchDirectory = launchDirectory;
    this.settings = settings;
    this.pidFile = pidFile;
    this.lockFile = lockFile;
    this.earlyErrors = earlyErrors;
    this.standardError = standardError;
    this.kept = kept;
    this.pendingChowns = pendingChowns;
  }

  /** All descriptors that the daemon needs. */
  List<Descriptor> descriptors() {
    List<Descriptor> descriptors = new ArrayList<>(kept.values());
    add(descriptors, pidFile);
    add(descriptors, lockFile);
    add(descriptors, earlyErrors);
    add(descriptors, standardError);
    for (PendingChown pending : pendingChowns) {
      descriptors.add(pending.descriptor());
    }
    return descriptors;
  }

  private static void add(List<Descriptor> descriptors, @Nullable Descriptor descriptor) {
    if (descriptor != null) {
      descriptors.add(descriptor);
    }
  }

  /**
   * Makes sure that what was handed over is what a configuration has files for: locks for those
   * that are locked, and of what is to be given away nothing but these files themselves.
   *
   * @throws IOException if one of them cannot be looked at
   */
  void requireFilesOf(DaemonConfig config) throws IOException {
    FileSet set = config.files();
    if ((set.pidFile() == null) != (pidFile == null)
        || (set.lockFile() == null) != (lockFile == null)) {
      throw new StartException(
          Reason.DAEMON_FAILED, "the launcher handed over other locks than the configuration has");
    }
    for (PendingChown pending : pendingChowns) {
      Path path = pending.path();
      boolean named =
          path.equals(set.pidFile())
              || path.equals(set.lockFile())
              || path.equals(set.standardOutput())
              || path.equals(set.standardError());
      if (!named || !isAt(path, pending.descriptor())) {
        throw new StartException(
            Reason.DAEMON_FAILED,
            "what the launcher handed over to be given away is no file of the configuration, or no"
                + " longer there: "
                + path);
      }
    }
  }

  /** Whether an open file is the one at a path. */
  private static boolean isAt(Path path, Descriptor descriptor) throws IOException {
    Object open = inode(Path.of("/proc/self/fd/" + descriptor.number()));
    return open.equals(inode(path, LinkOption.NOFOLLOW_LINKS));
  }

  /** Two files are one if these are the same. */
  private static Object inode(Path file, LinkOption... options) throws IOException {
    return Files.readAttributes(file, "unix:dev,ino", options);
  }

  byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    try {
      write(out, launchDirectory);
      out.writeInt(settings.size());
      for (String setting : settings) {
        write(out, setting.getBytes(StandardCharsets.UTF_8));
      }
      write(out, pidFile);
      write(out, lockFile);
      write(out, earlyErrors);
      write(out, standardError);
      out.writeInt(kept.size());
      for (Map.Entry<String, Descriptor> entry : kept.entrySet()) {
        write(out, entry.getKey().getBytes(StandardCharsets.UTF_8));
        write(out, entry.getValue());
      }
      out.writeInt(pendingChowns.size());
      for (PendingChown pending : pendingChowns) {
        write(out, pending.path());
        write(out, pending.descriptor());
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, @Nullable Descriptor descriptor)
      throws IOException {
    out.writeInt(descriptor == null ? NONE : descriptor.number());
  }

  private static void write(DataOutputStream out, Path path) throws IOException {
    write(out, NativePath.bytes(path));
  }

  private static void write(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /** The other way round; from now on the descriptors are this process's to close. */
  static Handover decode(byte[] greeting) {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(greeting));
    // A pending is one of the other descriptors, often: one number has one owner.
    Map<Integer, Descriptor> owned = new LinkedHashMap<>();
    try {
      Path launchDirectory = NativePath.of(readBytes(in));
      List<String> settings = new ArrayList<>();
      for (int i = in.readInt(); i > 0; i--) {
        settings.add(new String(readBytes(in), StandardCharsets.UTF_8));
      }
      Descriptor pidFile = readDescriptor(in, owned);
      Descriptor lockFile = readDescriptor(in, owned);
      Descriptor earlyErrors = readDescriptor(in, owned);
      Descriptor standardError = readDescriptor(in, owned);
      Map<String, Descriptor> kept = new LinkedHashMap<>();
      for (int i = in.readInt(); i > 0; i--) {
        String name = new String(readBytes(in), StandardCharsets.UTF_8);
        kept.put(name, required(readDescriptor(in, owned)));
      }
      List<PendingChown> pendingChowns = new ArrayList<>();
      for (int i = in.readInt(); i > 0; i--) {
        Path path = NativePath.of(readBytes(in));
        pendingChowns.add(new PendingChown(path, required(readDescriptor(in, owned))));
      }
      return new Handover(
          launchDirectory,
          settings,
          pidFile,
          lockFile,
          earlyErrors,
          standardError,
          kept,
          pendingChowns);
    } catch (IOException | IllegalArgumentException broken) {
      throw new IllegalStateException("what the launcher handed over makes no sense", broken);
    }
  }

  private static @Nullable Descriptor readDescriptor(
      DataInputStream in, Map<Integer, Descriptor> owned) throws IOException {
    int number = in.readInt();
    if (number == NONE) {
      return null;
    }
    if (number <= STANDARD_ERROR) {
      throw new IOException("descriptor " + number + " is the caller's");
    }
    Descriptor descriptor = owned.get(number);
    if (descriptor == null) {
      descriptor = Descriptor.adopt(number);
      owned.put(number, descriptor);
    }
    return descriptor;
  }

  private static Descriptor required(@Nullable Descriptor descriptor) throws IOException {
    if (descriptor == null) {
      throw new IOException("a descriptor is missing");
    }
    return descriptor;
  }

  private static byte[] readBytes(DataInputStream in) throws IOException {
    return in.readNBytes(in.readInt());
  }
}
