package dev.daimon.locking;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcFiles;
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
      if (isIn(ProcFiles.read("/proc/locks"), inode)) {
        return true;
      }
    }
    return !isInitialNamespace() && isInDescriptors(inode);
  }

  /** The inode as a lock's line names it, with the spaces around: {@code " fe:00:1234 "}. */
  private static String inode(int number) throws PosixException {
    String path = "/proc/self/fdinfo/".concat(Integer.toString(number));
    String info = ProcFiles.read(path);
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(number, status), "fstat", path);
    long major = status.device() >>> 32;
    long minor = status.device() & 0xffffffffL;
    // Some file systems (btrfs, layers of overlayfs) give stat a device of their own making; a
    // lock's line has the mount's.
    @Nullable String mount = field(info, "mnt_id:\t");
    if (mount != null) {
      @Nullable String line =
          field(
              "\n".concat(ProcFiles.read("/proc/self/mountinfo")), "\n".concat(mount).concat(" "));
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
  private static boolean isInDescriptors(String inode) throws PosixException {
    for (String process : ProcFiles.list("/proc")) {
      if (process.charAt(0) < '1' || process.charAt(0) > '9') {
        continue;
      }
      String directory = "/proc/".concat(process).concat("/fdinfo/");
      for (String number : listed(directory)) {
        if (isIn(readable(directory.concat(number)), inode)) {
          return true;
        }
      }
    }
    return false;
  }

  /** None of a process that is not for us to see. */
  private static String[] listed(String directory) {
    try {
      return ProcFiles.list(directory);
    } catch (PosixException unseen) {
      return new String[0];
    }
  }

  /** Empty of a descriptor that was closed meanwhile, or is not for us to see. */
  private static String readable(String info) {
    try {
      return ProcFiles.read(info);
    } catch (PosixException unseen) {
      return "";
    }
  }
}
