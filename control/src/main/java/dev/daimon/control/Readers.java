package dev.daimon.control;

import dev.daimon.locking.LockedFile;
import dev.daimon.pidfd.PidFd;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.pidfd.ProcessStart;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.posix.VisibleText;
import dev.daimon.privileges.Identity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@linkplain OutputReader output readers} of one daemon that still run, as handles.
 *
 * <p>They are recorded in the guard file, behind the record of the start, a line each: the stream,
 * process id, start time in ticks, and the command in words. Process id and ticks say which process
 * it is, also after the daemon has ended; the ends of the pipe would not.
 */
final class Readers implements AutoCloseable {
  /** The longest command in a record, in characters. */
  private static final int LONGEST = 200;

  private final List<PidFd> processes = new ArrayList<>();
  private final List<OutputReader> described = new ArrayList<>();

  /** The process groups of the readers: what they have started is in these, too. */
  private final List<Long> groups = new ArrayList<>();

  private Readers() {}

  /** The lines of a record. */
  static String lines(List<OutputReader> readers) {
    StringBuilder lines = new StringBuilder();
    for (OutputReader reader : readers) {
      String command = VisibleText.line(reader.command());
      lines.append(reader.stream()).append(' ').append(reader.pid());
      lines.append(' ').append(reader.startTicks()).append(' ');
      lines.append(command, 0, Math.min(LONGEST, command.length())).append('\n');
    }
    return lines.toString();
  }

  /**
   * Reads the readers of a daemon from its record.
   *
   * @param daemon the process id in the pidfile
   */
  static List<OutputReader> list(Path guardFile, LockedFile pidFile, long daemon)
      throws IOException {
    try (Readers readers = open(guardFile, pidFile, daemon)) {
      return List.copyOf(readers.described);
    }
  }

  /** Those that still run of a daemon whose pidfile is gone, since it was stopped. */
  static List<OutputReader> listOfStopped(Path guardFile, Path pidFile) throws IOException {
    try (Readers readers = openOfStopped(guardFile, pidFile)) {
      List<OutputReader> running = new ArrayList<>();
      for (OutputReader reader : readers.described) {
        if (reader.running()) {
          running.add(reader);
        }
      }
      return running;
    }
  }

  /**
   * Opens the readers that still run of a daemon whose pidfile is gone. The owner of its directory
   * counts in place of the pidfile's, for root; for another user that user.
   */
  static Readers openOfStopped(Path guardFile, Path pidFile) throws IOException {
    long user = Identity.effectiveUser();
    return open(guardFile, user == 0 ? GuardOwner.ofPidFile(pidFile) : user, 0);
  }

  /**
   * Opens the readers of a daemon that still run.
   *
   * @param daemon the process id in the pidfile; 0 if it names none
   */
  static Readers open(Path guardFile, LockedFile pidFile, long daemon) throws IOException {
    return open(guardFile, pidFile.owner(), daemon);
  }

  private static Readers open(Path guardFile, long owner, long daemon) throws IOException {
    Readers readers = new Readers();
    String text = StartRecord.text(guardFile, owner);
    // Most have none: then what says whether to believe the record is not read.
    if (text == null || text.indexOf('\n') == text.length() - 1) {
      return readers;
    }
    StartRecord start = StartRecord.parse(text);
    if (start == null || (daemon != 0 && daemon != start.pid())) {
      return readers;
    }
    int end;
    for (int begin = text.indexOf('\n') + 1; begin < text.length(); begin = end + 1) {
      end = text.indexOf('\n', begin);
      if (end < 0) {
        break;
      }
      readers.add(text.substring(begin, end), owner);
    }
    return readers;
  }

  private void add(String line, long owner) throws IOException {
    int pidAt = line.indexOf(' ') + 1;
    int ticksAt = line.indexOf(' ', pidAt) + 1;
    int commandAt = line.indexOf(' ', ticksAt) + 1;
    if (pidAt == 0 || ticksAt == 0 || commandAt == 0) {
      return;
    }
    long pid;
    long ticks;
    try {
      pid = Long.parseLong(line, pidAt, ticksAt - 1, 10);
      ticks = Long.parseLong(line, ticksAt, commandAt - 1, 10);
    } catch (NumberFormatException noRecord) {
      return;
    }
    boolean running = open(pid, ticks, owner);
    byte[] command = line.substring(commandAt).getBytes(StandardCharsets.ISO_8859_1);
    described.add(
        new OutputReader(
            line.substring(0, pidAt - 1),
            new String(command, StandardCharsets.UTF_8),
            pid,
            ticks,
            running));
  }

  /** Adds the process if it is still the one that was recorded, and may be the daemon's. */
  private boolean open(long pid, long ticks, long owner) throws IOException {
    PidFd process = pid < 1 ? null : Processes.open(pid);
    if (process == null) {
      return false;
    }
    boolean added = false;
    try {
      ProcessStart start = ProcessStart.of(pid).orElse(null);
      ProcessInfo info = Processes.info(process);
      // Alive after it was read: so this is the process that was opened.
      if (start != null
          && start.ticks() == ticks
          && info != null
          && info.mayBeSignalledBy(owner)
          && process.isAlive()) {
        groups.add(info.group());
        added = processes.add(process);
      }
      return added;
    } finally {
      if (!added) {
        Processes.close(process);
      }
    }
  }

  /** Whether a process is a reader, or was started by one. */
  boolean contain(ProcessInfo process) {
    return groups.contains(process.group());
  }

  /** The handles. */
  List<PidFd> processes() {
    return processes;
  }

  /** One that has not ended; null if all have. */
  @Nullable PidFd alive() throws PosixException {
    for (PidFd process : processes) {
      if (process.isAlive()) {
        return process;
      }
    }
    return null;
  }

  /** Sends a signal to those that have not ended. */
  void send(Signal signal) throws PosixException {
    for (PidFd process : processes) {
      Processes.send(process, signal);
    }
  }

  /** Those that still run, in words; one that a reader has started if all readers have ended. */
  String inWords(PidFd left) throws PosixException {
    StringBuilder words = new StringBuilder();
    for (PidFd process : processes) {
      if (process.isAlive()) {
        words.append(words.isEmpty() ? "" : ", ").append(process).append(" (");
        words.append(command(process.pid())).append(')');
      }
    }
    return words
        .append(words.isEmpty() ? left : "")
        .append(" still reads what the daemon has printed")
        .toString();
  }

  private String command(long pid) {
    for (OutputReader reader : described) {
      if (reader.pid() == pid) {
        return reader.command();
      }
    }
    return "";
  }

  @Override
  public void close() {
    for (PidFd process : processes) {
      Processes.close(process);
    }
  }
}
