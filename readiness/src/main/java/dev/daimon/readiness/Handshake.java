package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The file in memory that the launcher makes and the daemon inherits. It holds the daemon's process
 * id, the pipes that lead to the launcher, and the greeting: bytes that the launcher passes to the
 * daemon.
 *
 * <p>The daemon reads it without a native call: the first one of a JVM takes about as long as the
 * JVM's own start.
 */
final class Handshake {
  /** The name that {@code /proc} shows. */
  static final String NAME = "dev.daimon.readiness";

  /** Changes with the format. The process id and the version stay at their positions. */
  static final int VERSION = 1;

  /** The process id as long as the launcher has not named the daemon. */
  static final int NOBODY = 0;

  /** The permissions: nobody but the owner may open the file for writing. */
  private static final int MODE = 0644;

  private static final String LINK = "/memfd:" + NAME + " (deleted)";

  /** Position of the number and the inode of the pipe that the daemon reads from. */
  private static final int READ = 3 * Integer.BYTES;

  /** Position of the number and the inode of the pipe that the daemon writes to. */
  private static final int WRITE = READ + Integer.BYTES + Long.BYTES;

  /** Position of the greeting. */
  private static final int HEAD = WRITE + Integer.BYTES + Long.BYTES;

  /** The inodes of the files that this process itself has made, and not released. */
  private static final Set<Object> OWN = ConcurrentHashMap.newKeySet();

  private final int number;
  private final ByteBuffer content;

  private Handshake(int number, ByteBuffer content) {
    this.number = number;
    this.content = content;
  }

  /**
   * Makes the file, without a daemon's process id.
   *
   * @param read the descriptor that the daemon reads from
   * @param write the descriptor that the daemon writes to
   * @param text the greeting
   * @return the file, open for reading only, so that a process that inherits it cannot change it;
   *     to be closed by the caller
   */
  static Descriptor create(Descriptor read, Descriptor write, byte[] text) throws PosixException {
    ByteBuffer content = ByteBuffer.allocate(HEAD + text.length);
    content.putInt(NOBODY).putInt(NOBODY).putInt(VERSION);
    put(content, read);
    put(content, write);
    content.put(text);
    byte[] name = NAME.getBytes(StandardCharsets.US_ASCII);
    int number =
        PosixException.check(Files.memfdCreate(name, Files.MFD_CLOEXEC), "memfd_create", NAME);
    try (Descriptor file = Descriptor.adopt(number)) {
      // Before it has a content: no thread takes it for one that was inherited.
      OWN.add(inode(file));
      PosixException.check(Files.fchmod(number, MODE), "fchmod", NAME);
      write(file, content.array());
      return open(file, Files.O_RDONLY);
    }
  }

