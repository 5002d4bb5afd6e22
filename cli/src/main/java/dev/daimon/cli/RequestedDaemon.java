package dev.daimon.cli;

import dev.daimon.control.ControlFailure;
import dev.daimon.control.DaemonControl;
import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.NamedDaemon;
import dev.daimon.control.StartRecord;
import dev.daimon.privileges.Identity;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A daemon that the command line names: its files, of the user who calls the command. */
final class RequestedDaemon {
  private final NamedDaemon daemon;

  /** The definition, once it was read; null also if there is none. */
  private @Nullable Definition definition;

  private boolean isRead;

  RequestedDaemon(NamedDaemon daemon) {
    this.daemon = daemon;
  }

  /**
   * The daemon of this name.
   *
   * @param word the name, with one character for each byte
   * @throws StartException if it is no name
   */
  static RequestedDaemon of(String word) {
    try {
      DaemonName name = new DaemonName(Text.readable(word));
      return new RequestedDaemon(new NamedDaemon(name, DaemonDirectories.ofCaller()));
    } catch (IllegalArgumentException wrong) {
      throw new StartException(Reason.CONFIGURATION, String.valueOf(wrong.getMessage()));
    }
  }

  /**
   * The daemon of this name if it has a definition; null if not, or if it is no name.
   *
   * @param alone whether only options stand beside the word
   * @throws StartException if the word is alone, and may be a definition that this user may not
   *     look at, or is the name of a daemon that was started without one
   */
  static @Nullable RequestedDaemon defined(String word, boolean alone) {
    // Most programs that are no names are paths: nothing is looked up for them.
    if (word.isEmpty() || word.indexOf('/') >= 0) {
      return null;
    }
    RequestedDaemon daemon;
    try {
      daemon = of(word);
    } catch (StartException noName) {
      return null;
    }
    if (Files.exists(daemon.definitionFile(), LinkOption.NOFOLLOW_LINKS)) {
      return daemon;
    }
    if (alone && daemon.directories().hidesDefinition(daemon.name())) {
      throw new StartException(
          Reason.FILE,
          DefinitionFile.name(daemon.definitionFile())
              + ": permission denied; to start the program "
              + daemon
              + ", type -- before it");
    }
    if (alone && daemon.wasStarted()) {
      throw daemon.undefined("start the program of this name, type -- before it");
    }
    return null;
  }

  /** Whether a start by the name has left a trace: then the name alone hardly means a program. */
  private boolean wasStarted() {
    return Files.exists(recordFile(), LinkOption.NOFOLLOW_LINKS)
        || Files.exists(pidFile(), LinkOption.NOFOLLOW_LINKS);
  }

  DaemonName name() {
    return daemon.name();
  }

  /** The name as it is typed, with one character for each byte. */
  String word() {
    return Text.ofReadable(name().text());
  }

  DaemonDirectories directories() {
    return daemon.directories();
  }

  Path pidFile() {
    return daemon.pidFile();
  }

  /** Where the daemon's output goes, if no option says so. */
  Path log() {
    return daemon.log();
  }

  Path definitionFile() {
    return daemon.definition();
  }

  /** That there is no definition, and what to do about it: a sentence's part behind "to". */
  StartException undefined(String remedy) {
    return new StartException(
        Reason.CONFIGURATION,
        this
            + " is not defined: there is no "
            + DefinitionFile.name(definitionFile())
            + "; to "
            + remedy);
  }

  /** That the daemon which runs is not the one of the record, and what to do about it. */
  String notByName(String remedy) {
    return this + " runs, but was not started by its name" + remedy;
  }

  /** The file that says what the daemon was started with. */
  Path recordFile() {
    return daemon.record();
  }

  /** The definition, read once; null if there is none. */
  @Nullable Definition definition() {
    if (!isRead) {
      definition = DefinitionFile.read(definitionFile(), Identity.effectiveUser());
      isRead = true;
    }
    return definition;
  }

  /**
   * The options by which a running daemon is controlled: its definition, or else what it was
   * started with. That also counts, with a warning, if the daemon runs and its definition cannot be
   * used.
   *
   * @param check throws if a value of the options is wrong
   * @return the options; null if there are none
   * @throws StartException if the definition cannot be used, and the daemon is not known to run
   */
  @Nullable Definition definitionOrRecord(Consumer<Definition> check) {
    try {
      Definition now = definition();
      if (now != null) {
        check.accept(now);
        return now;
      }
    } catch (StartException unusable) {
      StartedFile started = believed();
      if (started == null || !isRunning(started)) {
        throw unusable;
      }
      new Terminal(false)
          .error(
              ActionWords.WARNING
                  + unusable.getMessage()
                  + "; used is what "
                  + this
                  + " was started with");
      return started.definition();
    }
    StartedFile started = believed();
    return started == null || isOfAnother(started) ? null : started.definition();
  }

  /**
   * The options of a process that a pidfile names: the definition, or else what it was started
   * with.
   *
   * @return the options; null if there are none
   * @throws StartException if the definition cannot be used
   */
  @Nullable Definition optionsOf(long pid) {
    Definition now = definition();
    if (now != null) {
      return now;
    }
    StartedFile started = believed();
    StartRecord process = started == null ? null : started.process();
    return started != null && process != null && process.pid() == pid && isRunning(started)
        ? started.definition()
        : null;
  }

