package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * A log file that standard streams write to, and that can be reopened after a log rotation has
 * renamed it.
 *
 * <p>The streams keep their descriptor numbers, so after {@link #reopen()} all code of this process
 * writes to the new file, Java and native code alike, and so do the programs that it starts from
 * then on. No output is lost or split: the output of one system call, or of one {@code print} of
 * Java's, is in one of the two files as a whole. Children that inherited the streams before still
 * write to the old file, so do not compress it at once ({@code delaycompress} of logrotate).
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man8/logrotate.8.html">logrotate(8)</a>
 */
public final class LogFile {
  private final Path path;
  private final List<StandardStream> streams;

  private LogFile(Path path, List<StandardStream> streams) {
    this.path = path;
    this.streams = streams;
  }

  /**
   * Returns the log file at this path. Nothing is opened yet.
   *
   * @param path the file; absolute, if the process changes its working directory
   * @param streams the streams that {@link #reopen()} redirects to it
   * @return the log file
   */
  public static LogFile at(Path path, StandardStream... streams) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(streams, "streams");
    for (StandardStream stream : streams) {
      Objects.requireNonNull(stream, "streams");
    }
    return new LogFile(path, List.of(streams));
  }

  /**
   * Opens the file that is at the path now, as {@link OutputFile#open} does, and redirects the
   * streams to it.
   *
   * <p>A missing file is created, with this process's present user and umask. In a directory where
   * that user may not create files, let logrotate create the file ({@code create}). A file of
   * another user is refused, as {@link OutputFile#requireOwner(long)} does.
   *
   * @throws IOException as {@link OutputFile#open}; the streams are as before then
   * @see <a href="https://man7.org/linux/man-pages/man2/dup2.2.html">dup2(2)</a>
   */
  public synchronized void reopen() throws IOException {
    for (StandardStream stream : streams) {
      stream.requireNotJvms();
    }
    try (Descriptor file = aboveStreams(open())) {
      for (StandardStream stream : streams) {
        stream.redirect(file);
      }
    }
  }

  private OutputFile open() throws IOException {
    OutputFile file = OutputFile.open(path);
    try {
      file.requireOwner(-1);
      return file;
    } catch (IOException refused) {
      try (file) {
        throw refused;
      }
    }
  }

  /** Moves the file above the standard streams, if it got the number of a closed one. */
  private static Descriptor aboveStreams(OutputFile file) throws PosixException {
    if (file.descriptor().number() >= ProgramStreams.COUNT) {
      return file.descriptor();
    }
    try (file) {
      return file.descriptor().duplicate();
    }
  }
}
