package dev.daimon.posix;

import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A resource of which a process can be given a limited amount.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/setrlimit.2.html">setrlimit(2)</a>
 */
public enum Resource {
  /** Processor time, in seconds. */
  CPU(0),
  /** The size of files that are written, in bytes. */
  FSIZE(1),
  /** Private writable memory, in bytes. */
  DATA(2),
  /** The stack of the main thread, in bytes. */
  STACK(3),
  /** The size of a core dump, in bytes. */
  CORE(4),
  /** Resident memory, in bytes; Linux does not enforce it. */
  RSS(5),
  /** Processes and threads of the real user id. */
  NPROC(6),
  /** Descriptors: one more than the highest number. */
  NOFILE(7),
  /** Locked memory, in bytes. */
  MEMLOCK(8),
  /** Address space, in bytes. */
  AS(9),
  /** File locks; Linux does not enforce it. */
  LOCKS(10),
  /** Signals that are queued for the real user id. */
  SIGPENDING(11),
  /** POSIX message queues of the real user id, in bytes. */
  MSGQUEUE(12),
  /** How far niceness may be lowered: 20 less the niceness. */
  NICE(13),
  /** The highest real-time priority. */
  RTPRIO(14),
  /** Processor time without a blocking call under a real-time policy, in microseconds. */
  RTTIME(15);

  private final int number;

  Resource(int number) {
    this.number = number;
  }

  /** {@return the number of its constant {@code RLIMIT_…}} */
  public int number() {
    return number;
  }

  /**
   * Finds a resource by its name.
   *
   * @param name such as {@code nofile}, {@code NOFILE} or {@code RLIMIT_NOFILE}
   * @return the resource
   * @throws IllegalArgumentException if no resource has this name
   */
  public static Resource parse(String name) {
    Objects.requireNonNull(name, "name");
    String wanted = Names.upperCase(name);
    wanted = wanted.startsWith("RLIMIT_") ? wanted.substring("RLIMIT_".length()) : wanted;
    @Nullable Resource found = null;
    for (Resource resource : values()) {
      found = resource.name().equals(wanted) ? resource : found;
    }
    if (found == null) {
      throw new IllegalArgumentException("no such resource: \"" + name + "\"");
    }
    return found;
  }

  /** {@return the name as the command {@code prlimit} writes it, such as {@code nofile}} */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
