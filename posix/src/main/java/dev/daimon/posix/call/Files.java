package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.daimon.posix.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Calls on files and descriptors: {@code fcntl.h}, {@code unistd.h}, {@code sys/stat.h}, {@code
 * sys/file.h}.
 */
public final class Files {
  /** Open for reading only. */
  public static final int O_RDONLY = 0;

  /** What of the flags is the access mode. */
  public static final int O_ACCMODE = 3;

  /** Open for writing only. */
  public static final int O_WRONLY = 1;

  /** Open for reading and writing. */
  public static final int O_RDWR = 2;

  /** Create the file if it does not exist. */
  public static final int O_CREAT = 0100;

  /** With {@link #O_CREAT}: fail if the file exists. */
  public static final int O_EXCL = 0200;

  /** Never make a terminal the controlling one. */
  public static final int O_NOCTTY = 0400;

  /** Truncate the file. */
  public static final int O_TRUNC = 01000;

  /** Every write goes to the end. */
  public static final int O_APPEND = 02000;

  /** Do not wait, for a FIFO's other end for instance. */
  public static final int O_NONBLOCK = 04000;

  /** Fail unless it is a directory. */
  public static final int O_DIRECTORY = Abi.either(0200000, 040000);

  /** Fail if the last component is a symbolic link. */
  public static final int O_NOFOLLOW = Abi.either(0400000, 0100000);

  /** Close on exec. */
  public static final int O_CLOEXEC = 02000000;

  /** A handle for the place in the tree, not for the content. */
  public static final int O_PATH = 010000000;

  /** Shared lock. */
  public static final int LOCK_SH = 1;

  /** Exclusive lock. */
  public static final int LOCK_EX = 2;

  /** Do not wait for the lock. */
  public static final int LOCK_NB = 4;

  /** Release the lock. */
  public static final int LOCK_UN = 8;

  /** Reserve space without a change of size. */
  public static final int FALLOC_FL_KEEP_SIZE = 1;

  /** The current directory, for the calls that take a directory's descriptor. */
  public static final int AT_FDCWD = -100;

  /** Do not follow a symbolic link. */
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;

  /** Judge by the effective ids, not the real ones. */
  public static final int AT_EACCESS = 0x200;

  /** An empty path means the descriptor itself. */
  public static final int AT_EMPTY_PATH = 0x1000;

  /** What {@code stat} tells. */
  public static final int STATX_BASIC_STATS = 0x7ff;

  /** Execute or search permission. */
  public static final int X_OK = 1;

  /** {@code eaccess}: may it be written to? */
  public static final int W_OK = 2;

  /** Duplicate to the lowest number from the argument up, marked close-on-exec. */
  public static final int F_DUPFD_CLOEXEC = 1030;

  /** Read the descriptor's flags. */
  public static final int F_GETFD = 1;

  /** Set the descriptor's flags. */
  public static final int F_SETFD = 2;

  /** Read the open file's status flags. */
  public static final int F_GETFL = 3;

  /** Set the open file's status flags. */
  public static final int F_SETFL = 4;

  /** {@code fcntl}: return the size of a pipe; an error for anything else. */
  public static final int F_GETPIPE_SZ = 1032;

  /** {@code ioctl}: return the size of a terminal's window. */
  static final int TIOCGWINSZ = 0x5413;

  /** Forbid changes of a file in memory. */
  public static final int F_ADD_SEALS = 1033;

  /** With {@link #F_ADD_SEALS}: the file cannot grow. */
  public static final int F_SEAL_GROW = 4;

  /** A seal: the file cannot become smaller. */
  public static final int F_SEAL_SHRINK = 2;

  /** {@code memfd_create}: close on exec. */
  public static final int MFD_CLOEXEC = 1;

  /** {@code memfd_create}: let {@link #F_ADD_SEALS} forbid changes. */
  public static final int MFD_ALLOW_SEALING = 2;

  /** The descriptor's one flag. */
  public static final int FD_CLOEXEC = 1;

  /** {@code close_range}: mark close-on-exec instead of closing. */
  public static final int CLOSE_RANGE_CLOEXEC = 4;

  /** A permission: the group may write. */
  public static final int S_IWGRP = 020;

  /** A permission: others than owner and group may write. */
  public static final int S_IWOTH = 02;

  /** The bits of a mode that tell the kind of file. */
  public static final int S_IFMT = 0170000;

  /** A regular file. */
  public static final int S_IFREG = 0100000;

  /** A FIFO. */
  public static final int S_IFIFO = 0010000;

  /** A directory. */
  public static final int S_IFDIR = 0040000;

  /** A socket. */
  public static final int S_IFSOCK = 0140000;

