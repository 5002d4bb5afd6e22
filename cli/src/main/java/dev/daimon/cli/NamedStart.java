package dev.daimon.cli;

import dev.daimon.posix.Cleanup;
import dev.daimon.posix.NativePath;
import dev.daimon.privileges.FileAccess;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.TrustedFile;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.FilePurposes;
import dev.daimon.startup.MadeDirectories;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the start of a daemon with a name writes besides the files of every start: what it was
 * started with, and its definition if that is to be saved. Both are written to temporary files
 * before the program is started, and get their names when it runs.
 */
final class NamedStart {
  private static final String OLD = ".old";

  private final RequestedDaemon daemon;
  private final Definition definition;
  private final boolean save;

  private TrustedFile.@Nullable Pending record;
  private TrustedFile.@Nullable Pending saved;

  /** The definition that is replaced, under its new name. */
  private TrustedFile.@Nullable Pending old;

  /** The content of the definition; null if there is none. */
  private @Nullable String definitionBefore;

  /** Whether the start may be taken back when the temporary files have got their names. */
  private boolean revocable;

  /** What they have replaced, the last one first. */
  private final List<Replaced> replaced = new ArrayList<>();

  /**
   * A file as it was.
   *
   * @param content what it held; null if there was no such file
   */
  private record Before(Path file, @Nullable String content, Set<PosixFilePermission> permissions) {
    static Before of(Path file) throws IOException {
      String content = NamedStart.content(file);
      return new Before(
          file, content, content == null ? Set.of() : Files.getPosixFilePermissions(file));
    }
  }

  /**
   * A file that was replaced.
   *
   * @param now what is in its place
   */
  private record Replaced(Before before, Version now) {
    void restore() throws IOException {
      Path file = before.file;
      if (!now.equals(Version.of(file))) {
        throw new IOException(
            DefinitionFile.name(file) + " was changed meanwhile, and stays as it is");
      }
      if (before.content == null) {
        Files.delete(file);
        return;
      }
      try (TrustedFile.Pending pending = TrustedFile.prepare(file, Text.bytes(before.content))) {
        pending.commit(/* durable= */ true);
      }
      Files.setPosixFilePermissions(file, before.permissions);
    }
  }

  /** What tells a file as it is now from all others, and from what it will be. */
  private record Version(@Nullable Object key, FileTime modified, long size) {
    /** That of a file; null if there is none. */
    static @Nullable Version of(Path file) throws IOException {
      BasicFileAttributes attributes =
          file.getFileSystem()
              .provider()
              .readAttributesIfExists(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return attributes == null
          ? null
          : new Version(attributes.fileKey(), attributes.lastModifiedTime(), attributes.size());
    }
  }

  /**
   * A start.
   *
   * @param definition all options, and the program
   * @param save whether to write that as the daemon's definition
   */
  NamedStart(RequestedDaemon daemon, Definition definition, boolean save) {
    this.daemon = daemon;
    this.definition = definition;
    this.save = save;
  }

  RequestedDaemon daemon() {
    return daemon;
  }

  /** Adds the files that this class writes, so that no option has one of them for its own. */
  void addFiles(FilePurposes purposes) {
    Path file = daemon.definitionFile();
    purposes.add("the definition of " + daemon, file, /* output= */ false);
    purposes.add("the former definition of " + daemon, beside(file), /* output= */ false);
    purposes.add("the record of " + daemon, daemon.recordFile(), /* output= */ false);
  }

  /**
   * The failure with the line of the definition that it is about, in front of its message.
   *
   * @param failure a failure whose message begins with an option if it is about that
   */
  StartException placed(StartException failure) {
    String message = String.valueOf(failure.getMessage());
    String place = place(failure.reason(), message);
    return place == null
        ? failure
        : new StartException(failure.reason(), failure.exitCode(), place + ": " + message);
  }

  private @Nullable String place(Reason reason, String message) {
    if (message.startsWith("--")) {
      return definition.place(message);
    }
    if (reason == Reason.PROGRAM) {
      return definition.programPlace();
    }
    return reason == Reason.ACCOUNT || message.startsWith("cannot become ")
        ? accountPlace(message)
        : null;
  }

