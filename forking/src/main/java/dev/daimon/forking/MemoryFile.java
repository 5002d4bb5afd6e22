package dev.daimon.forking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Files;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * A file in memory, for the output of a program that another process may read later.
 *
 * <p>The file has no path and is gone with its last descriptor. It cannot grow: if a program writes
 * more than fits, the rest is lost and the write fails with {@code EPERM}. (If a part of one {@code
 * write} fits, Linux 6.18 writes that part, and older kernels write nothing.) Several processes and
 * threads may write to it without losing anything: each write goes to the end of the last one. It
 * cannot be emptied either: where it is a program's standard output, a shell's {@code
 * >/dev/stdout}, which opens it anew and empties it, fails with {@code EPERM}; {@code >&1} works.
 * The content should be text: it ends at the first NUL.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/memfd_create.2.html">memfd_create(2)</a>
 */
public final class MemoryFile implements AutoCloseable {
  private final Descriptor descriptor;

  private MemoryFile(Descriptor descriptor) {
    this.descriptor = descriptor;
  }

  /**
   * Makes an empty file.
   *
   * @param name the name that {@code /proc} shows, up to 249 bytes
   * @param capacity how many bytes the file holds at most
   * @return the file, to be closed by the caller
   * @throws PosixException if there is no memory or no descriptor left
   */
  public static MemoryFile create(String name, int capacity) throws PosixException {
    Objects.requireNonNull(name, "name");
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int flags = Files.MFD_CLOEXEC | Files.MFD_ALLOW_SEALING;
    int number = PosixException.check(Files.memfdCreate(bytes, flags), "memfd_create", name);
    try (Descriptor file = Descriptor.adopt(number)) {
      PosixException.check(Files.ftruncate(number, capacity), "ftruncate", name);
      // Who empties it could write nothing any more, since it must not grow.
      int seals = Files.F_SEAL_GROW | Files.F_SEAL_SHRINK;
      PosixException.check(
          Files.fcntl(number, Files.F_ADD_SEALS, seals), "fcntl F_ADD_SEALS", name);
      // The kernel moves this open file's position without a lock, so two simultaneous writes could
      // overwrite each other. Only an open file that open(2) has made is safe.
      String path = "/proc/self/fd/" + file.number();
      int again =
          Files.open(path.getBytes(StandardCharsets.US_ASCII), Files.O_RDWR | Files.O_CLOEXEC, 0);
      return new MemoryFile(Descriptor.adopt(PosixException.check(again, "open", path)));
    }
  }

  /**
   * Takes ownership of a file that another process has made, and this one has inherited.
   *
   * @param descriptor the open file
   * @return the file, which owns the descriptor from now on
   */
  public static MemoryFile adopt(Descriptor descriptor) {
    Objects.requireNonNull(descriptor, "descriptor");
    return new MemoryFile(descriptor);
  }

  /** {@return the open file, for programs to inherit; they share its position} */
  public Descriptor descriptor() {
    return descriptor;
  }

  /**
   * Returns what has been written so far.
   *
   * @return the bytes before the first NUL
   * @throws PosixException if it cannot be read
   */
  public byte[] content() throws PosixException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    byte[] part = new byte[8192];
    while (true) {
      int count =
          PosixException.check(
              Files.pread(descriptor.number(), part, content.size()), "pread", descriptor);
      int length = 0;
      while (length < count && part[length] != 0) {
        length++;
      }
      content.write(part, 0, length);
      if (length < part.length) {
        return content.toByteArray();
      }
    }
  }

  /**
   * Writes at the shared position: after the last write of any process that has it open.
   *
   * @param bytes text
   * @throws PosixException {@code EPERM} if not all of it fits; the rest is lost
   */
  public void write(byte[] bytes) throws PosixException {
    Objects.requireNonNull(bytes, "bytes");
    int written = 0;
    int size = bytes.length;
    while (written < bytes.length) {
      int end = Math.min(written + size, bytes.length);
      int result = Files.write(descriptor.number(), Arrays.copyOfRange(bytes, written, end));
      if (result == -Errno.EPERM.number() && size > 1) {
        // Older kernels refuse the whole write if a part does not fit.
        size /= 2;
        continue;
      }
      written += PosixException.check(result, "write", descriptor);
    }
  }

  @Override
  public void close() throws PosixException {
    descriptor.close();
  }
}
