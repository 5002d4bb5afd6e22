package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.StreamNumber;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The standard streams of a program that is about to start, as open descriptors of this process.
 *
 * <p>{@link #open()} opens what the streams are redirected to. Then a child, or this process in the
 * moment of its exec, makes its streams copies of the {@linkplain #source sources}. {@link
 * #close()} closes what was opened.
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
    return redirect instanceof Redirect.NullDevice || StreamNumber.isJvms(stream)
        ? hold(Descriptors.openNullDevice())
        : stream;
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

  /** Closes everything that was opened. */
  @Override
  public void close() {
    for (Descriptor descriptor : opened) {
      // Nothing was written through these, so nothing is lost if closing one fails.
      Files.close(descriptor.number());
    }
  }
}
