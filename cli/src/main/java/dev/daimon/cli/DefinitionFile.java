package dev.daimon.cli;

import dev.daimon.posix.NativePath;
import dev.daimon.privileges.TrustedFile;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads and writes the files of definitions, which nobody else may have written. */
final class DefinitionFile {
  /** A definition that is longer is none: a list of arguments has at most some 100 KiB. */
  private static final int MAX_LENGTH = 1 << 20;

  private DefinitionFile() {}

  /**
   * Reads a file.
   *
   * @param user the id of the user whose file is believed, besides root's
   * @return the definition; null if there is no such file
   * @throws StartException if the file is not to be believed, cannot be read, or is no definition
   */
  static @Nullable Definition read(Path file, long user) {
    String content = content(file, user);
    return content == null ? null : Definition.parse(content, name(file));
  }

  /** The content of a file as {@link #read} reads it; null if there is none. */
  static @Nullable String content(Path file, long user) {
    try {
      Optional<byte[]> content = TrustedFile.read(file, user, MAX_LENGTH);
      return content.isEmpty() ? null : Text.ofBytes(content.get());
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /** The path for messages, in every locale. */
  static String name(Path file) {
    return Text.readable(Text.ofBytes(NativePath.bytes(file)));
  }

  /** Refuses to write what could not be read again; returns the content. */
  static byte[] requireReadable(byte[] content) {
    if (content.length > MAX_LENGTH) {
      throw new StartException(
          Reason.CONFIGURATION,
          "the options and the program's words are too long for a daemon with a name: what it is"
              + " started with would be "
              + content.length
              + " bytes, and may be "
              + MAX_LENGTH);
    }
    return content;
  }

  /**
   * Writes a definition to a temporary file, which {@link TrustedFile.Pending#commit} gives the
   * name.
   */
  static TrustedFile.Pending prepare(Path file, Definition definition) {
    try {
      return TrustedFile.prepare(file, requireReadable(Text.bytes(definition.text())));
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }
}
