package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import java.io.File;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The kernel's list of locks, as {@code /proc} shows it. */
final class LockTable {
  /** The target of {@code /proc/self/ns/pid} outside of every container. */
  private static final String INITIAL_NAMESPACE = "pid:[4026531836]";

  private LockTable() {}

  /** Whether a {@code flock} on the inode of this descriptor is listed. */
  static boolean isListed(int number) throws PosixException {
    String inode = inode(number);
    // The list comes in pages, and a lock that goes away between two of them can hide another one:
    // a "no" is asked for twice.
    for (int i = 0; i < 2; i++) {
      if (isIn(read("/proc/locks"), inode)) {
        return true;
      }
    }
    return !isInitialNamespace() && isInDescriptors(inode);
  }

  /** The inode as a lock's line names it, with the spaces around: {@code " fe:00:1234 "}. */
  private static String inode(int number) throws PosixException {
    String path = "/proc/self/fdinfo/".concat(Integer.toString(number));
    String info = read(path);
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(number, status), "fstat", path);
    long major = status.device() >>> 32;
    long minor = status.device() & 0xffffffffL;
    // Some file systems (btrfs, layers of overlayfs) give stat a device of their own making; a
    // lock's line has the mount's.
    @Nullable String mount = field(info, "mnt_id:\t");
    if (mount != null) {
      @Nullable String line =
          field("\n".concat(read("/proc/self/mountinfo")), "\n".concat(mount).concat(" "));
      if (line != null) {
        int start = line.indexOf(' ') + 1;
        int colon = line.indexOf(':', start);
        major = Long.parseLong(line, start, colon, 10);
        minor = Long.parseLong(line, colon + 1, line.indexOf(' ', colon), 10);
      }
    }
    // Since Linux 5.14; before, stat's is the same but for exotic file systems.
    @Nullable String inode = field(info, "ino:\t");
    StringBuilder name = new StringBuilder(" ");
    hex(name, major).append(':');
    hex(name, minor).append(':');
    name.append(inode == null ? Long.toUnsignedString(status.inode()) : inode);
    return name.append(' ').toString();
  }

  private static StringBuilder hex(StringBuilder text, long number) {
    return text.append(number < 16 ? "0" : "").append(Long.toHexString(number));
  }

  private static @Nullable String field(String text, String name) {
    int start = text.indexOf(name);
    if (start < 0) {
      return null;
    }
    start += name.length();
    return text.substring(start, text.indexOf('\n', start));
  }

  /**
   * Whether one of the lines is a {@code flock} of that inode. A line of one who waits for it says
   * the same: then somebody holds it.
   */
  private static boolean isIn(String lines, String inode) {
    int hit = -1;
    while ((hit = lines.indexOf(inode, hit + 1)) >= 0) {
      int start = lines.lastIndexOf('\n', hit) + 1;
      int flock = lines.indexOf(" FLOCK ", start);
      if (flock >= 0 && flock < hit) {
        return true;
      }
    }
    return false;
  }

  private static boolean isInitialNamespace() {
    byte[] target = new byte[64];
    int length = Files.readlink("/proc/self/ns/pid".getBytes(StandardCharsets.US_ASCII), target);
    return length > 0
        && new String(target, 0, length, StandardCharsets.US_ASCII).equals(INITIAL_NAMESPACE);
  }

  /** Whether a process that can be looked into has a descriptor that carries such a lock. */
  private static boolean isInDescriptors(String inode) {
    for (String process : list("/proc")) {
      if (process.charAt(0) < '1' || process.charAt(0) > '9') {
        continue;
      }
      String directory = "/proc/".concat(process).concat("/fdinfo/");
      for (String number : list(directory)) {
        try {
          if (isIn(read(directory.concat(number)), inode)) {
            return true;
          }
        } catch (PosixException e) {
          // Closed meanwhile, or not for us to see.
        }
      }
    }
    return false;
  }

  private static String[] list(String directory) {
    String @Nullable [] names = new File(directory).list();
    return names == null ? new String[0] : names;
  }

  private static String read(String path) throws PosixException {
    int flags = Files.O_RDONLY | Files.O_CLOEXEC;
    int number = Files.open(path.getBytes(StandardCharsets.US_ASCII), flags, 0);
    StringBuilder text = new StringBuilder();
    try (Descriptor file = Descriptor.adopt(PosixException.check(number, "open", path))) {
      byte[] buffer = new byte[8192];
      int length;
      while ((length = PosixException.check(Files.read(file.number(), buffer), "read", path)) > 0) {
        text.append(new String(buffer, 0, length, StandardCharsets.ISO_8859_1));
      }
    }
    return text.toString();
  }
}
