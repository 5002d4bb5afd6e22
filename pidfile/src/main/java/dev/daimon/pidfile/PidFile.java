package dev.daimon.pidfile;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.NewFile;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.TemporaryFile;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.PidText;
import dev.daimon.posix.call.PidText.Defect;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * A pidfile: a file that holds the id of a daemon's process in decimal digits, and a line feed.
 *
 * <p>A pidfile says which process was started, not that it still runs: the kernel reuses process
 * ids. Only a lock on the file shows that the daemon runs. Do not write to a locked pidfile with
 * this class: the new file replaces the old one, and does not have its lock.
 *
 * <p>Several threads and processes may use a pidfile at the same time; each method documents the
 * races that remain.
 */
public final class PidFile {
  /** The highest process id of Linux, {@code PID_MAX_LIMIT}. */
  public static final int MAX_PID = PidText.MAX_PID;

  /** How often a file is read until two reads in a row agree. */
  private static final int READS = 1000;

  private final Path path;
  private final byte[] bytes;

  private PidFile(Path path) {
    this.path = path;
    this.bytes = NativePath.bytes(path);
  }

  /**
   * Returns the pidfile at a path. This opens nothing, and the file need not exist.
   *
   * @param path the file's path; a relative one is resolved against the working directory in which
   *     the JVM was started
   * @return the pidfile at that path
   */
  public static PidFile at(Path path) {
    Objects.requireNonNull(path, "path");
    return new PidFile(path);
  }

  /** {@return the path, as given} */
  public Path path() {
    return path;
  }

  /**
   * Reads the process id on the first line. Further lines are ignored, since some daemons write
   * more than their id (sendmail, PostgreSQL); {@link #readSole} refuses them.
   *
   * <p>The id may have ASCII white space around it, and leading zeros. The method refuses
   * everything else: an empty file, a sign, zero, a number over {@value #MAX_PID}, a second word on
   * the line, any other byte, a line that does not end within 64 bytes, and a file that is not a
   * regular one. It follows a symbolic link. It never blocks, not even on a FIFO.
   *
   * <p>Race: another process may write to the file in place at the same time. One {@code read} can
   * then see the new digits with the old length, so the method reads until two reads in a row
   * agree.
   *
   * @return the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if the file cannot be opened or read ({@code ENOENT}, {@code EACCES} and
   *     so on)
   * @throws MalformedPidFileException if the file does not hold one process id, or keeps changing
   */
  public long read() throws PosixException, MalformedPidFileException {
    int flags = Files.O_RDONLY | Files.O_NONBLOCK | Files.O_NOCTTY | Files.O_CLOEXEC;
    int number = PosixException.check(Files.open(bytes, flags, 0), "open", path);
    try (Descriptor file = Descriptor.adopt(number)) {
      return read(file);
    }
  }

  /**
   * Reads the process id as {@link #read()} does, from a file that the caller has opened. Whatever
   * else the caller learns through the descriptor is then about the same file, even if the path
   * names another one by now.
   *
   * @param file the pidfile, open for reading; it stays open
   * @return the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if the file cannot be read
   * @throws MalformedPidFileException if the file does not hold one process id, or keeps changing
   * @throws IllegalStateException if the descriptor is closed
   */
  public long read(Descriptor file) throws PosixException, MalformedPidFileException {
    Objects.requireNonNull(file, "file");
    return read(file, /* sole= */ false);
  }

  /**
   * Reads the process id as {@link #read(Descriptor)} does, and refuses a file that has further
   * lines. Use this before you overwrite or remove a pidfile that another program may have written.
   *
   * @param file the pidfile, open for reading; it stays open
   * @return the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if the file cannot be read
   * @throws MalformedPidFileException as {@link #read(Descriptor)}, and if there are further lines
   * @throws IllegalStateException if the descriptor is closed
   */
  public long readSole(Descriptor file) throws PosixException, MalformedPidFileException {
    Objects.requireNonNull(file, "file");
    return read(file, /* sole= */ true);
  }

  private long read(Descriptor file, boolean sole)
      throws PosixException, MalformedPidFileException {
    PidText text = PidText.parse(stableContent(file), sole);
    Defect defect = text.defect();
    if (defect != null) {
      throw new MalformedPidFileException(path, defect.words(), defect == Defect.EMPTY);
    }
    return text.pid();
  }

