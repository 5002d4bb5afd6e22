package dev.daimon.posix.call;

import java.nio.ByteBuffer;

/**
 * The status of a file: the out-parameter of {@link Files#fstat}, {@code stat} and {@code lstat}.
 */
public final class FileStatus {
  /** The mount's id is told. The kernel tells it whether or not it is asked to. */
  static final int STATX_MNT_ID = 0x1000;

  private int mode;
  private long links;
  private int uid;
  private int gid;
  private long inode;
  private long size;
  private long device;
  private long modified;
  private boolean untouched;
  private boolean hasMount;
  private long mount;

  /** Makes an empty status, which a call fills. */
  public FileStatus() {}

  /** Reads it at a place in the memory of a call. */
  void read(ByteBuffer statx, int place) {
    mode = Short.toUnsignedInt(statx.getShort(place + Layouts.statx.stx_mode));
    links = Integer.toUnsignedLong(statx.getInt(place + Layouts.statx.stx_nlink));
    uid = statx.getInt(place + Layouts.statx.stx_uid);
    gid = statx.getInt(place + Layouts.statx.stx_gid);
    inode = statx.getLong(place + Layouts.statx.stx_ino);
    size = statx.getLong(place + Layouts.statx.stx_size);
    device =
        (long) statx.getInt(place + Layouts.statx.stx_dev_major) << 32
            | Integer.toUnsignedLong(statx.getInt(place + Layouts.statx.stx_dev_minor));
    modified = statx.getLong(place + Layouts.statx.modified_seconds);
    untouched =
        modified == statx.getLong(place + Layouts.statx.changed_seconds)
            && statx.getInt(place + Layouts.statx.modified_nanos)
                == statx.getInt(place + Layouts.statx.changed_nanos);
    hasMount = (statx.getInt(place + Layouts.kernel_statx.stx_mask) & STATX_MNT_ID) != 0;
    mount = statx.getLong(place + Layouts.kernel_statx.stx_mnt_id);
  }

  /** Permission bits, with set-user-id, set-group-id and sticky. */
  public int permissions() {
    return mode & 07777;
  }

  /**
   * Whether others than the owner may write to it. With an access control list the group's bits
   * stand for all its entries.
   */
  public boolean isWritableByOthers() {
    return (mode & (Files.S_IWGRP | Files.S_IWOTH)) != 0;
  }

  /** Number of hard links. */
  public long links() {
    return links;
  }

  /** The owner's user id, unsigned. */
  public int uid() {
    return uid;
  }

  /** The owner's group id, unsigned. */
  public int gid() {
    return gid;
  }

  /** The size in bytes. */
  public long size() {
    return size;
  }

  /** Major device number in the upper 32 bits, minor one in the lower. */
  public long device() {
    return device;
  }

  /** The inode number, unique within its device. */
  public long inode() {
    return inode;
  }

  /** When the content was last changed, in whole seconds since 1970. */
  public long modified() {
    return modified;
  }

  /** Whether the kernel tells the mount, as it does since Linux 5.8. */
  public boolean hasMount() {
    return hasMount;
  }

  /** The id that the mount has in {@code mountinfo}. */
  public long mount() {
    return mount;
  }

  /**
   * Whether neither owner, nor mode, nor a name of the file was changed since its content was last
   * written.
   */
  public boolean isUntouched() {
    return untouched;
  }

  /** Whether it is a regular file. */
  public boolean isRegularFile() {
    return (mode & Files.S_IFMT) == Files.S_IFREG;
  }

  /** Whether it is a socket. */
  public boolean isSocket() {
    return (mode & Files.S_IFMT) == Files.S_IFSOCK;
  }

  /** Whether it is a FIFO. */
  public boolean isFifo() {
    return (mode & Files.S_IFMT) == Files.S_IFIFO;
  }

  /** Whether it is a directory. */
  public boolean isDirectory() {
    return (mode & Files.S_IFMT) == Files.S_IFDIR;
  }

  /** Whether it is a symbolic link. */
  public boolean isSymbolicLink() {
    return (mode & Files.S_IFMT) == Files.S_IFLNK;
  }

  /** Whether both are the same file: same device, same inode. */
  public boolean isSameFile(FileStatus other) {
    return inode == other.inode && device == other.device;
  }
}