  /**
   * The control of the daemon that has this pidfile.
   *
   * @param guard the value of {@code --guard}; null if there is none
   * @param pidOnly whether {@code --pid-only} was given
   */
  static DaemonControl control(Path pidFile, @Nullable Path guard, boolean pidOnly) {
    DaemonControl control = DaemonControl.of(pidFile);
    control = guard == null ? control : control.guard(guard);
    return pidOnly ? control.pidOnly() : control;
  }

  /** The control of the daemon that was started with these options. */
  DaemonControl control(@Nullable Definition options) {
    if (options == null) {
      return DaemonControl.of(pidFile());
    }
    List<String> guards = options.values(CommandOption.GUARD.word());
    return control(
        pidFile(),
        guards.isEmpty() ? null : Text.path(guards.getLast()),
        options.has(CommandOption.PID_ONLY.word()));
  }

  /** Whether a daemon runs, and it is another one than this, which was started by the name. */
  boolean isOfAnother(StartedFile started) {
    try {
      DaemonStatus now = control(started.definition()).status();
      StartRecord process = started.process();
      return now.state() == State.RUNNING
          && (process == null || now.pid().orElse(0) != process.pid());
    } catch (IOException unknown) {
      return false;
    }
  }

  /** Reads what the daemon was started with; null if it was not started by its name. */
  @Nullable StartedFile started() {
    return StartedFile.read(recordFile(), Identity.effectiveUser());
  }

  /**
   * Tells whether the daemon runs though its pidfile leads to no daemon: what to do then, in words;
   * null if it is not known to run.
   */
  @Nullable String lost() {
    try {
      StartRecord process = daemon.lost().orElse(null);
      return process == null ? null : lost(process);
    } catch (IOException unknown) {
      return null;
    }
  }

  /** Refuses to start a daemon beside one that has lost its pidfile. */
  void requireNotLost() {
    try {
      StartRecord process = daemon.lost().orElse(null);
      if (process != null) {
        throw new StartException(Reason.CANNOT_TELL, lost(process));
      }
    } catch (IOException unknown) {
      throw new StartException(Reason.FILE, unknown);
    }
  }

  /**
   * Refuses to start a daemon beside one that runs and has lost its pidfile. For a start that has
   * locked the file: then it leads to no other daemon, and none can be started by it.
   *
   * @param named the process id that the file had in it; 0 for none
   */
  void requireEnded(long named) {
    StartRecord started = record();
    if (started != null && started.pid() != named) {
      requireEnded(started);
    }
  }

  private void requireEnded(StartRecord started) {
    try {
      if (started.isRunning()) {
        throw new StartException(Reason.CANNOT_TELL, lost(started));
      }
    } catch (IOException failure) {
      throw ControlFailure.of(failure);
    }
  }

  /** The process of the record; null if there is none. What cannot be read may name one. */
  private @Nullable StartRecord record() {
    try {
      return daemon.startRecord().orElse(null);
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  /**
   * Refuses to stop the daemon that the pidfile names and to start another one, if that would be
   * refused after the stop.
   */
  void requireRestartable(DaemonControl control) throws IOException {
    // First the record: a process that was stopped since does not run any more when it is looked
    // at. And again: an overlapping restart may have put another one into both files.
    StartRecord started = record();
    if (started != null
        && control.status().pid().orElse(0) != started.pid()
        && started.equals(record())) {
      requireEnded(started);
    }
  }

  private String lost(StartRecord process) {
    return this
        + " was started as process "
        + process.pid()
        + ", which still runs, but its pidfile "
        + DefinitionFile.name(pidFile())
        + (Identity.effectiveUser() == 0
            ? " is gone or was replaced"
            : " is gone, was replaced, or is in another XDG_RUNTIME_DIR")
        + "; to end it, type kill "
        + process.pid();
  }

  /**
   * Compares the definition with what the daemon was started with, if it runs.
   *
   * @return the difference in words; null if there is none, or it is not known
   */
  @Nullable String changed() {
    Definition now;
    try {
      now = definition();
    } catch (StartException told) {
      return null;
    }
    StartedFile started = now == null ? null : believed();
    if (now == null || started == null) {
      return null;
    }
    if (!isRunning(started)) {
      return isOfAnother(started) ? notByName("") : null;
    }
    List<String> differences = now.differencesOfStart(started.definition());
    return differences.isEmpty()
        ? null
        : this
            + " was started with other options than "
            + DefinitionFile.name(definitionFile())
            + " has now: "
            + String.join(", ", differences);
  }

  /** What the daemon was started with; null also if that is not to be believed. */
  @Nullable StartedFile believed() {
    try {
      return started();
    } catch (StartException unusable) {
      return null;
    }
  }

  /** Whether it was started by {@code run} last, and nobody else has started it by other means. */
  boolean isOfRun() {
    StartedFile started = believed();
    return started != null && started.foreground() && !isOfAnother(started);
  }

  /** Whether the process that was started runs. */
  static boolean isRunning(StartedFile started) {
    try {
      return started.process() != null && started.process().isRunning();
    } catch (IOException unknown) {
      return false;
    }
  }

  @Override
  public String toString() {
    return daemon.name().text();
  }
}
