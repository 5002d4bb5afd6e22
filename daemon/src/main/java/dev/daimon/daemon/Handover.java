package dev.daimon.daemon;

import dev.daimon.daemon.files.Gift;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.NativePath;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
  final List<Gift> gifts;

  Handover(
      Path launchDirectory,
      List<String> settings,
      @Nullable Descriptor pidFile,
      @Nullable Descriptor lockFile,
      @Nullable Descriptor earlyErrors,
      @Nullable Descriptor standardError,
      Map<String, Descriptor> kept,
      List<Gift> gifts) {
    this.launchDirectory = launchDirectory;
    this.settings = settings;
    this.pidFile = pidFile;
    this.lockFile = lockFile;
    this.earlyErrors = earlyErrors;
    this.standardError = standardError;
    this.kept = kept;
    this.gifts = gifts;
  }

  /** All descriptors that the daemon needs. */
  List<Descriptor> descriptors() {
    List<Descriptor> descriptors = new ArrayList<>(kept.values());
    add(descriptors, pidFile);
    add(descriptors, lockFile);
    add(descriptors, earlyErrors);
    add(descriptors, standardError);
    for (Gift gift : gifts) {
      descriptors.add(gift.descriptor());
    }
    return descriptors;
  }

  private static void add(List<Descriptor> descriptors, @Nullable Descriptor descriptor) {
    if (descriptor != null) {
      descriptors.add(descriptor);
    }
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
      out.writeInt(gifts.size());
      for (Gift gift : gifts) {
        write(out, gift.path());
        write(out, gift.descriptor());
        out.writeBoolean(gift.created());
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
    // A gift is one of the other descriptors, often: one number has one owner.
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
      List<Gift> gifts = new ArrayList<>();
      for (int i = in.readInt(); i > 0; i--) {
        Path path = NativePath.of(readBytes(in));
        Descriptor descriptor = required(readDescriptor(in, owned));
        gifts.add(new Gift(path, descriptor, in.readBoolean()));
      }
      return new Handover(
          launchDirectory, settings, pidFile, lockFile, earlyErrors, standardError, kept, gifts);
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
