package dev.daimon.daemon.streams;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.handover.Handover;
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

/** The daemon's standard output and error: where they lead, and how they are reopened. */
public final class Streams {
  private final @Nullable CapturedStream output;
  private final @Nullable CapturedStream error;

  /** Whether standard output is kept in memory, and does not lead to the null device yet. */
  private boolean outputKept;

  /** Whether standard error does not lead to its own file yet. */
  private boolean temporary;

  private final @Nullable MemoryFile memory;
  private final @Nullable Descriptor outputFile;
  private final @Nullable Descriptor errorFile;

  /** The paths of the files to reopen; null for none. */
  private final @Nullable Path outputPath;

  private final @Nullable Path errorPath;

  /** Whether standard error's file was to be reopened before standard error led to it. */
  private boolean outdated;

  private Streams(
      @Nullable CapturedStream output,
      @Nullable CapturedStream error,
      boolean outputKept,
      boolean temporary,
      @Nullable MemoryFile memory,
      @Nullable Descriptor outputFile,
      @Nullable Descriptor errorFile,
      @Nullable Path outputPath,
      @Nullable Path errorPath) {
    this.output = output;
    this.error = error;
    this.outputKept = outputKept;
    this.temporary = temporary;
    this.memory = memory;
    this.outputFile = outputFile;
    this.errorFile = errorFile;
    this.outputPath = outputPath;
    this.errorPath = errorPath;
  }

  /** Returns the streams of a daemon, which its launcher has opened. */
  public static Streams inDaemon(Settings settings, Handover handover) throws IOException {
    Descriptor early = handover.earlyErrors;
    MemoryFile memory = early == null ? null : MemoryFile.adopt(early);
    if (settings.captureOutput) {
      return captured(memory);
    }
    return new Streams(
        null,
        null,
        settings.standardOutput == null,
        memory != null || settings.inheritStandardErrorUntilReady,
        memory,
        null,
        handover.standardError,
        settings.standardOutput,
        settings.standardError);
  }

  /**
   * Returns the streams of a process in the foreground. They change only if they are set, and not
   * if one of them cannot be changed.
   */
  public static Streams inForeground(Settings settings, DaemonFiles files) throws IOException {
    try (Descriptor before = StandardStream.OUTPUT.duplicate()) {
      try {
        return settings.captureOutput ? captured(null) : redirected(settings, files);
      } catch (IOException | RuntimeException | Error failure) {
        // Standard error is the last one, so it has not changed.
        if (before != null) {
          Cleanup.close(() -> StandardStream.OUTPUT.redirect(before), failure);
        }
        throw failure;
      }
    }
  }

  private static Streams redirected(Settings settings, DaemonFiles files) throws IOException {
    if (files.standardOutput() != null) {
      StandardStream.OUTPUT.redirect(files.standardOutput());
    }
    boolean later = settings.inheritStandardErrorUntilReady && files.standardError() != null;
    if (files.standardError() != null && !later) {
      StandardStream.ERROR.redirect(files.standardError());
    }
    return new Streams(
        null,
        null,
        false,
        later,
        null,
        files.standardOutput(),
        files.standardError(),
        settings.standardOutput,
        settings.standardError);
  }

  /** Returns streams that stay as they are. */
  public static Streams untouched() {
    return new Streams(null, null, false, false, null, null, null, null, null);
  }

  private static Streams captured(@Nullable MemoryFile early) throws IOException {
    CapturedStream output = CapturedStream.begin(StandardStream.OUTPUT, System.out.charset(), null);
    CapturedStream error = CapturedStream.begin(StandardStream.ERROR, System.err.charset(), early);
    return new Streams(output, error, false, false, null, null, null, null, null);
  }

  /** Returns captured standard output; null if it is not captured. */
  public @Nullable CapturedStream output() {
    return output;
  }

  /** Returns captured standard error; null if it is not captured. */
  public @Nullable CapturedStream error() {
    return error;
  }

  /**
   * Redirects both streams to where they lead from now on, since the daemon is ready: not before,
   * because of a start that fails the launcher shows what was kept.
   */
  public synchronized void release() throws IOException {
    if (outputKept) {
      outputKept = false;
      StandardStream.OUTPUT.discard();
    }
    releaseStandardError();
  }

  /** Redirects standard error to its own file, and writes there what was kept in memory so far. */
  public synchronized void releaseStandardError() throws IOException {
    if (error != null) {
      error.release();
    }
    if (!temporary) {
      return;
    }
    temporary = false;
    if (errorFile == null) {
      StandardStream.ERROR.discard();
    } else {
      StandardStream.ERROR.redirect(errorFile);
    }
    if (memory != null) {
      // After the redirection, because until then other threads have printed there.
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

  /** Reopens a file, by the same rules as at the start: nobody can redirect root to another. */
  private static void reopen(Path path, StandardStream... streams) throws IOException {
    Ownership.requireFixedPath(path);
    LogFile.at(path, streams).reopen();
  }

  /** Reopens the files that the streams lead to; one that fails does not keep the other from it. */
  public synchronized void reopen() throws IOException {
    outdated = temporary;
    boolean hasError = errorPath != null && !temporary;
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

  /** Closes the files' own descriptors, which are needed until the files have their owner. */
  public void close() throws IOException {
    try (outputFile) {
      if (errorFile != null) {
        errorFile.close();
      }
    }
  }

  // The stream is not closed, because the descriptor is the process' standard error.
  @SuppressWarnings("resource")
  private static void print(byte[] text) throws IOException {
    new FileOutputStream(FileDescriptor.err).write(text);
  }
}