  /** A symbolic link. */
  public static final int S_IFLNK = 0120000;

  /** Number of the system call {@code kcmp}. */
  static final int SYS_kcmp = Abi.either(312, 272);

  static final int KCMP_FILE = 0;

  // long syscall(long number, ...);
  private static final long SYSCALL = Libc.address("syscall");
  // int open(const char *pathname, int flags, ... /* mode_t mode */);
  private static final long OPEN = Libc.address("open");
  // int close(int fd);
  private static final long CLOSE = Libc.address("close");
  // int close_range(unsigned int first, unsigned int last, int flags);
  private static final long CLOSE_RANGE = Libc.optionalAddress("close_range");
  // int dup2(int oldfd, int newfd);
  private static final long DUP2 = Libc.address("dup2");
  // int pipe2(int pipefd[2], int flags);
  private static final long PIPE2 = Libc.address("pipe2");
  // int memfd_create(const char *name, unsigned int flags);
  private static final long MEMFD_CREATE = Libc.address("memfd_create");
  // int isatty(int fd);
  private static final long ISATTY = Libc.address("isatty");
  // int ioctl(int fd, unsigned long op, ...);
  private static final long IOCTL = Libc.optionalAddress("ioctl");
  // int fcntl(int fd, int op, ... /* arg */);
  private static final long FCNTL = Libc.address("fcntl");
  // int flock(int fd, int op);
  private static final long FLOCK = Libc.address("flock");
  // int fallocate(int fd, int mode, off_t offset, off_t size);
  private static final long FALLOCATE = Libc.address("fallocate");
  // int ftruncate(int fd, off_t length);
  private static final long FTRUNCATE = Libc.address("ftruncate");
  // int fsync(int fd);
  private static final long FSYNC = Libc.address("fsync");
  // ssize_t pread(int fd, void *buf, size_t count, off_t offset);
  private static final long PREAD = Libc.address("pread");
  // ssize_t read(int fd, void *buf, size_t count);
  private static final long READ = Libc.address("read");
  // ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset);
  private static final long PWRITE = Libc.address("pwrite");
  // ssize_t write(int fd, const void *buf, size_t count);
  private static final long WRITE = Libc.address("write");
  // int unlink(const char *pathname);
  private static final long UNLINK = Libc.address("unlink");
  // int rename(const char *oldpath, const char *newpath);
  private static final long RENAME = Libc.address("rename");
  // ssize_t readlink(const char *pathname, char *buf, size_t bufsiz);
  private static final long READLINK = Libc.address("readlink");
  // int mkdir(const char *pathname, mode_t mode);
  private static final long MKDIR = Libc.address("mkdir");
  // int rmdir(const char *pathname);
  private static final long RMDIR = Libc.address("rmdir");
  // int chmod(const char *pathname, mode_t mode);
  private static final long CHMOD = Libc.address("chmod");
  // int fchmod(int fd, mode_t mode);
  private static final long FCHMOD = Libc.address("fchmod");
  // ssize_t getxattr(const char *path, const char *name, void *value, size_t size);
  private static final long GETXATTR = Libc.address("getxattr");
  // int fchown(int fd, uid_t owner, gid_t group);
  private static final long FCHOWN = Libc.address("fchown");
  // int fchownat(int dirfd, const char *pathname, uid_t owner, gid_t group, int flags);
  private static final long FCHOWNAT = Libc.address("fchownat");
  // int access(const char *pathname, int mode);
  private static final long ACCESS = Libc.address("access");
  // int faccessat(int dirfd, const char *pathname, int mode, int flags);
  private static final long FACCESSAT = Libc.address("faccessat");
  // ssize_t getdents64(int fd, void *dirp, size_t length);
  private static final long GETDENTS64 = Libc.address("getdents64");

  // int statx(int dirfd, const char *pathname, int flags, unsigned int mask, struct statx *buf);
  private static final long STATX = Libc.address("statx");

  private Files() {}

  /** Opens a file. */
  public static int open(byte[] path, int flags, int mode) {
    try (CallMemory memory = CallMemory.open()) {
      return Libc.call(OPEN, memory.string(path), flags, mode);
    }
  }

  /** Closes a descriptor; never made again after a signal, since it is closed by then. */
  public static int close(int fd) {
    return Libc.callOnce(CLOSE, fd);
  }

  /** Whether the C library has {@code close_range}; the kernel may still say {@code ENOSYS}. */
  public static boolean hasCloseRange() {
    return CLOSE_RANGE != 0;
  }

  /** Closes, or marks, a range of descriptors; only where {@link #hasCloseRange()}. */
  public static int closeRange(int first, int last, int flags) {
    return Libc.call(CLOSE_RANGE, first, last, flags);
  }