  private byte[] stableContent(Descriptor file) throws PosixException, MalformedPidFileException {
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(file.number(), status), "fstat", path);
    if (!status.isRegularFile()) {
      throw new MalformedPidFileException(path, "is not a regular file", /* empty= */ false);
    }
    byte[] content = content(file);
    for (int reads = 1; reads < READS; reads++) {
      byte[] again = content(file);
      if (Arrays.equals(content, again)) {
        return content;
      }
      content = again;
    }
    throw new MalformedPidFileException(path, "changes all the time", /* empty= */ false);
  }

  private byte[] content(Descriptor file) throws PosixException {
    byte[] buffer = new byte[PidText.MAX_LINE + 1];
    int length = PosixException.check(Files.pread(file.number(), buffer, 0), "read", path);
    return Arrays.copyOf(buffer, length);
  }

  /**
   * Writes the process id, and replaces the file atomically: whoever opens it finds the old content
   * or the new one, complete. This is the same as {@link #prepare()} and {@link
   * Pending#commit(long)}.
   *
   * <p>The new file has the mode 0644 less the umask, but 0600 at least, and belongs to the writer.
   * A symbolic link is itself replaced; the file that it leads to stays as it was. If the method
   * fails, nothing has changed.
   *
   * <p>Race: of two writers the later one wins, and neither notices.
   *
   * @param pid the process id, from 1 to {@value #MAX_PID}
   * @throws PosixException if the directory cannot be written to ({@code EACCES}, {@code ENOENT},
   *     {@code ENOSPC} and so on), or as {@link Pending#commit(long)}
   * @throws IllegalArgumentException if the number cannot be a process id
   */
  public void write(long pid) throws PosixException {
    byte[] line = PidText.encode(pid);
    try (Pending pending = prepare()) {
      pending.commit(line);
    }
  }

  /**
   * Prepares a write, so that a full disk or a missing permission is found before the process is
   * started. This makes a temporary file beside the pidfile, and reserves space in it. What is at
   * the path itself is judged by {@link Pending#commit(long)}: it may be a directory, or another
   * user's file in a sticky directory.
   *
   * @return the prepared write, which takes the process id; to be closed by the caller
   * @throws PosixException if the directory cannot be written to ({@code EACCES}, {@code ENOENT}
   *     and so on), or no space is left ({@code ENOSPC}, {@code EDQUOT})
   */
  public Pending prepare() throws PosixException {
    Pending pending = new Pending(path, TemporaryFile.beside(path, 0644));
    try {
      NewFile.openToOwner(pending.descriptor(), path);
      pending.reserve();
    } catch (PosixException failure) {
      Cleanup.close(pending, failure);
      throw failure;
    }
    return pending;
  }

  /**
   * Removes the file, whatever it holds. Of a symbolic link this removes the link.
   *
   * <p>Race: another process may have written its id since the file was last read, and then loses
   * its pidfile. Only the holder of a lock on the file can rule this out.
   *
   * @return whether there was a file
   * @throws PosixException if the file exists and cannot be removed ({@code EACCES}, {@code EISDIR}
   *     and so on)
   */
  public boolean remove() throws PosixException {
    int result = Files.unlink(bytes);
    if (result == -Errno.ENOENT.number() || result == -Errno.ENOTDIR.number()) {
      return false;
    }
    PosixException.check(result, "unlink", path);
    return true;
  }

  /**
   * A prepared write: a temporary file that {@link #commit(long)} turns into the pidfile. {@link
   * #close()} removes it if it was not committed. For one thread at a time.
   *
   * <p>A process that is killed before that leaves the {@linkplain TemporaryFile temporary file}
   * behind, under the name {@code .daimon-new-PID-NUMBER}.
   */
  public static final class Pending implements AutoCloseable {
    private final Path target;
    private final TemporaryFile temporary;

    private Pending(Path target, TemporaryFile temporary) {
      this.target = target;
      this.temporary = temporary;
    }

    private void reserve() throws PosixException {
      PosixException.check(PidText.reserve(descriptor().number()), "fallocate", target);
    }

    /** {@return the temporary file, open for writing; it stays owned by this object} */
    public Descriptor descriptor() {
      return temporary.descriptor();
    }

    /**
     * Writes the process id, and renames the temporary file to the pidfile's name, atomically. If
     * this fails the pidfile is as it was; then only {@link #close()} is left to do.
     *
     * @param pid the process id, from 1 to {@value PidFile#MAX_PID}
     * @throws PosixException if it cannot be written, or the path is a directory ({@code EISDIR},
     *     {@code EBUSY}), a name that is too long ({@code ENAMETOOLONG}), or a file that this user
     *     may not replace ({@code EPERM})
     * @throws IllegalArgumentException if the number cannot be a process id; nothing has happened
     * @throws IllegalStateException if this object was committed or closed before
     */
    public void commit(long pid) throws PosixException {
      commit(PidText.encode(pid));
    }

    private void commit(byte[] line) throws PosixException {
      int number = descriptor().number();
      PosixException.check(Files.pwriteAll(number, line, 0, 0), "write", target);
      temporary.commit();
    }

    /**
     * Removes the temporary file, unless it was committed. A second call does nothing.
     *
     * @throws PosixException if it cannot be removed
     */
    @Override
    public void close() throws PosixException {
      temporary.close();
    }
  }
}
