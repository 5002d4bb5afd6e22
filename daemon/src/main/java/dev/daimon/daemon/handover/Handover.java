package dev.daimon.daemon.handover;

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
import java.io.EOFException;
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
 * The data that the launcher hands over to the daemon: its directory and settings, and the purpose
 * of each inherited descriptor.
 *
 * <p>A descriptor has the same number in both processes.
 */
public final class Handover {
  private static final int STANDARD_ERROR = 2;

  /** Encodes a missing descriptor. */
  private static final int NONE = -1;

  public final Path launchDirectory;

  /** A line for each setting, for comparison. */
  public final List<String> settings;

  public final @Nullable Descriptor pidFile;
  public final @Nullable Descriptor lockFile;

  /** The file in memory that standard error leads to until the daemon is ready; null for none. */
  public final @Nullable Descriptor earlyErrors;

  /**
   * The file that standard error is to lead to when the daemon is ready; null for the null device,
   * or if it leads there already.
   */
  public final @Nullable Descriptor standardError;

  public final Map<String, Descriptor> kept;

  /** The files that root has opened, and that are to become the target user's. */
  public final List<PendingChown> pendingChowns;

  public Handover(
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

  /** Returns all descriptors that the daemon needs. */
  public List<Descriptor> descriptors() {
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
   * Makes sure that the descriptors fit the files of the daemon's own configuration: there is a
   * lock for each locked file, and each file that is to change its owner is one of these files.
   *
   * @throws IOException if a file cannot be examined
   * @throws StartException if one does not fit
   */
  public void requireFilesOf(FileSet set) throws IOException {
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

  /** Returns a value that is equal for the same file. */
  private static Object inode(Path file, LinkOption... options) throws IOException {
    return Files.readAttributes(file, "unix:dev,ino", options);
  }

  /** Encodes this for {@link #decode}. */
  public byte[] encode() {
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

  /** Decodes what the launcher has sent; this process owns the descriptors from now on. */
  public static Handover decode(byte[] greeting) {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(greeting));
    // A pending chown often has one of the other descriptors: each number has one object.
    Map<Integer, Descriptor> owned = new LinkedHashMap<>();
    try {
      Path launchDirectory = NativePath.of(readBytes(in));
      List<String> settings = new ArrayList<>();
      for (int i = readCount(in); i > 0; i--) {
        settings.add(new String(readBytes(in), StandardCharsets.UTF_8));
      }
      Descriptor pidFile = readDescriptor(in, owned);
      Descriptor lockFile = readDescriptor(in, owned);
      Descriptor earlyErrors = readDescriptor(in, owned);
      Descriptor standardError = readDescriptor(in, owned);
      Map<String, Descriptor> kept = new LinkedHashMap<>();
      for (int i = readCount(in); i > 0; i--) {
        String name = new String(readBytes(in), StandardCharsets.UTF_8);
        if (kept.put(name, required(readDescriptor(in, owned))) != null) {
          throw new IOException("two descriptors are called " + name);
        }
      }
      List<PendingChown> pendingChowns = new ArrayList<>();
      for (int i = readCount(in); i > 0; i--) {
        Path path = NativePath.of(readBytes(in));
        pendingChowns.add(new PendingChown(path, required(readDescriptor(in, owned))));
      }
      if (in.read() >= 0) {
        throw new IOException("something follows the end");
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
    int length = readCount(in);
    byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new EOFException();
    }
    return bytes;
  }

  private static int readCount(DataInputStream in) throws IOException {
    int count = in.readInt();
    if (count < 0) {
      throw new IOException("a negative count: " + count);
    }
    return count;
  }
}
