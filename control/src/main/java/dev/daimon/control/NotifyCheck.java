package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Notify;
import dev.daimon.forking.Descendants;
import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.pidfd.PidFd;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.readiness.Notification;
import dev.daimon.readiness.NotifySocket;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Whether the daemon has sent {@code READY=1}. */
final class NotifyCheck extends ReadyCheck {
  /** How many messages are read before other events are looked at, so that no flood hides them. */
  private static final int BATCH = 64;

  /** How many characters of a status are kept. */
  private static final int STATUS = 300;

  private final boolean fromDescendants;
  private final NotifySocket socket;
  private boolean ready;
  private boolean more;

  /** How many datagrams were dropped so far. */
  private long known;

  private long named;
  private long extension;
  private String status = "";
  private @Nullable Errno errno;

  /** Who has sent {@code READY=1} and does not count, in words; null if nobody has. */
  private @Nullable String refused;

  NotifyCheck(Notify condition) throws PosixException {
    fromDescendants = condition.fromDescendants();
    socket = NotifySocket.open();
  }

  /**
   * The socket replaces that of the caller, and so do its watchdog's variables: nobody would hear
   * the pings.
   */
  @Override
  void addTo(Program program, Environment environment) {
    program.environment(
        environment
            .without("WATCHDOG_USEC")
            .without("WATCHDOG_PID")
            .with("NOTIFY_SOCKET", socket.address()));
  }

  @Override
  Descriptor events() {
    return socket.descriptor();
  }

  @Override
  long pause() {
    return more ? 0 : FOREVER;
  }

  @Override
  boolean isReady(long main) throws PosixException {
    more = true;
    for (int i = 0; i < BATCH && more; i++) {
      try (Notification next = socket.receive().orElse(null)) {
        // An empty answer may be a datagram that was dropped.
        long dropped = socket.dropped();
        more = next != null || dropped != known;
        known = dropped;
        if (next != null) {
          take(next, main(main));
        }
      }
    }
    return ready;
  }

  private void take(Notification message, long main) throws PosixException {
    if (!counts(message, main)) {
      return;
    }
    ready |= message.isReady();
    status = message.status().map(NotifyCheck::cut).orElse(status);
    errno = message.errno().orElse(errno);
    if (message.extendTimeout().isPresent()) {
      extension = TimeUnit.NANOSECONDS.convert(message.extendTimeout().get());
    }
    long pid = message.mainPid().orElse(0);
    if (pid != 0 && pid != main) {
      try (PidFd process = Processes.open(pid)) {
        if (process != null && Descendants.contain(pid) && process.isAlive()) {
          named = pid;
        }
      }
    }
  }

  /** A text of a length that can be shown. */
  private static String cut(String text) {
    return text.length() <= STATUS ? text : text.substring(0, STATUS).concat("...");
  }

  /**
   * Whether the sender is the daemon, or may speak for it. The daemon is a child or a descendant
   * that was seen alive; any other sender is examined now, while its handle shows that it lives.
   */
  private boolean counts(Notification message, long main) throws PosixException {
    long sender = message.senderPid();
    if (sender == main) {
      return true;
    }
    String why;
    try (PidFd process = sender == 0 ? null : Processes.open(sender)) {
      if (process == null) {
        why = "process " + sender + ", which had ended by then, so nothing shows whose it was";
      } else if (!Descendants.contain(sender)) {
        why =
            Processes.words(sender, Processes.info(process)) + ", which the daemon has not started";
      } else if (!fromDescendants) {
        why =
            Processes.words(sender, Processes.info(process))
                + ", which the daemon has started; notify:all accepts that";
      } else if (process.isAlive()) {
        return true;
      } else {
        why = "process " + sender + ", which had ended by then, so nothing shows whose it was";
      }
    }
    if (message.isReady()) {
      refused = why;
    }
    return false;
  }

  @Override
  long main(long known) {
    return named == 0 ? known : named;
  }

  @Override
  void forget(long main) {
    if (named == main) {
      named = 0;
    }
  }

  @Override
  boolean hasMore() {
    return more;
  }

  @Override
  long extension() {
    long once = extension;
    extension = 0;
    return once;
  }

  @Override
  String status() {
    return status;
  }

  @Override
  String complaint() {
    return (errno == null ? "" : "; it has reported " + errno)
        + (status.isEmpty() ? "" : "; its last status: " + status);
  }

  @Override
  String missing(long main) {
    String words =
        refused == null
            ? "it has not sent READY=1"
            : "it has not sent READY=1 itself; that came from " + refused;
    return words + complaint();
  }

  @Override
  public void close() throws PosixException {
    socket.close();
  }
}
