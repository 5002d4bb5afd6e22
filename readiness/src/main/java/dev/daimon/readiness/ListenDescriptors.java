package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.posix.call.PidFds;
import dev.daimon.posix.call.Processes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors that this process was activated with: listening sockets, mostly, that systemd or
 * {@code daimon --listen} has opened and handed over from number 3 up.
 *
 * <p>The first socket becomes a Java channel by the JDK's documented API ({@link
 * ListenDescriptor#toInheritedChannel}); Netty's native transports take the {@linkplain
 * ListenDescriptor#number numbers}.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sd_listen_fds.3.html">sd_listen_fds(3)</a>
 */
public final class ListenDescriptors {
  /** The number of the first descriptor. */
  public static final int FIRST = 3;

  /** The name of a descriptor that was given none. */
  public static final String UNNAMED = "unknown";

  private static final String PID = "LISTEN_PID";
  private static final String COUNT = "LISTEN_FDS";
  private static final String NAMES = "LISTEN_FDNAMES";
  private static final String PIDFD_ID = "LISTEN_PIDFDID";

  private final List<ListenDescriptor> all;

  private ListenDescriptors(List<ListenDescriptor> all) {
    this.all = List.copyOf(all);
  }

  /**
   * Returns the descriptors that the variables {@code LISTEN_PID}, {@code LISTEN_FDS} and {@code
   * LISTEN_FDNAMES} describe, and marks them close-on-exec. They stay open as long as this process
   * lives, unless somebody closes them. Another call examines the same numbers again: one that
   * became a channel is the null device then.
   *
   * <p>There are none if the variables are missing, or meant for another process: {@code
   * LISTEN_PID} must be this process's id, and {@code LISTEN_PIDFDID}, where there is one, must be
   * the number that the kernel never gives to another process.
   *
   * <p>A number that nobody has passed on, since {@code LISTEN_FDS} is too large, may be a file
   * that the JVM has opened itself: it is then in the list, as {@link
   * ListenDescriptor.Kind#NO_SOCKET}.
   *
   * @return the descriptors; empty if this process was not activated
   * @throws IOException if the variables make no sense, or a descriptor is closed
   */
  public static ListenDescriptors fromEnvironment() throws IOException {
    String pid = System.getenv(PID);
    String count = System.getenv(COUNT);
    if (pid == null || pid.isEmpty() || count == null || count.isEmpty()) {
      return new ListenDescriptors(List.of());
    }
    if (number(PID, pid) != Processes.getpid() || !isOwnPidfdId(System.getenv(PIDFD_ID))) {
      return new ListenDescriptors(List.of());
    }
    long descriptors = number(COUNT, count);
    if (descriptors > Integer.MAX_VALUE - FIRST) {
      throw new IOException(COUNT + " is too large: " + ListenDescriptor.shown(count));
    }
    String[] names = names(System.getenv(NAMES), descriptors);
    List<ListenDescriptor> all = new ArrayList<>();
    for (int i = 0; i < descriptors; i++) {
      int number = FIRST + i;
      if (Files.fcntl(number, Files.F_SETFD, Files.FD_CLOEXEC) < 0) {
        throw new IOException(
            COUNT
                + " is "
                + ListenDescriptor.shown(count)
                + ", but descriptor "
                + number
                + " is closed");
      }
      all.add(ListenDescriptor.of(number, names == null ? UNNAMED : names[i]));
    }
    return new ListenDescriptors(all);
  }

  private static String @Nullable [] names(@Nullable String names, long count) throws IOException {
    if (names == null || count == 0) {
      return null;
    }
    String[] split = names.split(":", -1);
    if (split.length != count) {
      throw new IOException(
          NAMES
              + " has "
              + split.length
              + " names for "
              + count
              + " descriptors: "
              + ListenDescriptor.shown(names));
    }
    return split;
  }

  private static long number(String variable, String text) throws IOException {
    boolean digits = text.length() <= 18;
    for (int i = 0; i < text.length(); i++) {
      digits &= text.charAt(i) >= '0' && text.charAt(i) <= '9';
    }
    if (!digits) {
      throw new IOException(variable + " is not a number: " + ListenDescriptor.shown(text));
    }
    return Long.parseLong(text);
  }

  /** Whether the variable is not there, or has the inode of this process's pidfds. */
  private static boolean isOwnPidfdId(@Nullable String id) throws IOException {
    if (id == null || id.isEmpty()) {
      return true;
    }
    int number = PosixException.check(PidFds.open(Processes.getpid()), "pidfd_open", "");
    try (Descriptor self = Descriptor.adopt(number)) {
      FileStatus status = new FileStatus();
      PosixException.check(Files.fstat(self.number(), status), "statx", PIDFD_ID);
      return id.equals(Long.toUnsignedString(status.inode()));
    }
  }

  /** {@return all of them, in the order of their numbers} */
  public List<ListenDescriptor> all() {
    return all;
  }

  /**
   * Finds a descriptor by its name.
   *
   * @param name the name
   * @return the first one of that name
   */
  public Optional<ListenDescriptor> named(String name) {
    Objects.requireNonNull(name, "name");
    for (ListenDescriptor descriptor : all) {
      if (descriptor.name().equals(name)) {
        return Optional.of(descriptor);
      }
    }
    return Optional.empty();
  }

  /** {@return all of them, as a list in words} */
  @Override
  public String toString() {
    return all.toString();
  }
}
