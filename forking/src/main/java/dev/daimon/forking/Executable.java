package dev.daimon.forking;

import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.VisibleText;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds a program as a shell does, and checks that it can be executed, before anything is changed
 * for its start.
 *
 * <p>The checks use the calling thread's effective ids; before Linux 5.8, and where a system call
 * filter refuses {@code faccessat2}, its real ones. Race: the file may be changed after the check,
 * so the {@code execve} itself may still fail.
 */
public final class Executable {
  /** The directories that {@code execvp} searches if {@code PATH} is not set. */
  private static final String DEFAULT_PATH = "/bin:/usr/bin";

  /** How many bytes of a {@code #!} line the kernel reads. */
  private static final int HEAD = 256;

  /** How many interpreters of interpreters the kernel follows, not counting an ELF file's. */
  private static final int MAX_INTERPRETERS = 5;

  private static final int ELF_INTERPRETER = 3;

  /** The largest table of program headers that the kernel reads, in bytes. */
  private static final int MAX_ELF_TABLE = 65_536;

  /** The longest name of an interpreter that the kernel reads, in bytes. */
  private static final int MAX_ELF_NAME = 4_096;

  private Executable() {}

  /**
   * Finds a program as {@code execvp} does, and checks that it can be executed.
   *
   * @param name the program's name; a name with a slash is a path and is not searched
   * @param searchPath the value of {@code PATH}; null for the system's default
   * @param directory the directory that relative paths, and relative entries of {@code PATH}, count
   *     from
   * @return the absolute path of a program that {@link #check} accepts
   * @throws NotExecutableException if there is no such program, or it cannot be executed
   * @throws IllegalArgumentException if the name or the search path holds a NUL byte
   */
  public static Path find(byte[] name, byte @Nullable [] searchPath, Path directory)
      throws NotExecutableException {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(directory, "directory");
    String wanted = latin1(name);
    if (wanted.indexOf('/') >= 0) {
      Path path = path(wanted, directory);
      check(path, name);
      return path;
    }
    if (wanted.isEmpty()) {
      throw new NotExecutableException("\"\"", "an empty program name");
    }
    String entries = searchPath == null ? DEFAULT_PATH : latin1(searchPath);
    @Nullable Path denied = null;
    @Nullable Path hidden = null;
    @Nullable String broken = null;
    for (int start = 0; start <= entries.length(); ) {
      int colon = entries.indexOf(':', start);
      int end = colon < 0 ? entries.length() : colon;
      Path path = path(entries.substring(start, end) + "/" + wanted, directory, start == end);
      start = end + 1;
      byte[] bytes = NativePath.bytes(path);
      FileStatus status = new FileStatus();
      int error = Files.stat(bytes, status);
      if (error == 0 && status.isRegularFile() && Files.eaccess(bytes, Files.X_OK) == 0) {
        String problem = problem(bytes, MAX_INTERPRETERS);
        if (problem == null) {
          return path;
        }
        // As execvp, which goes on where an interpreter is missing or may not be executed.
        broken = broken == null ? problem : broken;
        continue;
      }
      if (error == 0) {
        denied = denied == null ? path : denied;
      } else if (error == -Errno.EACCES.number()) {
        hidden = hidden == null ? path : hidden;
      }
    }
    String reason = "not found in PATH";
    if (broken != null) {
      reason = broken;
    } else if (denied != null) {
      reason = "no permission to execute " + denied;
    } else if (hidden != null) {
      reason += ", with no permission to look for " + hidden;
    }
    throw new NotExecutableException(text(name), reason);
  }

  /**
   * Checks that a program can be executed: it is a regular file, the caller has permission to
   * execute it, and so it is with the interpreter, if the file names one.
   *
   * @param program an absolute path
   * @throws NotExecutableException if it cannot be executed
   */
  public static void check(Path program) throws NotExecutableException {
    Objects.requireNonNull(program, "program");
    check(program, NativePath.bytes(program));
  }

  private static void check(Path program, byte[] name) throws NotExecutableException {
    String problem = problem(NativePath.bytes(program), MAX_INTERPRETERS);
    if (problem != null) {
      throw new NotExecutableException(text(name), problem);
    }
  }