  /** The number of the file, as {@code "unix:ino"} of Java gives it. */
  private static Object inode(Descriptor file) throws PosixException {
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(file.number(), status), "fstat", NAME);
    return status.inode();
  }

  /** Has this process find a file that it has made itself, as if it were inherited. */
  static void forget(Descriptor made) throws PosixException {
    OWN.remove(inode(made));
  }

  /** Opens the file once more. */
  private static Descriptor open(Descriptor file, int flags) throws PosixException {
    byte[] path = path(file.number()).getBytes(StandardCharsets.US_ASCII);
    return Descriptor.adopt(
        PosixException.check(Files.open(path, flags | Files.O_CLOEXEC, 0), "open", NAME));
  }

  private static void put(ByteBuffer content, Descriptor pipe) throws PosixException {
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(pipe.number(), status), "fstat", pipe);
    content.putInt(pipe.number()).putLong(status.inode());
  }

  /** Writes the daemon's process id: twice, so that the daemon recognizes a partial write. */
  static void name(Descriptor file, long pid) throws PosixException {
    int number = (int) pid;
    try (Descriptor writable = open(file, Files.O_WRONLY)) {
      write(
          writable, ByteBuffer.allocate(2 * Integer.BYTES).putInt(number).putInt(~number).array());
    }
  }

  /**
   * Whether a process has the file open under the same number. Also true if the process cannot be
   * examined, or has ended.
   */
  static boolean isInheritedBy(long pid, Descriptor file) {
    String process;
    try {
      process = ProcDirectory.of(pid);
    } catch (PosixException hidden) {
      return true;
    }
    byte[] target = new byte[LINK.length() + 1];
    int length = readlink(process + "/fd/" + file.number(), target);
    boolean unknown = length < 0 && length != -Errno.ENOENT.number();
    if (unknown || (length > 0 && LINK.equals(text(target, length)))) {
      return true;
    }
    // In this order: a process that ends loses its program before its descriptors.
    return readlink(process + "/exe", target) < 0;
  }

  private static int readlink(String path, byte[] target) {
    return Files.readlink(path.getBytes(StandardCharsets.US_ASCII), target);
  }

  private static String text(byte[] target, int length) {
    return new String(target, 0, length, StandardCharsets.US_ASCII);
  }

  /** Writes at the beginning. A write to memory is complete or fails. */
  private static void write(Descriptor file, byte[] bytes) throws PosixException {
    PosixException.check(Files.pwrite(file.number(), bytes, 0), "pwrite", NAME);
  }

  /**
   * Reads an inherited file. Returns null if it is not a handshake, was made by this process
   * itself, was emptied, or may have been written by another user.
   *
   * @param user this process's user
   */
  static @Nullable Handshake in(int number, Integer user) throws IOException {
    return LINK.equals(link(number)) && isFrom(number, user) ? read(number) : null;
  }

  /** Whether another process made it, and nobody but this user and root can have written to it. */
  private static boolean isFrom(int number, Integer user) throws IOException {
    Path file = Path.of(path(number));
    Integer mode = Files.S_IFREG | MODE;
    return (OWN.isEmpty() || !OWN.contains(java.nio.file.Files.getAttribute(file, "unix:ino")))
        && user.equals(java.nio.file.Files.getAttribute(file, "unix:uid"))
        && mode.equals(java.nio.file.Files.getAttribute(file, "unix:mode"));
  }

  private static @Nullable Handshake read(int number) throws IOException {
    try (FileInputStream file = new FileInputStream(path(number))) {
      byte[] bytes = file.readAllBytes();
      return bytes.length < READ ? null : new Handshake(number, ByteBuffer.wrap(bytes));
    }
  }

  /** Empties the file, so that it is not found again. */
  void empty() throws IOException {
    // Opening truncates it.
    new FileOutputStream(path(number)).close();
  }

  /** Reads the file again. */
  @Nullable Handshake again() throws IOException {
    return read(number);
  }

  static String path(int number) {
    return "/proc/self/fd/" + number;
  }

  int number() {
    return number;
  }

  /** The daemon's process id, or {@link #NOBODY}. */
  int process() {
    int number = content.getInt(0);
    return content.getInt(Integer.BYTES) == ~number ? number : NOBODY;
  }

  boolean isOfThisVersion() {
    return content.getInt(2 * Integer.BYTES) == VERSION && content.capacity() >= HEAD;
  }

  /** The descriptor that the daemon reads from. */
  int readEnd() {
    return content.getInt(READ);
  }

  /** The descriptor that the daemon writes to. */
  int writeEnd() {
    return content.getInt(WRITE);
  }

  /** Whether both descriptors are still the pipes that the launcher made. */
  boolean hasItsPipes() throws IOException {
    return pipe(READ).equals(link(readEnd())) && pipe(WRITE).equals(link(writeEnd()));
  }

  /** Whether a descriptor is of one of the two pipes. */
  boolean isToItsPipes(int number) throws IOException {
    @Nullable String link = link(number);
    return pipe(READ).equals(link) || pipe(WRITE).equals(link);
  }

  private String pipe(int end) {
    return "pipe:[" + content.getLong(end + Integer.BYTES) + "]";
  }

  /** Returns the path that {@code /proc} shows of a descriptor; null if it is not open. */
  private static @Nullable String link(int number) throws IOException {
    try {
      return java.nio.file.Files.readSymbolicLink(Path.of(path(number))).toString();
    } catch (NoSuchFileException closed) {
      return null;
    }
  }

  /** The greeting. */
  byte[] text() {
    byte[] text = new byte[content.capacity() - HEAD];
    content.get(HEAD, text);
    return text;
  }
}
