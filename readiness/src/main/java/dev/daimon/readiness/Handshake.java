package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.Processes;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the launcher leaves for the daemon, in a file in memory that the daemon inherits: which
 * process it is for, which pipes lead to the launcher, and what that wants it to know.
 *
 * <p>The daemon reads it without a native call of its own: the first one of a JVM takes as long as
 * the JVM itself.
 */
final class Handshake {
  /** What {@code /proc} shows of the file. */
  static final String NAME = "dev.daimon.readiness";

  /** Changes with what is in the file; the process and the version stay where they are. */
  static final int VERSION = 1;

  /** Stands for a process that the launcher has not named yet. */
  static final int NOBODY = 0;

  /** Nobody but the owner may open it for writing. */
  private static final int MODE = 0644;

  private static final String LINK = "/memfd:" + NAME + " (deleted)";

  /** Where in the file an end's number and inode are, and where the text begins. */
  private static final int READ = 3 * Integer.BYTES;

  private static final int WRITE = READ + Integer.BYTES + Long.BYTES;
  private static final int HEAD = WRITE + Integer.BYTES + Long.BYTES;

  private final int number;
  private final ByteBuffer content;

  private Handshake(int number, ByteBuffer content) {
    this.number = number;
    this.content = content;
  }

  /**
   * Makes one that is for nobody yet.
   *
   * @param read where the daemon reads
   * @param write where the daemon writes
   * @param text what the daemon is to know
   * @return the file, open for reading: who inherits it cannot make another greeting of it; to be
   *     closed by the caller
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
      PosixException.check(Files.fchmod(number, MODE), "fchmod", NAME);
      write(file, content.array());
      return open(file, Files.O_RDONLY);
    }
  }

  /** Opens it once more. */
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

  /** Names the process that it is for: twice, so that a half of it is known for one. */
  static void name(Descriptor file, long pid) throws PosixException {
    int number = (int) pid;
    try (Descriptor writable = open(file, Files.O_WRONLY)) {
      write(
          writable, ByteBuffer.allocate(2 * Integer.BYTES).putInt(number).putInt(~number).array());
    }
  }

  /**
   * Whether a process has the file open under the same number; also true of one that cannot be
   * looked at, or has ended.
   */
  static boolean isInheritedBy(long pid, Descriptor file) {
    if (LINK.equals(link("/proc/" + pid + "/fd/" + file.number()))) {
      return true;
    }
    // In this order: a process that ends loses its program before its descriptors.
    boolean runs = link("/proc/" + pid + "/exe") != null;
    boolean sameNamespace = Integer.toString(Processes.getpid()).equals(link("/proc/self"));
    return !runs || !sameNamespace;
  }

  private static @Nullable String link(String path) {
    byte[] target = new byte[256];
    int length = Files.readlink(path.getBytes(StandardCharsets.US_ASCII), target);
    return length < 0 ? null : new String(target, 0, length, StandardCharsets.US_ASCII);
  }

  /** At the beginning; memory takes all of it or fails. */
  private static void write(Descriptor file, byte[] bytes) throws PosixException {
    PosixException.check(Files.pwrite(file.number(), bytes, 0), "pwrite", NAME);
  }

  /**
   * What is in an inherited file; null if that is no greeting, was taken out, or may be another
   * user's word.
   *
   * @param user this process's user
   */
  static @Nullable Handshake in(int number, Integer user) throws IOException {
    return LINK.equals(link(number)) && isFrom(number, user) ? read(number) : null;
  }

  /** Whether nobody but a user, and root, can have written to a file in memory. */
  private static boolean isFrom(int number, Integer user) throws IOException {
    Path file = Path.of(path(number));
    Integer mode = Files.S_IFREG | MODE;
    return user.equals(java.nio.file.Files.getAttribute(file, "unix:uid"))
        && mode.equals(java.nio.file.Files.getAttribute(file, "unix:mode"));
  }

  private static @Nullable Handshake read(int number) throws IOException {
    try (FileInputStream file = new FileInputStream(path(number))) {
      byte[] bytes = file.readAllBytes();
      return bytes.length < READ ? null : new Handshake(number, ByteBuffer.wrap(bytes));
    }
  }

  /** Takes it out, for nobody to find it again. */
  void takeOut() throws IOException {
    // Opening truncates it.
    new FileOutputStream(path(number)).close();
  }

  /** As it is now. */
  @Nullable Handshake again() throws IOException {
    return read(number);
  }

  static String path(int number) {
    return "/proc/self/fd/" + number;
  }

  int number() {
    return number;
  }

  /** The process that it is for, or {@link #NOBODY}. */
  int process() {
    int number = content.getInt(0);
    return content.getInt(Integer.BYTES) == ~number ? number : NOBODY;
  }

  boolean isOfThisVersion() {
    return content.getInt(2 * Integer.BYTES) == VERSION && content.capacity() >= HEAD;
  }

  /** Where the daemon reads. */
  int readEnd() {
    return content.getInt(READ);
  }

  /** Where the daemon writes. */
  int writeEnd() {
    return content.getInt(WRITE);
  }

  /** Whether the two ends are still the pipes that the launcher made. */
  boolean hasItsPipes() throws IOException {
    return pipe(READ).equals(link(readEnd())) && pipe(WRITE).equals(link(writeEnd()));
  }

  /** Whether a descriptor leads to one of the two pipes. */
  boolean isToItsPipes(int number) throws IOException {
    @Nullable String link = link(number);
    return pipe(READ).equals(link) || pipe(WRITE).equals(link);
  }

  private String pipe(int end) {
    return "pipe:[" + content.getLong(end + Integer.BYTES) + "]";
  }

  /** Where an open descriptor leads; null if it is not open. */
  private static @Nullable String link(int number) throws IOException {
    try {
      return java.nio.file.Files.readSymbolicLink(Path.of(path(number))).toString();
    } catch (NoSuchFileException closed) {
      return null;
    }
  }

  /** What the launcher wants the daemon to know. */
  byte[] text() {
    byte[] text = new byte[content.capacity() - HEAD];
    content.get(HEAD, text);
    return text;
  }
}
