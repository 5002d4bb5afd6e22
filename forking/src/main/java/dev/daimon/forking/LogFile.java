package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * The log file that standard streams lead to, opened again in place when a rotation has renamed it.
 *
 * <p>The streams keep their numbers, so all of this process goes on in the new file, Java and
 * native code alike, and so does what it starts from then on. Nothing is lost and nothing is torn:
 * what is written by one system call is in one of the two files as a whole, and so is what Java
 * prints by one call. Children that have inherited the streams before go on in the old file: its
 * rotation has to wait for them ({@code delaycompress} of logrotate).
 *
 * <p>Safe for use by several threads.
 *
 * @see <a href="https://man7.org/linux/man-pages/man8/logrotate.8.html">logrotate(8)</a>
 */
public final class LogFile {
  /** The lowest number that is no standard stream's. */
  private static final int ABOVE_STREAMS = 3;

  private final Path path;
  private final List<StandardStream> streams;

  private LogFile(Path path, List<StandardStream> streams) {
    this.path = path;
    this.streams = streams;
  }

  /**
   * The log file at this path; nothing is done yet.
   *
   * @param path the file, by an absolute path in a process that changes its directory
   * @param streams the streams that lead there, or are to
   * @return the log file
   */
  public static LogFile at(Path path, StandardStream... streams) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(streams, "streams");
    return new LogFile(path, List.of(streams));
  }

  /**
   * Opens the file that is at the path by now, as {@link OutputFile#open} does, and lets the
   * streams lead there. It is created if there is none, by the user that this process is by now and
   * with its umask; one that logrotate has created for that user ({@code create}) will do in a
   * directory that is not the user's. The file of another user is refused, as {@link
   * OutputFile#requireOwner(long)} does.
   *
   * @throws IOException as {@link OutputFile#open}; the streams then lead where they did before
   * @see <a href="https://man7.org/linux/man-pages/man2/dup2.2.html">dup2(2)</a>
   */
  public synchronized void reopen() throws IOException {
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

  /** A stream that was closed has left its number to the file, marked close-on-exec. */
  private static Descriptor aboveStreams(OutputFile file) throws PosixException {
    if (file.descriptor().number() >= ABOVE_STREAMS) {
      return file.descriptor();
    }
    try (file) {
      return file.descriptor().duplicate();
    }
  }
}