  /** Where the user or group was read that a message has at its end. */
  private @Nullable String accountPlace(String message) {
    String first = null;
    boolean ofGroup =
        message.startsWith("unknown group") || message.startsWith("cannot become group");
    for (Definition.Line line : definition.lines()) {
      CommandOption option = line.option();
      boolean user = option == CommandOption.USER;
      boolean group = option == CommandOption.GROUP || option == CommandOption.GROUPS;
      if (line.place() == null || line.value() == null || !(user || (group && ofGroup))) {
        continue;
      }
      first = first == null ? line.place() : first;
      String[] names = Text.readable(line.value()).split("[:,]", -1);
      for (int i = user && ofGroup ? 1 : 0; i < names.length; i++) {
        if (message.endsWith(": " + names[i])) {
          return line.place();
        }
      }
    }
    return first;
  }

  /** What has changed in the definition since the daemon was started; null for nothing. */
  @Nullable String changed() {
    return definition.programPlace() == null ? null : daemon.changed();
  }

  /**
   * Makes the directories of the daemon's files that are missing.
   *
   * @param standardOutput the file of its output; null for none
   * @return what was made
   */
  MadeDirectories makeDirectories(@Nullable Path standardOutput) {
    DaemonDirectories directories = daemon.directories();
    MadeDirectories made = directories.make(daemon.log().equals(standardOutput));
    if (save) {
      try {
        directories.makeDefinitions(made);
      } catch (StartException failure) {
        made.undo(failure);
        throw failure;
      }
    }
    return made;
  }

  /**
   * Whether a file's directory is missing, and is made by {@link #makeDirectories}.
   *
   * @param standardOutput the file of the daemon's output; null for none
   */
  boolean makes(Path file, @Nullable Path standardOutput) {
    DaemonDirectories directories = daemon.directories();
    Path directory = file.getParent();
    return directory != null
        && !Files.exists(directory)
        && (directory.equals(directories.runtime())
            || (directory.equals(directories.logs()) && daemon.log().equals(standardOutput)));
  }

  /**
   * Checks whether the files could be written, and changes nothing.
   *
   * @param standardOutput the file of the daemon's output; null for none
   */
  void check(@Nullable Path standardOutput) {
    daemon.directories().check(daemon.log().equals(standardOutput));
    checkCreation(daemon.recordFile());
    String _ = content(daemon.recordFile());
    if (save) {
      String _ = content(daemon.definitionFile());
      checkCreation(daemon.definitionFile());
    }
  }

  /** Checks whether a file could be made, and the directories above it that are missing. */
  static void checkCreation(Path file) {
    List<Path> missing = MadeDirectories.missingAbove(file);
    Path directory = (missing.isEmpty() ? file : missing.getFirst()).getParent();
    if (directory != null && !FileAccess.mayCreateIn(directory)) {
      throw new StartException(
          Reason.FILE, DefinitionFile.name(file) + ": no permission to create it");
    }
  }

  /**
   * Writes the temporary files, if they are not there.
   *
   * @param executable the path of the program, which is written in place of its name
   * @param readers the paths of those that read its output, by their names
   * @param foreground whether it is started by {@code run}
   * @param revocable whether the start may be taken back after {@link #started}
   */
  void prepare(
      Path executable, Map<String, String> readers, boolean foreground, boolean revocable) {
    if (record != null) {
      return;
    }
    this.revocable = revocable;
    Definition started = definition.withPaths(Text.ofBytes(NativePath.bytes(executable)), readers);
    try {
      if (revocable) {
        String _ = content(daemon.recordFile());
        String _ = save ? content(beside(daemon.definitionFile())) : null;
      }
      record = StartedFile.prepare(daemon.recordFile(), started, foreground);
      if (save) {
        prepareDefinition(started);
      }
    } catch (RuntimeException failure) {
      undo(failure);
      throw failure;
    }
  }

  /** A definition that says the same is left as it is, with its comments. */
  private void prepareDefinition(Definition started) {
    Path file = daemon.definitionFile();
    definitionBefore = content(file);
    if (definitionBefore != null && isSame(definitionBefore, started)) {
      return;
    }
    saved = DefinitionFile.prepare(file, started);
    if (definitionBefore != null) {
      try {
        old = TrustedFile.prepare(beside(file), Text.bytes(definitionBefore));
      } catch (IOException failure) {
        throw new StartException(Reason.FILE, failure);
      }
    }
  }

