package dev.daimon.readiness;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.VisibleText;
import dev.daimon.posix.call.Clocks;
import dev.daimon.posix.call.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells the service manager that started this process how it is getting on: the sender of {@code
 * sd_notify}. systemd is such a manager, {@code daimon start --ready notify} another one, and many
 * container runtimes pass the messages on.
 *
 * <p>The manager names its socket in the environment variable {@code NOTIFY_SOCKET}: by an absolute
 * path, or by an abstract name with {@code @} before it. If the variable is absent or empty, each
 * method returns false and does nothing, so one program works with and without a manager. If its
 * value is unusable ({@code vsock:}, a relative path, more than 107 bytes), each method throws an
 * {@link IOException} of one line that says so.
 *
 * <p>A message is one datagram. It arrives as a whole or not at all, and no answer comes back;
 * {@link #barrier} waits until it was read. If the manager does not read and its queue is full, a
 * message waits for five seconds, and then fails with {@code EAGAIN}; a status is dropped at once
 * instead. The wait is a native call, so a virtual thread keeps its carrier meanwhile. An interrupt
 * does not end it.
 *
 * <p>The socket is opened by the first message and stays open until {@link #close()}. So messages
 * arrive after a change of user, of root directory or of the mounts, if one was sent before. If the
 * manager has made its socket anew, the next message opens it again.
 *
 * <p>No native call is made and no thread started before a method needs it. Safe for use by several
 * threads, virtual ones too.
 *
 * <p>Children inherit {@code NOTIFY_SOCKET}, and could send as well. A {@link ProcessBuilder} that
 * starts a program which speaks {@code sd_notify} itself should remove the variable from its
 * environment.
 *
 * @see <a href="https://man7.org/linux/man-pages/man3/sd_notify.3.html">sd_notify(3)</a>
 */
public final class ServiceNotifier implements AutoCloseable {
  /** The longest message that systemd reads, in bytes. */
  static final int MAX_BYTES = 4096;

  /** The most descriptors that the kernel takes in one message. */
  private static final int MAX_DESCRIPTORS = 253;

  private static final int MAX_DESCRIPTOR_NAME = 255;

  /** How long a message waits for a manager that does not read. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private static final String SOCKET = "NOTIFY_SOCKET";
  private static final String STATUS = "STATUS=";
  private static final long MICRO = 1000;
  private static final long MICROS = 1_000_000;

  private final Map<String, String> environment;

  /** The value of the variable; empty if it is absent. */
  private final String address;

  /** Made by the first message. */
  private @Nullable NotifyConnection connection;

  /** What the program has last said of itself. */
  private volatile String lastStatus = "";

  private ServiceNotifier(Map<String, String> environment) {
    this.environment = environment;
    address = environment.getOrDefault(SOCKET, "");
  }

  /**
   * Returns the notifier of this process's manager.
   *
   * @return a notifier; the variable is read now, and its value is judged by the first message
   */
  public static ServiceNotifier fromEnvironment() {
    return of(System.getenv());
  }

  private synchronized NotifyConnection connection() {
    if (connection == null) {
      connection = new NotifyConnection(address);
    }
    return connection;
  }

  static ServiceNotifier of(Map<String, String> environment) {
    return new ServiceNotifier(environment);
  }

  /** {@return whether there is a manager to tell: whether {@code NOTIFY_SOCKET} is set} */
  public boolean isPresent() {
    return !address.isEmpty();
  }

  /**
   * Says that this process is ready, or done with a reload: {@code READY=1}.
   *
   * @return whether it was sent: false if there is no manager
   * @throws IOException if it could not be sent; names the socket
   */
  public boolean ready() throws IOException {
    return send("READY=1");
  }

  /**
   * Says in one message that the service is ready and which process is its main one: {@code
   * MAINPID} and {@code READY=1}. The manager never sees the one without the other.
   *
   * @param mainPid the process id of the main process, positive
   * @return whether it was sent: false if there is no manager
   * @throws IllegalArgumentException if that is not a process id
   * @throws IOException if it could not be sent; names the socket
   */
  public boolean readyAs(long mainPid) throws IOException {
    return send("MAINPID=" + requirePid(mainPid) + "\nREADY=1");
  }

  /**
   * Says what this process is doing: {@code STATUS=}. Never waits: if the manager's queue is full,
   * the text is dropped.
   *
   * @param text a line for people; control characters, such as a newline, become spaces, so a text
   *     is never a second assignment; it is cut off where the message would have more than 4 KiB
   * @return whether it was sent: false if there is no manager, or its queue is full
   * @throws IOException if it could not be sent for another reason; names the socket
   */
  public boolean status(String text) throws IOException {
    Objects.requireNonNull(text, "text");
    lastStatus = text;
    return sendStatus(text);
  }

  /**
   * Takes over a status that another process has sent for this one, as a launcher does until its
   * daemon is ready: a {@link Watchdog} restores it. Nothing is sent.
   *
   * @param text the status that the manager shows; empty for none
   */
  public void assumeStatus(String text) {
    lastStatus = Objects.requireNonNull(text, "text");
  }

  private boolean sendStatus(String text) throws IOException {
    return isPresent() && connection().offer(statusMessage(text));
  }

  static byte[] statusMessage(String text) {
    StringBuilder line = new StringBuilder(STATUS);
    for (int i = 0; i < text.length() && i < MAX_BYTES; i++) {
      char c = text.charAt(i);
      line.append(Character.isISOControl(c) ? ' ' : c);
    }
    byte[] bytes = line.toString().getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= MAX_BYTES) {
      return bytes;
    }
    int length = MAX_BYTES;
    // Not in the middle of a character.
    while ((bytes[length] & 0xc0) == 0x80) {
      length--;
    }
    return Arrays.copyOf(bytes, length);
  }

  /**
   * Says that this process begins to load its configuration again: {@code RELOADING=1}, with the
   * time of the monotonic clock, which a unit of {@code Type=notify-reload} wants. {@link #ready()}
   * says that it is done.
   *
   * @return whether it was sent: false if there is no manager
   * @throws IOException if it could not be sent; names the socket
   */
  public boolean reloading() throws IOException {
    return isPresent()
        && send("RELOADING=1\nMONOTONIC_USEC=" + Long.toString(Clocks.monotonic() / MICRO));
  }

  /**
   * Says that this process begins to shut down: {@code STOPPING=1}.
   *
   * @return whether it was sent: false if there is no manager
   * @throws IOException if it could not be sent; names the socket
   */
  public boolean stopping() throws IOException {
    return send("STOPPING=1");
  }

  /**
   * Says which process is the service's main one: {@code MAINPID}.
   *
   * @param pid its process id, positive
   * @return whether it was sent: false if there is no manager
   * @throws IllegalArgumentException if that is not a process id
   * @throws IOException if it could not be sent; names the socket
   */
  public boolean mainPid(long pid) throws IOException {
    return send("MAINPID=" + requirePid(pid));
  }

  private static String requirePid(long pid) {
    if (pid < 1 || pid > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("not a process id: " + pid);
    }
    return Long.toString(pid);
  }

  /**
   * Asks for more time to start, to run or to stop, whichever is under way: {@code
   * EXTEND_TIMEOUT_USEC}. The next message has to come within it.
   *
   * @param time from now on, at least a microsecond; a longer time than 2<sup>63</sup> - 1
   *     microseconds is sent as that many
   * @return whether it was sent: false if there is no manager
   * @throws IllegalArgumentException if the time is shorter than a microsecond
   * @throws IOException if it could not be sent; names the socket
   */
  public boolean extendTimeout(Duration time) throws IOException {
    Objects.requireNonNull(time, "time");
    if (time.compareTo(Duration.ofNanos(MICRO)) < 0) {
      throw new IllegalArgumentException("shorter than a microsecond: " + time);
    }
    long micros =
        time.toSeconds() >= Long.MAX_VALUE / MICROS
            ? Long.MAX_VALUE
            : time.toSeconds() * MICROS + time.toNanosPart() / MICRO;
    return send("EXTEND_TIMEOUT_USEC=" + Long.toString(micros));
  }

  /**
   * Says with which error the service fails: {@code ERRNO}.
   *
   * @param errno the error
   * @return whether it was sent: false if there is no manager
   * @throws IOException if it could not be sent; names the socket
   */
  public boolean errno(Errno errno) throws IOException {
    Objects.requireNonNull(errno, "errno");
    return send("ERRNO=" + Integer.toString(errno.number()));
  }

  /**
   * Gives the manager descriptors to keep over a restart of the service: {@code FDSTORE=1}. The
   * next start finds them as it finds sockets of socket activation. This process keeps its own.
   *
   * <p>systemd keeps as many as the unit's {@code FileDescriptorStoreMax} says, by default none. It
   * closes what is too much, and does not say so.
   *
   * @param name under which they are found, from 0 to 255 visible characters of ASCII or spaces,
   *     and no colon
   * @param descriptors from 1 to 253, which the kernel takes in one message
   * @return whether they were sent: false if there is no manager
   * @throws IllegalArgumentException if the name or the number of descriptors is not as above
   * @throws IllegalStateException if a descriptor is closed
   * @throws IOException if they could not be sent; names the socket; {@code ETOOMANYREFS} if too
   *     many descriptors of this user are on their way already
   */
  public boolean storeDescriptors(String name, List<Descriptor> descriptors) throws IOException {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(descriptors, "descriptors");
    requireDescriptorName(name);
    int count = descriptors.size();
    if (count < 1 || count > MAX_DESCRIPTORS) {
      throw new IllegalArgumentException(
          "not a number of descriptors for one message, from 1 to 253: " + count);
    }
    int[] numbers = new int[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = Objects.requireNonNull(descriptors.get(i), "descriptors").number();
    }
    return isPresent() && send(bytes("FDSTORE=1\nFDNAME=" + name), numbers);
  }

  private static void requireDescriptorName(String name) {
    boolean valid = name.length() <= MAX_DESCRIPTOR_NAME;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      valid &= c >= ' ' && c < 0x7f && c != ':';
    }
    if (!valid) {
      throw new IllegalArgumentException(
          "not a name of descriptors (at most 255 characters of ASCII, no colon): "
              + VisibleText.line(name));
    }
  }

  /**
   * Waits until the manager has read all that this process has sent before: {@code BARRIER=1}.
   *
   * <p>systemd can attribute a message only to a process that is still there. A process that ends
   * right after a message should wait.
   *
   * @param timeout how long to wait at most, at least 0; both for room in the manager's queue and
   *     for its answer
   * @return true when the manager has read it all, or has ended without reading it; false if there
   *     is no manager
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IOException if the manager did not answer in time ({@code ETIMEDOUT}), or its queue
   *     stayed full ({@code EAGAIN}), or the message could not be sent; names the socket
   */
  public boolean barrier(Duration timeout) throws IOException {
    Objects.requireNonNull(timeout, "timeout");
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("a negative timeout: " + timeout);
    }
    if (!isPresent()) {
      return false;
    }
    connection().barrier(bytes("BARRIER=1"), Deadline.after(timeout));
    return true;
  }

  /**
   * Starts the watchdog, if the manager wants one of this process: {@code WATCHDOG_USEC} is set,
   * and {@code WATCHDOG_PID} is absent or this process's id. Each call starts another one.
   *
   * @param healthCheck tells whether the service works; see {@link Watchdog} for when it is called
   * @return the watchdog; empty if the manager wants none, or there is no manager
   * @throws IOException if there is a manager, and one of the variables is set to something else
   *     than a number, or {@code NOTIFY_SOCKET} is unusable, or no thread can be started
   */
  public Optional<Watchdog> watchdog(BooleanSupplier healthCheck) throws IOException {
    Objects.requireNonNull(healthCheck, "healthCheck");
    if (!isPresent()) {
      return Optional.empty();
    }
    long micros = number("WATCHDOG_USEC", "a number of microseconds");
    long pid = number("WATCHDOG_PID", "a process id");
    if (micros == 0 || (pid != 0 && pid != Processes.getpid())) {
      return Optional.empty();
    }
    connection().requireUsable();
    return Optional.of(new Watched().start(micros, healthCheck));
  }

  /** Returns the positive number of a variable; 0 if the variable is absent or empty. */
  private long number(String variable, String what) throws IOException {
    String text = environment.getOrDefault(variable, "");
    if (text.isEmpty()) {
      return 0;
    }
    long number = Notification.number(text);
    if (number < 1) {
      throw new IOException(variable + "=" + VisibleText.line(text) + ": not " + what);
    }
    return number;
  }

  /** What the watchdog tells the manager. */
  private final class Watched implements Watchdog.Manager {
    /** Here, so that nothing of the watchdog is loaded before. */
    Watchdog start(long micros, BooleanSupplier healthCheck) throws IOException {
      return Watchdog.start(this, micros, healthCheck);
    }

    @Override
    public void ping() throws IOException {
      boolean _ = send("WATCHDOG=1");
    }

    @Override
    public void status(String text) throws IOException {
      boolean _ = sendStatus(text);
    }

    @Override
    public void restoreStatus() throws IOException {
      boolean _ = sendStatus(lastStatus);
    }
  }

  private boolean send(String message) throws IOException {
    return isPresent() && send(bytes(message), NotifyConnection.NONE);
  }

  private boolean send(byte[] message, int[] descriptors) throws IOException {
    connection().send(message, descriptors, Deadline.after(TIMEOUT));
    return true;
  }

  private static byte[] bytes(String message) {
    return message.getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Closes the socket. A message after that opens it again. Watchdogs go on.
   *
   * @throws IOException if other code has closed the socket's descriptor ({@code EBADF})
   */
  @Override
  public synchronized void close() throws IOException {
    if (connection != null) {
      connection.close();
    }
  }
}
