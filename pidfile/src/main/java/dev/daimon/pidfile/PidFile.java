package dev.daimon.pidfile;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Processes;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * A file that names a running process: its id in decimal digits, and a line feed.
 *
 * <p>It says which process was started, not that it still runs: ids are reused. Liveness is a lock,
 * and a pidfile that is locked must not be written here, since the new file would not carry the
 * lock of the old one.
 *
 * <p>Safe for use by several threads and processes; the methods tell what races remain.
 */
public final class PidFile {
  /** The highest process id of Linux, {@code PID_MAX_LIMIT}. */
  public static final int MAX_PID = 4194304;

  /** Enough for every id and some white space; a longer first line is something else. */
  private static final int MAX_SIZE = 64;

  /** How often a file that changes while it is read is read again. */
  private static final int READS = 1000;

  /** How many names of temporary files are tried. */
  private static final int NAMES = 100;

  private final Path path;
  private final byte[] bytes;

  private PidFile(Path path) {
    this.path = path;
    this.bytes = NativePath.bytes(path);
  }

  /**
   * The pidfile of this path; nothing is opened yet.
   *
   * @param path where it is or shall be; a relative one counts from the JVM's working directory at
   *     its start
   * @return that pidfile
   */
  public static PidFile at(Path path) {
    Objects.requireNonNull(path, "path");
    return new PidFile(path);
  }

  /** {@return where it is or shall be, as given} */
  public Path path() {
    return path;
  }

  /**
   * Reads the process id on the first line. Further lines are ignored: some daemons write more than
   * their id (sendmail, PostgreSQL). {@link #readSole} refuses those.
   *
   * <p>White space of ASCII may surround the id, and zeros may lead it. Everything else is refused:
   * an empty file, a sign, zero, a number over {@value #MAX_PID}, a second word on the line, any
   * other byte, a line that does not end within 64 bytes, and whatever is no regular file. A
   * symbolic link is followed. Never waits, not even for a FIFO.
   *
   * <p>Race: somebody may write in place meanwhile. A single {@code read} can then meet the new
   * digits with the old length, so the content counts once two reads in a row agree.
   *
   * @return the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if it cannot be opened or read ({@code ENOENT}, {@code EACCES} and so
   *     on)
   * @throws MalformedPidFileException if it does not hold one process id, or never stops changing
   */
  public long read() throws PosixException, MalformedPidFileException {
    int flags = Files.O_RDONLY | Files.O_NONBLOCK | Files.O_NOCTTY | Files.O_CLOEXEC;
    int number = PosixException.check(Files.open(bytes, flags, 0), "open", path);
    try (Descriptor file = Descriptor.adopt(number)) {
      return read(file);
    }
  }

  /**
   * As {@link #read()}, of a file that is open already: what else is found out through the
   * descriptor is true of the same file, whatever the path leads to by now.
   *
   * @param file the open pidfile, readable; it stays open
   * @return the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if it cannot be read
   * @throws MalformedPidFileException if it does not hold one process id, or never stops changing
   * @throws IllegalStateException if the descriptor is closed
   */
  public long read(Descriptor file) throws PosixException, MalformedPidFileException {
    Objects.requireNonNull(file, "file");
    return parse(stableContent(file), /* sole= */ false);
  }

  /**
   * As {@link #read(Descriptor)}, and refuses a file that holds anything but the process id: for
   * one who is going to overwrite or remove it without being its daemon.
   *
   * @param file the open pidfile, readable; it stays open
   * @return the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if it cannot be read
   * @throws MalformedPidFileException as {@link #read(Descriptor)}, and if it has further lines
   * @throws IllegalStateException if the descriptor is closed
   */
  public long readSole(Descriptor file) throws PosixException, MalformedPidFileException {
    Objects.requireNonNull(file, "file");
    return parse(stableContent(file), /* sole= */ true);
  }

