package dev.daimon.cli;

import dev.daimon.control.StartRecord;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.TrustedFile;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The file that says what a daemon was started with: its process, in a comment, and the start as a
 * definition.
 *
 * @param process the process; null if the file was written in another boot, or for another PID
 *     namespace
 * @param definition all options, and the program by its path
 * @param foreground whether it was started by {@code run}, and so has its caller's output
 */
record StartedFile(@Nullable StartRecord process, Definition definition, boolean foreground) {
  private static final String BY_RUN = "# by run\n";
  private static final int FIRST_LINE = StartRecord.COMMENT.length() + StartRecord.LENGTH;

  /**
   * Reads a file.
   *
   * @param user the id of the user whose file is believed, besides root's
   * @return what the daemon was started with; null if there is no such file
   * @throws StartException if the file is not to be believed, cannot be read, or is no such file
   */
  static @Nullable StartedFile read(Path file, long user) {
    String content = DefinitionFile.content(file, user);
    if (content == null) {
      return null;
    }
    Definition definition = Definition.parse(content, DefinitionFile.name(file));
    try {
      return new StartedFile(
          StartRecord.ofComment(content).orElse(null),
          definition,
          content.startsWith(BY_RUN, FIRST_LINE + 1));
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** Writes the temporary file, before the process is started: with a blank in its place. */
  static TrustedFile.Pending prepare(Path file, Definition definition, boolean foreground) {
    byte[] first = firstLine();
    byte[] text = Text.bytes((foreground ? BY_RUN : "").concat(definition.text()));
    byte[] content = Arrays.copyOf(first, first.length + text.length);
    System.arraycopy(text, 0, content, first.length, text.length);
    try {
      return TrustedFile.prepare(file, DefinitionFile.requireReadable(content));
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /** A first line that names no process. */
  private static byte[] firstLine() {
    byte[] line = new byte[FIRST_LINE + 1];
    Arrays.fill(line, (byte) ' ');
    line[0] = '#';
    line[FIRST_LINE] = '\n';
    return line;
  }

  /** Writes the process into the temporary file. */
  static void complete(TrustedFile.Pending pending, long pid, Path pidFile) throws IOException {
    StartRecord process = StartRecord.of(pid, pidFile).orElse(null);
    if (process != null) {
      String line = new String(process.line(), StandardCharsets.ISO_8859_1).stripTrailing();
      write(pending, line);
    }
  }

  private static void write(TrustedFile.Pending pending, String line) throws PosixException {
    pending.write(Text.bytes(line), StartRecord.COMMENT.length());
  }
}
