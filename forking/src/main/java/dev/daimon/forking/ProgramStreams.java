package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The standard streams of a program that is about to start, as open descriptors of this process.
 *
 * <p>{@link #open()} opens what the streams are redirected to. Then either a child makes its
 * streams copies of the {@linkplain #source sources}, or {@link #replaceOwn()} does so in this
 * process. {@link #close()} closes what was opened, and puts this process's own streams back.
 */
final class ProgramStreams implements AutoCloseable {
  /** The number of standard streams, which is also the lowest number above them. */
  static final int COUNT = 3;

  private final Redirect[] redirects;

  /** The lowest number of a source; above all that the program gets under another number. */
  private final int lowestSource;

  private final int[] sources = new int[COUNT];
  private final List<Descriptor> opened = new ArrayList<>();
  private final List<OutputFile> toEmpty = new ArrayList<>();

  /** Copies of this process's own streams; null for one that is closed. */
  private final @Nullable Descriptor[] own = new Descriptor[COUNT];

  /** How many of this process's own streams are replaced. */
  private int replaced;

  ProgramStreams(Redirect[] redirects, int lowestSource) {
    this.redirects = redirects;
    this.lowestSource = lowestSource;
  }

  /** Opens what the streams are redirected to; changes no stream and empties no file. */
  void open() throws PosixException {
    for (int stream = 0; stream < COUNT; stream++) {
      sources[stream] = open(redirects[stream], stream);
    }
  }

  private int open(Redirect redirect, int stream) throws PosixException {
    // No switch over the types: the first one of a JVM costs milliseconds.
    if (redirect instanceof Redirect.ToDescriptor(Descriptor descriptor)) {
      return source(descriptor);
    }
    if (redirect instanceof Redirect.ToFile(Path file, boolean append)) {
      OutputFile output = OutputFile.open(file);
      if (!append) {
        toEmpty.add(output);
      }
      return hold(output.descriptor());
    }
    return redirect instanceof Redirect.NullDevice ? hold(Descriptors.openNullDevice()) : stream;
  }

  /** Keeps a descriptor open until {@link #close()}, and returns a number of a source for it. */
  int hold(Descriptor descriptor) throws PosixException {
    opened.add(descriptor);
    return source(descriptor);
  }

  /** The descriptor's number, or that of a copy if a number as low as this may be replaced. */
  private int source(Descriptor descriptor) throws PosixException {
    return descriptor.number() >= lowestSource ? descriptor.number() : copy(descriptor);
  }

  /** Makes a copy that can be a source, open until {@link #close()}, and returns its number. */
  int copy(Descriptor descriptor) throws PosixException {
    Descriptor copy = descriptor.duplicate(lowestSource);
    opened.add(copy);
    return copy.number();
  }

  /**
   * The descriptor that a stream is to become a copy of: above the numbers that are replaced, so
   * that none is overwritten before it is copied; or the stream's own number where it is inherited.
   */
  int source(int stream) {
    return sources[stream];
  }

  /** The next higher number that is not a descriptor of this start. */
  int freeAbove(int number) {
    int free = number + 1;
    while (isInUse(free)) {
      free++;
    }
    return free;
  }

  private boolean isInUse(int number) {
    for (Descriptor descriptor : opened) {
      if (descriptor.number() == number) {
        return true;
      }
    }
    for (int source : sources) {
      if (source == number) {
        return true;
      }
    }
    return false;
  }

  /**
   * Empties the files that are to be truncated. Called last of all, so that a start that fails has
   * emptied as few files as possible.
   */
  void emptyFiles() throws PosixException {
    for (OutputFile file : toEmpty) {
      file.truncate();
    }
  }

  /** Makes this process's own streams copies of the sources. */
  void replaceOwn() throws PosixException {
    for (int stream = 0; stream < COUNT; stream++) {
      own[stream] = copyOfOwn(stream);
    }
    for (; replaced < COUNT; replaced++) {
      if (sources[replaced] != replaced) {
        PosixException.check(Files.dup2(sources[replaced], replaced), "dup2", replaced);
      }
    }
  }

  private @Nullable Descriptor copyOfOwn(int stream) throws PosixException {
    int number = Files.fcntl(stream, Files.F_DUPFD_CLOEXEC, lowestSource);
    if (number == -Errno.EBADF.number()) {
      return null;
    }
    Descriptor copy =
        Descriptor.adopt(PosixException.check(number, "fcntl F_DUPFD_CLOEXEC", stream));
    opened.add(copy);
    return copy;
  }

  /** Puts this process's own streams back, and closes everything that was opened. */
  @Override
  public void close() {
    for (int stream = 0; stream < replaced; stream++) {
      Descriptor before = own[stream];
      if (before == null) {
        Files.close(stream);
      } else {
        Files.dup2(before.number(), stream);
      }
    }
    for (Descriptor descriptor : opened) {
      // Nothing was written through these, so nothing is lost if closing one fails.
      Files.close(descriptor.number());
    }
  }
}
