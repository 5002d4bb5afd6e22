package dev.daimon.daemon;

import dev.daimon.forking.LogFile;
import dev.daimon.forking.MemoryFile;
import dev.daimon.forking.StandardStream;
import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.privileges.Ownership;
import dev.daimon.startup.DaemonFiles;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The daemon's standard streams: where they lead now, and where standard error leads at last. */
final class Streams {
  private final @Nullable CapturedStream output;
  private final @Nullable CapturedStream error;

  /** Whether standard error still leads elsewhere. */
  private boolean borrowed;

  private final @Nullable MemoryFile memory;
  private final @Nullable Descriptor outputFile;
  private final @Nullable Descriptor errorFile;

  /** The files that are opened again; null for what is none. */
  private final @Nullable Path outputPath;

  private final @Nullable Path errorPath;

  /** Whether standard error's file was to be opened again while it led elsewhere. */
  private boolean outdated;

  private Streams(
      @Nullable CapturedStream output,
      @Nullable CapturedStream error,
      boolean borrowed,
      @Nullable MemoryFile memory,
      @Nullable Descriptor outputFile,
      @Nullable Descriptor errorFile,
      @Nullable Path outputPath,
      @Nullable Path errorPath) {
    this.output = output;
    this.error = error;
    this.borrowed = borrowed;
    this.memory = memory;
    this.outputFile = outputFile;
    this.errorFile = errorFile;
    this.outputPath = outputPath;
    this.errorPath = errorPath;
  }

  /** In a daemon, whose streams its launcher has opened. */
  static Streams inDaemon(DaemonConfig config, Handover handover) throws IOException {
    Descriptor early = handover.earlyErrors;
    MemoryFile memory = early == null ? null : MemoryFile.adopt(early);
    if (config.captureOutput) {
      return captured(memory);
    }
    if (config.standardOutput == null) {
      StandardStream.OUTPUT.discard();
    }
    return new Streams(
        null,
        null,
        memory != null || config.inheritStandardErrorUntilReady,
        memory,
        null,
        handover.standardError,
        config.standardOutput,
        config.standardError);
  }

  /** In a process in the foreground, whose streams stay unless they are set. */
  static Streams inForeground(DaemonConfig config, DaemonFiles files) throws IOException {
    if (config.captureOutput) {
      return captured(null);
    }
    if (files.standardOutput() != null) {
      StandardStream.OUTPUT.redirect(files.standardOutput());
    }
    boolean later = config.inheritStandardErrorUntilReady && files.standardError() != null;
    if (files.standardError() != null && !later) {
      StandardStream.ERROR.redirect(files.standardError());
    }
    return new Streams(
        null,
        null,
        later,
        null,
        files.standardOutput(),
        files.standardError(),
        config.standardOutput,
        config.standardError);
  }

  /** As they are. */
  static Streams untouched() {
    return new Streams(null, null, false, null, null, null, null, null);
  }

  private static Streams captured(@Nullable MemoryFile early) throws IOException {
    CapturedStream output = CapturedStream.begin(StandardStream.OUTPUT, System.out.charset(), null);
    CapturedStream error = CapturedStream.begin(StandardStream.ERROR, System.err.charset(), early);
    return new Streams(output, error, false, null, null, null, null, null);
  }

  @Nullable CapturedStream output() {
    return output;
  }

  @Nullable CapturedStream error() {
    return error;
  }

  /** Lets standard error lead where it is to lead at last; what was kept so far goes there too. */
  synchronized void releaseStandardError() throws IOException {
    if (error != null) {
      error.release();
    }
    if (!borrowed) {
      return;
    }
    borrowed = false;
    if (errorFile == null) {
      StandardStream.ERROR.discard();
    } else {
      StandardStream.ERROR.redirect(errorFile);
    }
    if (memory != null) {
      // Only now: until then other threads have printed there.
      if (errorFile != null) {
        print(memory.content());
      }
      memory.close();
    }
    if (outdated && errorPath != null) {
      outdated = false;
      reopen(errorPath, StandardStream.ERROR);
    }
  }

  /** As the files were opened at first: root is not led elsewhere. */
  private static void reopen(Path path, StandardStream... streams) throws IOException {
    Ownership.requireFixedPath(path);
    LogFile.at(path, streams).reopen();
  }

  /**
   * Opens the files again that the streams lead to; each of them, whatever becomes of the other.
   */
  synchronized void reopen() throws IOException {
    outdated = borrowed;
    boolean hasError = errorPath != null && !borrowed;
    IOException failure = null;
    if (outputPath != null) {
      failure =
          hasError && outputPath.equals(errorPath)
              ? failureOf(outputPath, StandardStream.OUTPUT, StandardStream.ERROR)
              : failureOf(outputPath, StandardStream.OUTPUT);
    }
    if (errorPath != null && hasError && !errorPath.equals(outputPath)) {
      IOException second = failureOf(errorPath, StandardStream.ERROR);
      failure = second == null ? failure : Cleanup.first(failure, second);
    }
    if (failure != null) {
      throw failure;
    }
  }

  private static @Nullable IOException failureOf(Path path, StandardStream... streams) {
    try {
      reopen(path, streams);
      return null;
    } catch (IOException failure) {
      return failure;
    }
  }

  /** Closes what the streams lead to; until then the files may still be given to a user. */
  void close() throws IOException {
    try (outputFile) {
      if (errorFile != null) {
        errorFile.close();
      }
    }
  }

  // The stream is not closed: the descriptor is the process's.
  @SuppressWarnings("resource")
  private static void print(byte[] text) throws IOException {
    new FileOutputStream(FileDescriptor.err).write(text);
  }
}
