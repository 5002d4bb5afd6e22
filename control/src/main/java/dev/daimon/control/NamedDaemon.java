package dev.daimon.control;

import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A daemon that has a name, whether or not it runs or is defined: where its files are.
 *
 * @param name the name
 * @param directories the directories of its files
 */
public record NamedDaemon(DaemonName name, DaemonDirectories directories) {
  /** Requires both. */
  public NamedDaemon {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(directories, "directories");
  }

  /** {@return the pidfile} */
  public Path pidFile() {
    return directories.pidFile(name);
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
}