  /**
   * Makes {@code to} a copy of {@code from}, without close-on-exec. Tries again while another
   * thread is just opening a file that gets this number ({@code EBUSY}).
   */
  public static int dup2(int from, int to) {
    int result;
    do {
      result = Libc.call(DUP2, from, to);
    } while (result == -Errno.EBUSY.number());
    return result;
  }

  /** Makes a pipe: what is written to the second descriptor is read from the first. */
  public static int pipe(int flags, int[] pair) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(JAVA_INT, 2);
      int result = Libc.call(PIPE2, memory.address(), flags);
      Native.view(memory).asIntBuffer().get(pair, 0, 2);
      return result;
    }
  }

  /** Makes a file in memory, which no path leads to. */
  public static int memfdCreate(byte[] name, int flags) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(MEMFD_CREATE, Native.string(arena, name).address(), flags);
    }
  }

  /** Whether a descriptor is a terminal. */
  public static boolean isatty(int fd) {
    return Libc.call(ISATTY, fd) == 1;
  }

  /** The number of columns of a terminal, 0 if it has told none; an error for anything else. */
  public static int columns(int fd) {
    // Switched off in a test of the calls that PidFds makes by it.
    if (IOCTL == 0) {
      return -Errno.ENOSYS.number();
    }
    try (Arena arena = CallMemory.open()) {
      MemorySegment size = arena.allocate(Layouts.winsize.SIZE, Short.BYTES);
      int result = Libc.call(IOCTL, fd, TIOCGWINSZ, size.address());
      return result < 0
          ? result
          : Short.toUnsignedInt(Native.view(size).getShort(Layouts.winsize.ws_col));
    }
  }

  /** Reads or changes what belongs to a descriptor. */
  public static int fcntl(int fd, int operation, int argument) {
    return Libc.call(FCNTL, fd, operation, argument);
  }

  /** Makes a directory; the permissions are reduced by the umask. */
  public static int mkdir(byte[] path, int mode) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(MKDIR, Native.string(arena, path).address(), mode);
    }
  }

  /** Removes an empty directory. */
  public static int rmdir(byte[] path) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(RMDIR, Native.string(arena, path).address());
    }
  }

  /** Changes the permissions of what a path leads to. */
  public static int chmod(byte[] path, int mode) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(CHMOD, Native.string(arena, path).address(), mode);
    }
  }

  /** Changes the permissions. */
  public static int fchmod(int fd, int mode) {
    return Libc.call(FCHMOD, fd, mode);
  }

  /** Takes or releases the lock of an open file. */
  public static int flock(int fd, int operation) {
    return Libc.call(FLOCK, fd, operation);
  }

  /** Reserves space. */
  public static int fallocate(int fd, int mode, long offset, long length) {
    return Libc.call(FALLOCATE, fd, mode, offset, length, 0, 0);
  }

  /** Sets the size. */
  public static int ftruncate(int fd, long length) {
    return Libc.call(FTRUNCATE, fd, length);
  }

  /** Waits until the file's content is on the disk. */
  public static int fsync(int fd) {
    return Libc.call(FSYNC, fd);
  }

  /** Reads at a position; 0 means the end of the file. */
  public static int pread(int fd, byte[] buffer, long offset) {
    return read(PREAD, fd, buffer, offset);
  }

  /** Reads; 0 means the end of the file. */
  public static int read(int fd, byte[] buffer) {
    return read(READ, fd, buffer, 0);
  }

  /** Reads the next entries of a directory, as many as fit; 0 means that there are no more. */
  public static int getdents(int fd, byte[] buffer) {
    return read(GETDENTS64, fd, buffer, 0);
  }

  private static int read(long function, int fd, byte[] buffer, long offset) {
    try (CallMemory memory = CallMemory.open()) {
      if (buffer.length > CallMemory.BYTES) {
        MemorySegment segment = memory.allocate(buffer.length);
        int count = Libc.call(function, fd, segment.address(), buffer.length, offset, 0, 0);
        if (count > 0) {
          Native.view(segment).get(buffer, 0, count);
        }
        return count;
      }
      int place = memory.place(buffer.length);
      int count = Libc.call(function, fd, memory.address(place), buffer.length, offset, 0, 0);
      if (count > 0) {
        memory.view().get(place, buffer, 0, count);
      }
      return count;
    }
  }

  /** Writes at a position, and returns how many bytes were taken. */
  public static int pwrite(int fd, byte[] bytes, long offset) {
    return write(PWRITE, fd, bytes, offset);
  }

  /**
   * Writes the bytes from an index on, up to the last one, at a position, that of the first byte of
   * all. Returns 0. The error is that of the write which takes none, such as {@code EFBIG}.
   */
  public static int pwriteAll(int fd, byte[] bytes, int from, long position) {
    int done = from;
    while (done < bytes.length) {
      byte[] left = done == 0 ? bytes : Arrays.copyOfRange(bytes, done, bytes.length);
      int count = pwrite(fd, left, position + done);
      if (count <= 0) {
        return count == 0 ? -Errno.ENOSPC.number() : count;
      }
      done += count;
    }
    return 0;
  }

  /** Writes, and returns how many bytes were taken. */
  public static int write(int fd, byte[] bytes) {
    return write(WRITE, fd, bytes, 0);
  }

  private static int write(long function, int fd, byte[] bytes, long offset) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(bytes.length);
      Native.view(memory).put(bytes);
      return Libc.call(function, fd, memory.address(), bytes.length, offset, 0, 0);
    }
  }

  /** Removes a name from the file system. */
  public static int unlink(byte[] path) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(UNLINK, Native.string(arena, path).address());
    }
  }

  /** Renames a file, and replaces atomically what has the new name. */
  public static int rename(byte[] from, byte[] to) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(
          RENAME, Native.string(arena, from).address(), Native.string(arena, to).address());
    }
  }

  /** Reads where a symbolic link points to, and returns its length; longer targets are cut. */
  public static int readlink(byte[] path, byte[] buffer) {
    try (Arena arena = CallMemory.open()) {
      MemorySegment memory = arena.allocate(buffer.length);
      int length =
          Libc.call(
              READLINK, Native.string(arena, path).address(), memory.address(), buffer.length);
      if (length > 0) {
        Native.view(memory).get(buffer, 0, length);
      }
      return length;
    }
  }

  /** The length of a file's extended attribute, of what the path leads to. */
  public static int getxattr(byte[] path, byte[] name) {
    try (Arena arena = CallMemory.open()) {
      return Libc.call(
          GETXATTR,
          Native.string(arena, path).address(),
          Native.string(arena, name).address(),
          0,
          0,
          0,
          0);
    }
  }

  /** Changes the owner of an open file; -1 leaves an id as it is. */
  public static int fchown(int fd, int uid, int gid) {
    return Libc.call(FCHOWN, fd, uid, gid);
  }

  /** As {@link #fchown}, also of a handle that was opened with {@link #O_PATH}. */
  public static int chownHandle(int fd, int uid, int gid) {
    try (Arena arena = CallMemory.open()) {
      long empty = Native.string(arena, new byte[0]).address();
      return Libc.call(FCHOWNAT, fd, empty, uid, gid, AT_EMPTY_PATH, 0);
    }
  }

  /**
   * Compares what a descriptor is in two processes: 0 for one open file that both share, above 0
   * for two. {@code EBADF} if one has not got it, {@code EPERM} if they may not be looked at,
   * {@code ENOSYS} from a kernel without it.
   */
  public static int compare(long one, long other, int fd) {
    return Libc.call(SYSCALL, SYS_kcmp, one, other, KCMP_FILE, fd, fd);
  }

  /**
   * Asks for permission, with the calling thread's effective ids. With its real ones where {@code
   * faccessat2} cannot be used: before Linux 5.8, or because a filter refuses it.
   */
  public static int eaccess(byte[] path, int mode) {
    try (Arena arena = CallMemory.open()) {
      long name = Native.string(arena, path).address();
      int result = Libc.call(FACCESSAT, AT_FDCWD, name, mode, AT_EACCESS, 0, 0);
      // The C library does so for ENOSYS; a container's filter that does not know the call says
      // EPERM. Of a file that is immutable the older call says EPERM, too.
      return result == -Errno.EPERM.number() ? Libc.call(ACCESS, name, mode) : result;
    }
  }

  /** What an open file is. */
  public static int fstat(int fd, FileStatus status) {
    return statx(fd, new byte[0], AT_EMPTY_PATH, status);
  }

  /** What a path leads to. */
  public static int stat(byte[] path, FileStatus status) {
    return statx(AT_FDCWD, path, 0, status);
  }

  /** What a path is; a symbolic link is not followed. */
  public static int lstat(byte[] path, FileStatus status) {
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, status);
  }

  private static int statx(int dirfd, byte[] path, int flags, FileStatus status) {
    try (CallMemory memory = CallMemory.open()) {
      int place = memory.place(Layouts.statx.SIZE);
      int result =
          Libc.call(
              STATX,
              dirfd,
              memory.string(path),
              flags,
              STATX_BASIC_STATS,
              memory.address(place),
              0);
      if (result == 0) {
        status.read(memory.view(), place);
      }
      return result;
    }
  }
}
