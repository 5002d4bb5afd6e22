package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.ProcFiles;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** An open file as the kernel names it in its lists of locks; finds it in those lists. */
final class LockTable {
  /** The target of {@code /proc/self/ns/pid} outside of every container. */
  private static final String INITIAL_NAMESPACE = "pid:[4026531836]";

  /** The types of file systems whose locks a server keeps, so that other hosts may hold some. */
  private static final String SHARED =
      " nfs nfs4 cifs smb3 9p afs ceph gfs2 ocfs2 lustre virtiofs ";

  /** The types of file systems whose files have the number in a lock's line that stat returns. */
  private static final String NUMBERED = " tmpfs ext2 ext3 ext4 xfs ";

  /** The kernel does not tell the mount's id. */
  private static final long NO_MOUNT = -1;

  /** The list has no lock on the file. */
  private static final long UNLISTED = -1;

  /** The list was not read to its end. */
  private static final long TOO_LONG = -2;

  /**
   * How much of the list is read, in bytes: a thousand locks. For each page the kernel goes through
   * the list from its beginning, and every user may take a hundred thousand locks.
   */
  private static final int MAX_LIST = 64 * 1024;

  private final int number;

  /** The inode as in a lock's line, with the spaces around it: {@code " fe:00:1234 "}. */
  private final String inode;

  private final boolean regular;

  /** Whether the list was too long when it was last read: then it is not read again. */
  private volatile boolean tooLong;

  private LockTable(int number, String inode, boolean regular, Mount mount) {
    this.number = number;
    this.inode = inode;
    this.regular = regular;
    this.mount = mount;
  }

  /** What the list of mounts says of the file's mount. */
  private final Mount mount;

  /**
   * A mount, as long as a file on it is open: then its id cannot become another mount's.
   *
   * @param id the mount's id, or {@link #NO_MOUNT}
   * @param device the numbers in a lock's line; null if the file's own device has to do
   * @param numbered whether a lock's line has the inode that stat returns
   * @param shared whether processes of other hosts may hold a lock on its files
   */
  private record Mount(long id, @Nullable String device, boolean numbered, boolean shared) {}

  /** Of the file that is open as this descriptor; {@code O_PATH} is enough. */
  static LockTable of(int number) throws PosixException {
    FileStatus status = new FileStatus();
    PosixException.check(Files.fstat(number, status), "fstat", fdinfo(number));
    return of(number, status, /* known= */ null);
  }

  /**
   * As {@link #of(int)}. The mount is not looked up, which takes longest, if it is the same as that
   * of another file, which is open, too.
   */
  static LockTable of(int number, FileStatus status, @Nullable LockTable known)
      throws PosixException {
    @Nullable String info = null;
    long id = status.mount();
    if (!status.hasMount()) {
      info = ProcFiles.readRecord(fdinfo(number));
      @Nullable String field = field(info, "mnt_id:\t");
      id = field == null ? NO_MOUNT : Long.parseLong(field);
    }
    Mount mount = known != null && id != NO_MOUNT && id == known.mount.id ? known.mount : mount(id);
    // On some file systems (btrfs, layers of overlayfs) stat returns another device than the
    // mount's, which is in a lock's line.
    StringBuilder name = new StringBuilder(" ");
    if (mount.device == null) {
      hex(name, status.device() >>> 32).append(':');
      hex(name, status.device() & 0xffffffffL).append(':');
    } else {
      name.append(mount.device);
    }
    if (!mount.numbered && info == null) {
      info = ProcFiles.readRecord(fdinfo(number));
    }
    // Since Linux 5.14; before, stat's is the same but for exotic file systems.
    @Nullable String inode = info == null ? null : field(info, "ino:\t");
    name.append(inode == null ? Long.toUnsignedString(status.inode()) : inode);
    return new LockTable(number, name.append(' ').toString(), status.isRegularFile(), mount);
  }

  private static String fdinfo(int number) {
    return "/proc/self/fdinfo/".concat(Integer.toString(number));
  }

  private static Mount mount(long id) throws PosixException {
    @Nullable String line = id == NO_MOUNT ? null : mountLine(Long.toString(id).concat(" "));
    if (line == null) {
      return new Mount(id, null, /* numbered= */ false, /* shared= */ false);
    }
    // ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAGS - TYPE SOURCE OPTIONS
    int start = line.indexOf(' ', line.indexOf(' ') + 1) + 1;
    int colon = line.indexOf(':', start);
    StringBuilder device = new StringBuilder();
    hex(device, Long.parseLong(line, start, colon, 10)).append(':');
    hex(device, Long.parseLong(line, colon + 1, line.indexOf(' ', colon), 10)).append(':');
    int type = line.indexOf(" - ") + 3;
    String name = line.substring(type, line.indexOf(' ', type));
    return new Mount(
        id, device.toString(), NUMBERED.contains(" ".concat(name).concat(" ")), isShared(name));
  }

