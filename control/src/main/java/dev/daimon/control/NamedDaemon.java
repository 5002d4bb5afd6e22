package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.TrustedFile;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * A daemon that has a name, whether or not it runs or is defined: where its files are.
 *
 * @param name the name
 * @param directories the directories of its files
 */
public record NamedDaemon(DaemonName name, DaemonDirectories directories) {
  /** The longest record in bytes; the command writes no longer one. */
  private static final int MAX_RECORD = 1 << 20;

  /** Requires both. */
  public NamedDaemon {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(directories, "directories");
  }

  /** {@return the pidfile} */
  public Path pidFile() {
    return directories.controlledPidFile(name);
  }

  /** {@return the file to which its output goes, unless it was started with another} */
  public Path log() {
    return directories.log(name);
  }

  /** {@return the definition} */
  public Path definition() {
    return directories.definition(name);
  }

  /** {@return the file that says what it was started with} */
  public Path record() {
    return directories.record(name);
  }

  /** {@return a control of the daemon, by its pidfile} */
  public DaemonControl control() {
    return DaemonControl.of(pidFile());
  }

  /**
   * Reads which process was started by the name last, as {@code daimon start} records it.
   *
   * @return the process, which may have ended; empty if there is no record of this boot
   * @throws IOException if the record cannot be {@linkplain TrustedFile#read trusted} or read. It
   *     has to belong to the effective user; if that is root, to the owner of its directory
   */
  public Optional<StartRecord> startRecord() throws IOException {
    byte[] content = TrustedFile.read(record(), owner(), MAX_RECORD).orElse(null);
    return content == null
        ? Optional.empty()
        : StartRecord.ofComment(new String(content, StandardCharsets.ISO_8859_1));
  }

  private long owner() throws IOException {
    long user = Identity.effectiveUser();
    try {
      return user == 0
              && Files.getAttribute(directories.records(), "unix:uid") instanceof Integer owner
          ? Integer.toUnsignedLong(owner)
          : user;
    } catch (NoSuchFileException nothingRecorded) {
      return user;
    }
  }

  /**
   * Tells whether the process of the {@linkplain #startRecord record} runs though the pidfile leads
   * to no daemon: somebody has removed or replaced the file without its lock. Nobody can control
   * the daemon by its pidfile then, and a second one must not be started. A pidfile that is locked
   * leads to a daemon, or to a start that is under way.
   *
   * <p>Race: the process may end before this method returns. A start or a stop at the same time is
   * not taken for such a loss; a daemon that removes its pidfile itself is, until it has ended.
   *
   * @return the process; empty if there is none
   * @throws IOException as {@link #startRecord}; also if the pidfile or the process cannot be
   *     examined
   */
  public Optional<StartRecord> lost() throws IOException {
    // In this order: the pidfile is there before the record names the process, until it has ended.
    StartRecord started = startRecord().orElse(null);
    return started != null && started.isRunning() && !leadsTo(started) && started.isRunning()
        ? Optional.of(started)
        : Optional.empty();
  }

  /** Whether the pidfile leads to a daemon, or may do so; without a lock, only to this one. */
  private boolean leadsTo(StartRecord started) throws IOException {
    Path pidFile = pidFile();
    if (!Files.isRegularFile(pidFile, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (ProbeResult probe = Probe.at(pidFile, Guard.beside(pidFile), /* pidOnly= */ false)) {
      return probe.state() == State.RUNNING
          || (probe.state() == State.UNKNOWN && (probe.locked() || probe.pid() == started.pid()));
    }
  }
}