  /** Returns why a program, or the interpreter that it names, cannot be executed; or null. */
  private static @Nullable String problem(byte[] path, int depth) {
    String problem = fileProblem(path);
    if (problem != null) {
      return problem;
    }
    int fd = Files.open(path, Files.O_RDONLY | Files.O_CLOEXEC | Files.O_NONBLOCK, 0);
    if (fd < 0) {
      // Executable but not readable, or no descriptor is left: the kernel will read what is in it.
      return null;
    }
    boolean script;
    byte @Nullable [] interpreter;
    try {
      byte[] head = new byte[HEAD];
      int length = Files.pread(fd, head, 0);
      script = head[0] == '#' && head[1] == '!';
      interpreter = script ? scriptInterpreter(head) : elfInterpreter(fd, head, length);
    } finally {
      Files.close(fd);
    }
    if (interpreter == null || (interpreter.length > 0 && interpreter[0] != '/')) {
      return null;
    }
    if (!script) {
      problem = fileProblem(interpreter);
    } else if (depth == 0) {
      return "too many interpreters of interpreters";
    } else {
      problem = problem(interpreter, depth - 1);
    }
    return problem == null
        ? null
        : "its interpreter " + VisibleText.line(text(interpreter)) + ": " + problem;
  }

  /** Returns why a file cannot be executed, apart from its content; or null. */
  private static @Nullable String fileProblem(byte[] path) {
    FileStatus status = new FileStatus();
    int error = Files.stat(path, status);
    if (error < 0) {
      return Errno.of(-error).toString();
    }
    if (!status.isRegularFile()) {
      return status.isDirectory() ? "is a directory" : "is not a regular file";
    }
    error = Files.eaccess(path, Files.X_OK);
    return error < 0 ? "no permission to execute it: " + Errno.of(-error) : null;
  }

  /**
   * Returns the interpreter of a script as the kernel reads it, which may be empty. Null if there
   * is none, or if the line is too long for the kernel, so that a shell runs the script.
   */
  private static byte @Nullable [] scriptInterpreter(byte[] head) {
    int start = 2;
    while (start < HEAD && (head[start] == ' ' || head[start] == '\t')) {
      start++;
    }
    int end = start;
    while (end < HEAD && " \t\n\0".indexOf(head[end]) < 0) {
      end++;
    }
    return end == HEAD || head[start] == '\n' ? null : Arrays.copyOfRange(head, start, end);
  }

  /**
   * Returns the interpreter that an ELF file names, which loads it. Null if it names none, or if
   * the kernel would not read its headers.
   *
   * @see <a href="https://man7.org/linux/man-pages/man5/elf.5.html">elf(5)</a>
   */
  private static byte @Nullable [] elfInterpreter(int fd, byte[] head, int length) {
    if (length < 64 || head[0] != 0x7f || head[1] != 'E' || head[2] != 'L' || head[3] != 'F') {
      return null;
    }
    boolean wide = head[4] == 2;
    ByteBuffer header =
        ByteBuffer.wrap(head).order(head[5] == 2 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    long table = wide ? header.getLong(32) : Integer.toUnsignedLong(header.getInt(28));
    int size = Short.toUnsignedInt(header.getShort(wide ? 54 : 42));
    int count = Short.toUnsignedInt(header.getShort(wide ? 56 : 44));
    if (size != (wide ? 56 : 32) || size * count > MAX_ELF_TABLE) {
      return null;
    }
    byte[] bytes = new byte[size];
    ByteBuffer entry = ByteBuffer.wrap(bytes).order(header.order());
    for (int i = 0; i < count && Files.pread(fd, bytes, table + (long) i * size) == size; i++) {
      if (entry.getInt(0) == ELF_INTERPRETER) {
        long offset = wide ? entry.getLong(8) : Integer.toUnsignedLong(entry.getInt(4));
        long nameSize = wide ? entry.getLong(32) : Integer.toUnsignedLong(entry.getInt(16));
        return nameSize < 2 || nameSize > MAX_ELF_NAME
            ? null
            : elfName(fd, offset, new byte[(int) nameSize]);
      }
    }
    return null;
  }

  private static byte @Nullable [] elfName(int fd, long offset, byte[] name) {
    if (Files.pread(fd, name, offset) != name.length || name[name.length - 1] != 0) {
      return null;
    }
    int end = 0;
    while (name[end] != 0) {
      end++;
    }
    return Arrays.copyOf(name, end);
  }

  private static Path path(String latin1, Path directory, boolean entryIsEmpty) {
    return path(entryIsEmpty ? latin1.substring(1) : latin1, directory);
  }

  private static Path path(String latin1, Path directory) {
    String absolute =
        latin1.startsWith("/") ? latin1 : latin1(NativePath.bytes(directory)) + "/" + latin1;
    return NativePath.of(absolute.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