  /** The mount's line; null if it is not one of this mount namespace. */
  private static @Nullable String mountLine(String id) throws PosixException {
    try (ProcFiles.Lines mounts = new ProcFiles.Lines("/proc/self/mountinfo")) {
      String lines;
      while ((lines = mounts.next()) != null) {
        int start = "\n".concat(lines).indexOf("\n".concat(id));
        if (start >= 0) {
          return lines.substring(start, lines.indexOf('\n', start));
        }
      }
      return null;
    }
  }

  private static boolean isShared(String type) {
    return type.startsWith("fuse") || SHARED.contains(" ".concat(type).concat(" "));
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
   * Whether a process holds a {@code flock} on the file.
   *
   * <p>The kernel's list is complete in the initial PID namespace, for files whose locks this host
   * keeps. In every other case, and where the list is too long, a lock that was not found is tried
   * for a moment: shared, and through an open file of its own.
   */
  boolean isLocked() throws PosixException {
    // The list is read in pages, and a lock that is released between two of them can hide another
    // one. So only two negative answers count.
    long taker = UNLISTED;
    for (int i = 0; i < 2 && taker == UNLISTED; i++) {
      taker = taker();
    }
    return taker >= 0
        || (regular && (taker == TOO_LONG || mount.shared || !isInitialNamespace()) && isRefused());
  }

  /** The process that took the lock; 0 if the kernel hides it, negative if there is none. */
  long taker() throws PosixException {
    if (tooLong) {
      return TOO_LONG;
    }
    try (ProcFiles.Lines locks = new ProcFiles.Lines("/proc/locks")) {
      String lines;
      for (int length = 0; length < MAX_LIST; length += lines.length()) {
        lines = locks.next();
        if (lines == null) {
          return UNLISTED;
        }
        int hit = find(lines);
        if (hit >= 0) {
          return takerAt(lines, hit);
        }
      }
      tooLong = true;
      return TOO_LONG;
    }
  }

  /** Whether one of the lines is a {@code flock} of this inode. */
  boolean isIn(String lines) {
    return find(lines) >= 0;
  }

  /** Whether a descriptor's {@code fdinfo} has an exclusive {@code flock} of this inode. */
  boolean isExclusiveIn(String info) {
    int hit = find(info);
    return hit >= 0 && info.lastIndexOf(" WRITE ", hit) > info.lastIndexOf('\n', hit);
  }

  /**
   * Where the inode is in the first line that is a {@code flock} of it; -1 if there is none. The
   * line of a process that waits for the lock looks the same, and comes after the holder's.
   */
  private int find(String lines) {
    int hit = -1;
    while ((hit = lines.indexOf(inode, hit + 1)) >= 0) {
      int start = lines.lastIndexOf('\n', hit) + 1;
      int flock = lines.indexOf(" FLOCK ", start);
      if (flock >= 0 && flock < hit) {
        return hit;
      }
    }
    return -1;
  }

  /** The process that took the lock in a descriptor's {@code fdinfo}; 0 if it is hidden. */
  long takerIn(String info) {
    return takerAt(info, find(info));
  }

  /** The process id in a line such as {@code "1: FLOCK ADVISORY WRITE 4711 fe:00:1234 0 EOF"}. */
  private static long takerAt(String lines, int hit) {
    return Math.max(0, Long.parseLong(lines, lines.lastIndexOf(' ', hit - 1) + 1, hit, 10));
  }

  private static boolean isInitialNamespace() {
    byte[] target = new byte[64];
    int length = Files.readlink("/proc/self/ns/pid".getBytes(StandardCharsets.US_ASCII), target);
    return length > 0
        && new String(target, 0, length, StandardCharsets.US_ASCII).equals(INITIAL_NAMESPACE);
  }

  /** Whether a shared lock is refused, because a process holds an exclusive one. */
  private boolean isRefused() throws PosixException {
    String path = "/proc/self/fd/".concat(Integer.toString(number));
    int flags = Files.O_RDONLY | Files.O_NONBLOCK | Files.O_NOCTTY | Files.O_CLOEXEC;
    int opened = Files.open(path.getBytes(StandardCharsets.US_ASCII), flags, 0);
    try (Descriptor own = Descriptor.adopt(PosixException.check(opened, "open", path))) {
      int result = Files.flock(own.number(), Files.LOCK_SH | Files.LOCK_NB);
      if (result != -Errno.EAGAIN.number()) {
        PosixException.check(result, "flock", path);
        return false;
      }
      return true;
    }
  }
}
