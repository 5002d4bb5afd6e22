package dev.daimon.posix;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A privilege of root that a thread can have without being root.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/capabilities.7.html">capabilities(7)</a>
 */
public enum Capability {
  /** Change owners of files. */
  CHOWN(0),
  /** Ignore permissions of files. */
  DAC_OVERRIDE(1),
  /** Ignore permissions to read files and to search directories. */
  DAC_READ_SEARCH(2),
  /** Do what only a file's owner may. */
  FOWNER(3),
  /** Keep set-id bits that a change would clear. */
  FSETID(4),
  /** Signal anybody's processes. */
  KILL(5),
  /** Change group ids and supplementary groups. */
  SETGID(6),
  /** Change user ids. */
  SETUID(7),
  /** Change capabilities: drop from the bounding set, add to the inheritable set. */
  SETPCAP(8),
  /** Change the immutable and append-only flags of files. */
  LINUX_IMMUTABLE(9),
  /** Bind ports below 1024. */
  NET_BIND_SERVICE(10),
  /** Send broadcasts; not used by Linux. */
  NET_BROADCAST(11),
  /** Configure the network. */
  NET_ADMIN(12),
  /** Use raw and packet sockets. */
  NET_RAW(13),
  /** Lock memory. */
  IPC_LOCK(14),
  /** Ignore permissions of System V IPC objects. */
  IPC_OWNER(15),
  /** Load kernel modules. */
  SYS_MODULE(16),
  /** Use I/O ports and raw memory. */
  SYS_RAWIO(17),
  /** Change the root directory, and mount namespaces. */
  SYS_CHROOT(18),
  /** Trace anybody's processes. */
  SYS_PTRACE(19),
  /** Switch process accounting. */
  SYS_PACCT(20),
  /** Administer the system: mounts, quotas, namespaces and much more. */
  SYS_ADMIN(21),
  /** Reboot. */
  SYS_BOOT(22),
  /** Lower niceness, use real-time policies. */
  SYS_NICE(23),
  /** Exceed resource limits and quotas. */
  SYS_RESOURCE(24),
  /** Set the clocks. */
  SYS_TIME(25),
  /** Configure terminals. */
  SYS_TTY_CONFIG(26),
  /** Make device files. */
  MKNOD(27),
  /** Take leases on anybody's files. */
  LEASE(28),
  /** Write to the audit log. */
  AUDIT_WRITE(29),
  /** Configure the audit. */
  AUDIT_CONTROL(30),
  /** Give capabilities to files. */
  SETFCAP(31),
  /** Override mandatory access control. */
  MAC_OVERRIDE(32),
  /** Configure mandatory access control. */
  MAC_ADMIN(33),
  /** Read and clear the kernel's log. */
  SYSLOG(34),
  /** Set timers that wake the system. */
  WAKE_ALARM(35),
  /** Prevent the system from being suspended. */
  BLOCK_SUSPEND(36),
  /** Read the audit log. */
  AUDIT_READ(37),
  /** Monitor performance. */
  PERFMON(38),
  /** Use BPF. */
  BPF(39),
  /** Checkpoint and restore processes. */
  CHECKPOINT_RESTORE(40);

  private final int number;

  Capability(int number) {
    this.number = number;
  }

  /** {@return the number of its constant {@code CAP_…}} */
  public int number() {
    return number;
  }

  /**
   * Finds a capability by its name.
   *
   * @param name such as {@code CAP_NET_BIND_SERVICE} or {@code net_bind_service}
   * @return the capability
   * @throws IllegalArgumentException if no capability has this name
   */
  public static Capability parse(String name) {
    Objects.requireNonNull(name, "name");
    String wanted = Names.upperCase(name);
    wanted = wanted.startsWith("CAP_") ? wanted.substring("CAP_".length()) : wanted;
    @Nullable Capability found = null;
    for (Capability capability : values()) {
      found = capability.name().equals(wanted) ? capability : found;
    }
    if (found == null) {
      throw new IllegalArgumentException("no such capability: \"" + name + "\"");
    }
    return found;
  }

  /** {@return the name of its constant in C, such as {@code CAP_KILL}} */
  @Override
  public String toString() {
    return "CAP_" + name();
  }
}