  private static @Nullable String content(Path file) {
    return DefinitionFile.content(file, Identity.effectiveUser());
  }

  /** Keeps the definition as it is now: it may have been edited while the program got ready. */
  private void keepOld() throws IOException {
    Path file = daemon.definitionFile();
    String now = content(file);
    if (now != null && !now.equals(definitionBefore)) {
      definitionBefore = now;
      if (old != null) {
        old.close();
      }
      old = TrustedFile.prepare(beside(file), Text.bytes(now));
    }
    if (old != null) {
      commit(old, beside(file), /* durable= */ true);
    }
  }

  /** Whether a definition says the same, with the path that was found or the name that is meant. */
  private boolean isSame(String before, Definition started) {
    try {
      Definition defined = Definition.parse(before, "");
      return defined.differences(started).isEmpty()
          && areSame(defined.programNames(), started.programNames(), definition.programNames());
    } catch (StartException noDefinition) {
      return false;
    }
  }

  private static boolean areSame(List<String> defined, List<String> started, List<String> typed) {
    for (int i = 0; i < defined.size(); i++) {
      String name = defined.get(i);
      if (!name.equals(started.get(i)) && (name.indexOf('/') >= 0 || !name.equals(typed.get(i)))) {
        return false;
      }
    }
    return true;
  }

  /** The name of the definition that was replaced. */
  private static Path beside(Path file) {
    return NativePath.of(Text.bytes(Text.ofBytes(NativePath.bytes(file)).concat(OLD)));
  }

  /**
   * Gives the temporary files their names, when the program runs. A failure is only told.
   *
   * @param pid the daemon's process id
   */
  void started(long pid, Terminal terminal) {
    try {
      if (record != null) {
        StartedFile.complete(record, pid, daemon.pidFile());
        // After a power failure the daemon does not run, so this need not be on the disk.
        commit(record, daemon.recordFile(), /* durable= */ false);
      }
    } catch (IOException | StartException failure) {
      notWritten("what it was started with", failure, terminal);
      close(record, failure);
    }
    try {
      if (saved != null) {
        keepOld();
        commit(saved, daemon.definitionFile(), /* durable= */ true);
        terminal.step("wrote " + DefinitionFile.name(daemon.definitionFile()));
      }
    } catch (IOException | StartException failure) {
      notWritten("its definition", failure, terminal);
      close(old, failure);
      close(saved, failure);
    }
  }

  /** Gives a temporary file its name, and remembers what it replaces if that may be taken back. */
  private void commit(TrustedFile.Pending pending, Path file, boolean durable) throws IOException {
    Before before = revocable ? Before.of(file) : null;
    // Its name is all that changes: whatever is different later is somebody else's change.
    Version now = revocable ? Version.of(pending.temporary()) : null;
    pending.commit(durable);
    if (before != null && now != null) {
      replaced.addFirst(new Replaced(before, now));
    }
  }

  private void notWritten(String what, Exception failure, Terminal terminal) {
    terminal.error(
        ActionWords.WARNING
            + daemon
            + " is started, but "
            + what
            + " is not written: "
            + failure.getMessage());
  }

  /**
   * Restores the files that the temporary ones have replaced, if they have got their names already,
   * and removes the others. A definition that was changed meanwhile stays, and so does the one that
   * it has replaced, under its new name.
   *
   * @param reason why; failures of this method are added to it as suppressed
   */
  void takeBack(Throwable reason, Terminal terminal) {
    boolean stays = false;
    for (Replaced file : replaced) {
      if (stays && file.before.file.equals(beside(daemon.definitionFile()))) {
        continue;
      }
      try {
        file.restore();
      } catch (IOException left) {
        stays |= file.before.file.equals(daemon.definitionFile());
        terminal.clear();
        terminal.error(ActionWords.WARNING + left.getMessage());
        reason.addSuppressed(left);
      }
    }
    replaced.clear();
    undo(reason);
  }

  /**
   * Removes the temporary files that have not got their names.
   *
   * @param reason why; failures of this method are added to it as suppressed
   */
  void undo(Throwable reason) {
    close(record, reason);
    close(saved, reason);
    close(old, reason);
    record = null;
    saved = null;
    old = null;
  }

  private static void close(TrustedFile.@Nullable Pending pending, Throwable reason) {
    if (pending != null) {
      Cleanup.close(pending, reason);
    }
  }
}