  private byte[] stableContent(Descriptor file) throws PosixException, MalformedPidFileException {
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(file.number(), status), "fstat", path);
    if (!status.isRegularFile()) {
      throw new MalformedPidFileException(path, "is not a regular file");
    }
    byte[] content = content(file);
    for (int reads = 1; reads < READS; reads++) {
      byte[] again = content(file);
      if (Arrays.equals(content, again)) {
        return content;
      }
      content = again;
    }
    throw new MalformedPidFileException(path, "changes all the time");
  }

  private byte[] content(Descriptor file) throws PosixException {
    byte[] buffer = new byte[MAX_SIZE + 1];
    int length = PosixException.check(Files.pread(file.number(), buffer, 0), "read", path);
    return Arrays.copyOf(buffer, length);
  }

  private int parse(byte[] content, boolean sole) throws MalformedPidFileException {
    int start = 0;
    while (start < content.length && isWhiteSpace(content[start])) {
      start++;
    }
    int line = start;
    while (line < content.length && content[line] != '\n') {
      line++;
    }
    int last = content.length;
    while (last > start && isWhiteSpace(content[last - 1])) {
      last--;
    }
    if (content.length > MAX_SIZE && line == content.length) {
      throw new MalformedPidFileException(
          path, "holds something else than a process id: a line of more than 64 bytes");
    }
    if (start == last && content.length <= MAX_SIZE) {
      throw new MalformedPidFileException(path, MalformedPidFileException.EMPTY);
    }
    int end = Math.min(line, last);
    while (end > start && isWhiteSpace(content[end - 1])) {
      end--;
    }
    int pid = 0;
    for (int i = start; i < end; i++) {
      int digit = content[i] - '0';
      if (digit < 0 || digit > 9) {
        throw new MalformedPidFileException(path, "holds something else than a process id");
      }
      // Stays over the limit, and never overflows.
      pid = Math.min(pid * 10 + digit, MAX_PID + 1);
    }
    if (pid == 0 || pid > MAX_PID) {
      throw new MalformedPidFileException(
          path, "holds a number that is no process id, since they go from 1 to " + MAX_PID);
    }
    if (sole && (line < last || content.length > MAX_SIZE)) {
      throw new MalformedPidFileException(path, "has further lines");
    }
    return pid;
  }

  private static boolean isWhiteSpace(byte b) {
    return b == ' ' || (b >= '\t' && b <= '\r');
  }

  /**
   * Writes the process id, atomically: whoever opens the file finds the old one or the new one,
   * whole. The same as {@link #prepare()} and {@link Pending#commit(long)}.
   *
   * <p>The new file has the mode 0644 less the umask, and belongs to the writer. A symbolic link is
   * replaced itself, what it leads to stays. If this fails, everything is as it was. Race: of two
   * writers the later one wins, and neither notices.
   *
   * @param pid the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if the directory cannot be written to ({@code EACCES}, {@code ENOENT},
   *     {@code ENOSPC} and so on), or the path is a directory ({@code EISDIR})
   * @throws IllegalArgumentException if the number cannot be a process id
   */
  public void write(long pid) throws PosixException {
    checkPid(pid);
    try (Pending pending = prepare()) {
      pending.commit(pid);
    }
  }

  /**
   * Makes ready to write, so that what can fail fails before the process is started: a temporary
   * file beside this one, with space reserved for the process id.
   *
   * @return what takes the process id; to be closed by the caller
   * @throws PosixException if the directory cannot be written to ({@code EACCES}, {@code ENOENT}
   *     and so on), or no space is left ({@code ENOSPC}, {@code EDQUOT})
   */
  public Pending prepare() throws PosixException {
    int flags = Files.O_WRONLY | Files.O_CREAT | Files.O_EXCL | Files.O_NOFOLLOW | Files.O_CLOEXEC;
    byte[] temporary = temporary();
    int number = Files.open(temporary, flags, 0644);
    for (int names = 1; number == -Errno.EEXIST.number() && names < NAMES; names++) {
      temporary = temporary();
      number = Files.open(temporary, flags, 0644);
    }
    PosixException.check(number, "open", path);
    Pending pending = new Pending(this, temporary, Descriptor.adopt(number));
    try {
      pending.reserve();
    } catch (PosixException failure) {
      Cleanup.close(pending, failure);
      throw failure;
    }
    return pending;
  }

  /** A name in the same directory, however long the file's own name is. */
  private byte[] temporary() {
    StringBuilder name = new StringBuilder(".daimon-");
    name.append(Processes.getpid()).append('-').append(Long.toHexString(System.nanoTime()));
    byte[] suffix = name.toString().getBytes(StandardCharsets.US_ASCII);
    int directory = bytes.length;
    while (bytes[directory - 1] != '/') {
      directory--;
    }
    byte[] result = Arrays.copyOf(bytes, directory + suffix.length);
    System.arraycopy(suffix, 0, result, directory, suffix.length);
    return result;
  }

  /**
   * Removes the file, whatever it holds; of a symbolic link the link.
   *
   * <p>Race: somebody may have written another process id since it was last read, and that is then
   * removed too. Only the holder of a lock on the file can rule this out.
   *
   * @return whether there was one
   * @throws PosixException if it is there and cannot be removed ({@code EACCES}, {@code EISDIR} and
   *     so on)
   */
  public boolean remove() throws PosixException {
    int result = Files.unlink(bytes);
    if (result == -Errno.ENOENT.number()) {
      return false;
    }
    PosixException.check(result, "unlink", path);
    return true;
  }

  private static void checkPid(long pid) {
    if (pid < 1 || pid > MAX_PID) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
  }

  /**
   * A pidfile in the making: a temporary file that becomes the pidfile with {@link #commit(long)},
   * and goes away without it. For one thread at a time.
   *
   * <p>A process that is killed in between leaves it behind, under the name {@code
   * .daimon-PID-NUMBER}.
   */
  public static final class Pending implements AutoCloseable {
    /** More than the longest process id, less than the smallest block. */
    private static final int RESERVED = 32;

    private final PidFile target;
    private final byte[] temporary;
    private final Descriptor descriptor;
    private boolean done;

    private Pending(PidFile target, byte[] temporary, Descriptor descriptor) {
      this.target = target;
      this.temporary = temporary;
      this.descriptor = descriptor;
    }

    private void reserve() throws PosixException {
      int result = Files.fallocate(descriptor.number(), Files.FALLOC_FL_KEEP_SIZE, 0, RESERVED);
      // Not every file system can reserve: there the write itself tells.
      if (result != -Errno.EOPNOTSUPP.number()) {
        PosixException.check(result, "fallocate", target.path);
      }
    }

    /** {@return the temporary file, open for writing; still owned by this object} */
    public Descriptor descriptor() {
      return descriptor;
    }

    /**
     * Writes the process id and puts the file in its place, atomically. If this fails the pidfile
     * is as it was, and {@link #close()} is all that is left to do.
     *
     * @param pid the process id, from 1 to {@value PidFile#MAX_PID}
     * @throws PosixException if it cannot be written, or the path is a directory ({@code EISDIR})
     * @throws IllegalArgumentException if the number cannot be a process id; then nothing happened
     * @throws IllegalStateException if it was committed or closed before
     */
    public void commit(long pid) throws PosixException {
      checkPid(pid);
      int number = descriptor.number();
      byte[] line = Long.toString(pid).concat("\n").getBytes(StandardCharsets.US_ASCII);
      int count = PosixException.check(Files.pwrite(number, line, 0), "write", target.path);
      if (count < line.length) {
        throw new PosixException("write", target.path.toString(), Errno.ENOSPC);
      }
      // Some file systems tell only now that there was no space.
      descriptor.close();
      PosixException.check(Files.rename(temporary, target.bytes), "rename", target.path);
      done = true;
    }

    /**
     * Removes the temporary file unless it was committed; a second call does nothing.
     *
     * @throws PosixException if it cannot be removed
     */
    @Override
    public void close() throws PosixException {
      if (!done) {
        done = true;
        try (descriptor) {
          PosixException.check(Files.unlink(temporary), "unlink", NativePath.of(temporary));
        }
      }
    }
  }
}
