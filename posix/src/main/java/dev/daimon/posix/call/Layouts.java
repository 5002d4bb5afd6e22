package dev.daimon.posix.call;

/**
 * Sizes of C structures and offsets of their fields, in bytes. They are the same on x86-64 and
 * AArch64 unless {@link Abi} chooses.
 *
 * <p>A nested class is named as the structure ({@code _t} for a typedef) and a constant as the
 * field: a test compiles each of them against the system's headers.
 */
final class Layouts {
  private Layouts() {}

  /** The times have names of their own, since each is a structure. */
  static final class statx {
    static final int SIZE = 256;
    static final int stx_nlink = 16;
    static final int stx_uid = 20;
    static final int stx_gid = 24;
    static final int stx_mode = 28;
    static final int stx_ino = 32;
    static final int stx_size = 40;
    static final int changed_seconds = 96;
    static final int changed_nanos = 104;
    static final int modified_seconds = 112;
    static final int modified_nanos = 120;
    static final int stx_dev_major = 136;
    static final int stx_dev_minor = 140;

    private statx() {}
  }

  static final class passwd {
    static final int SIZE = 48;
    static final int pw_name = 0;
    static final int pw_uid = 16;
    static final int pw_gid = 20;
    static final int pw_dir = 32;
    static final int pw_shell = 40;

    private passwd() {}
  }

  static final class dirent {
    static final int SIZE = 280;
    static final int d_reclen = 16;
    static final int d_name = 19;

    private dirent() {}
  }

  static final class pidfd_info {
    static final int SIZE = 64;
    static final int mask = 0;
    static final int ruid = 28;
    static final int rgid = 32;
    static final int euid = 36;
    static final int suid = 44;

    private pidfd_info() {}
  }

  static final class timespec {
    static final int SIZE = 16;
    static final int tv_sec = 0;
    static final int tv_nsec = 8;

    private timespec() {}
  }

  /** Its field has a name of its own here: what comes before a timer's first expiry. */
  static final class itimerspec {
    static final int SIZE = 32;
    static final int first_seconds = 16;

    private itimerspec() {}
  }

  static final class sigevent {
    static final int SIZE = 64;
    static final int sigev_signo = 8;
    static final int sigev_notify = 12;

    private sigevent() {}
  }

  static final class group {
    static final int SIZE = 32;
    static final int gr_gid = 16;

    private group() {}
  }

  static final class sigset_t {
    static final int SIZE = 128;

    private sigset_t() {}
  }

  static final class posix_spawnattr_t {
    static final int SIZE = 336;

    private posix_spawnattr_t() {}
  }

  static final class posix_spawn_file_actions_t {
    static final int SIZE = 80;

    private posix_spawn_file_actions_t() {}
  }

  static final class pollfd {
    static final int SIZE = 8;
    static final int fd = 0;
    static final int events = 4;

    private pollfd() {}
  }

  /** In one piece on x86-64 alone: there, nothing is between its fields. */
  static final class epoll_event {
    static final int SIZE = Abi.either(12, 16);
    static final int events = 0;
    static final int data = Abi.either(4, 8);

    private epoll_event() {}
  }

  static final class sockaddr_in {
    static final int SIZE = 16;
    static final int sin_family = 0;
    static final int sin_port = 2;
    static final int sin_addr = 4;

    private sockaddr_in() {}
  }

  static final class sockaddr_in6 {
    static final int SIZE = 28;
    static final int sin6_family = 0;
    static final int sin6_port = 2;
    static final int sin6_addr = 8;
    static final int sin6_scope_id = 24;

    private sockaddr_in6() {}
  }

  static final class sockaddr_un {
    static final int SIZE = 110;
    static final int sun_family = 0;
    static final int sun_path = 2;

    private sockaddr_un() {}
  }

  static final class iovec {
    static final int SIZE = 16;
    static final int iov_base = 0;
    static final int iov_len = 8;

    private iovec() {}
  }

  static final class msghdr {
    static final int SIZE = 56;
    static final int msg_iov = 16;
    static final int msg_iovlen = 24;
    static final int msg_control = 32;
    static final int msg_controllen = 40;
    static final int msg_flags = 48;

    private msghdr() {}
  }

  static final class cmsghdr {
    static final int SIZE = 16;
    static final int cmsg_len = 0;
    static final int cmsg_level = 8;
    static final int cmsg_type = 12;

    private cmsghdr() {}
  }

  static final class ucred {
    static final int SIZE = 12;
    static final int pid = 0;
    static final int uid = 4;

    private ucred() {}
  }

  static final class siginfo_t {
    static final int SIZE = 128;
    static final int si_code = 8;
    static final int si_pid = 16;
    static final int si_status = 24;

    private siginfo_t() {}
  }

  /** The fields of its first two fields have names of their own here. */
  static final class rusage {
    static final int SIZE = 144;
    static final int user_seconds = 0;
    static final int user_microseconds = 8;
    static final int system_seconds = 16;
    static final int system_microseconds = 24;
    static final int ru_maxrss = 32;
    static final int ru_minflt = 64;
    static final int ru_majflt = 72;
    static final int ru_nvcsw = 128;
    static final int ru_nivcsw = 136;

    private rusage() {}
  }

  /** Its fields within fields have names of their own here. */
  static final class ucontext_t {
    static final int SIZE = Abi.either(968, 4560);
    static final int uc_link = 8;
    static final int stack_pointer = 16;
    static final int stack_size = 32;
    static final int signal_mask = Abi.either(296, 40);
    static final int argument_0 = Abi.either(104, 184);
    static final int argument_1 = Abi.either(112, 192);
    static final int argument_2 = Abi.either(136, 200);
    static final int argument_3 = Abi.either(152, 208);
    static final int argument_4 = Abi.either(40, 216);
    static final int argument_5 = Abi.either(48, 224);

    private ucontext_t() {}
  }

  static final class winsize {
    static final int SIZE = 8;
    static final int ws_col = 2;

    private winsize() {}
  }

  static final class rlimit {
    static final int SIZE = 16;
    static final int rlim_cur = 0;
    static final int rlim_max = 8;

    private rlimit() {}
  }

  static final class __user_cap_header_struct {
    static final int SIZE = 8;
    static final int version = 0;

    private __user_cap_header_struct() {}
  }

  static final class __user_cap_data_struct {
    static final int SIZE = 12;
    static final int effective = 0;
    static final int permitted = 4;
    static final int inheritable = 8;

    private __user_cap_data_struct() {}
  }

  static final class sock_filter {
    static final int SIZE = 8;
    static final int code = 0;
    static final int jt = 2;
    static final int jf = 3;
    static final int k = 4;

    private sock_filter() {}
  }

  static final class sock_fprog {
    static final int SIZE = 16;
    static final int len = 0;
    static final int filter = 8;

    private sock_fprog() {}
  }

  /** The kernel's own, which {@code rt_sigaction} takes; its header clashes with glibc's. */
  static final class kernel_sigaction {
    static final int SIZE = 32;
    static final int sa_handler = 0;

    private kernel_sigaction() {}
  }

  /** The C library of Debian 12 does not have these fields. */
  static final class kernel_statx {
    static final int stx_mask = 0;
    static final int stx_mnt_id = 144;

    private kernel_statx() {}
  }
}
