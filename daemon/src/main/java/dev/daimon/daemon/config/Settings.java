package dev.daimon.daemon.config;

import dev.daimon.daemon.handover.LaunchContext;
import dev.daimon.daemon.javacommand.ProgramName;
import dev.daimon.daemon.javacommand.RelaunchCommand;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.NativeAccessException;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import dev.daimon.startup.FileSet;
import dev.daimon.startup.OutputPaths;
import dev.daimon.startup.StartException;
import dev.daimon.startup.TargetIdentity;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values of a configuration.
 *
 * <p>A builder sets the fields, and {@link #complete} copies them for each configuration that it
 * builds. Nobody else sets them.
 */
public final class Settings implements Cloneable {
  /** The daemon's umask unless it is set: only the owner may write. */
  public static final int DEFAULT_UMASK = 022;

  /** How long the launcher waits unless it is set. */
  public static final Duration DEFAULT_READY_TIMEOUT = Duration.ofMinutes(1);

  /** The daemon's name, not checked yet. */
  public @Nullable String name;

  /** The directories in which the name's files are; only in complete settings. */
  public @Nullable DaemonDirectories directories;

  /** Whether standard output leads to the name's log; only in complete settings. */
  public boolean namesLog;

  /** In complete settings also set if only the name was set. */
  public @Nullable Path pidFile;

  public @Nullable Path lockFile;
  public @Nullable Path workingDirectory;
  public boolean preserveWorkingDirectory;
  public int umask = DEFAULT_UMASK;
  public @Nullable Path standardOutput;

  /** In complete settings also set if only standard output was set. */
  public @Nullable Path standardError;

  public boolean truncate;
  public @Nullable String user;
  public @Nullable String group;
  public @Nullable List<String> groups;
  public List<ResourceLimit> resourceLimits = new ArrayList<>();
  public @Nullable Integer niceness;
  public @Nullable Integer oomScoreAdjust;
  public boolean noNewPrivileges;
  public Map<String, String> environment = new LinkedHashMap<>();
  public @Nullable String programName;
  public Map<String, Descriptor> kept = new LinkedHashMap<>();
  public @Nullable Boolean closeDescriptors;
  public boolean removePidFileOnClose = true;
  public boolean captureOutput;
  public boolean inheritStandardErrorUntilReady;
  public List<String> jvmArguments = new ArrayList<>();
  public Duration readyTimeout = DEFAULT_READY_TIMEOUT;
  public @Nullable Integer readinessDescriptor;
  public boolean foreground;
  public boolean simulate;

  /** Returns a copy that does not change with this, with the files chosen that were not set. */
  public Settings complete() {
    Settings complete = copy();
    if (complete.name != null && complete.pidFile == null) {
      complete.place(complete.name);
    }
    if (complete.standardError == null) {
      complete.standardError = OutputPaths.errorBeside(complete.standardOutput);
    }
    return complete;
  }

  /** Gives the files their places by the name; a problem is left to the validation. */
  private void place(String text) {
    try {
      DaemonName checked = new DaemonName(text);
      directories = DaemonDirectories.ofCaller();
      pidFile = directories.pidFile(checked);
      if (standardOutput == null && !captureOutput && !isInProcess()) {
        standardOutput = directories.log(checked);
        namesLog = true;
      }
    } catch (IllegalArgumentException | StartException | NativeAccessException wrong) {
      directories = null;
    }
  }

  /** Returns a copy that does not change with this. */
  public Settings copy() {
    try {
      // No field can be forgotten this way.
      Settings copy = (Settings) clone();
      copy.resourceLimits = new ArrayList<>(resourceLimits);
      copy.environment = new LinkedHashMap<>(environment);
      copy.kept = new LinkedHashMap<>(kept);
      copy.jvmArguments = new ArrayList<>(jvmArguments);
      return copy;
    } catch (CloneNotSupportedException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** Whether the daemon is this very process. */
  public boolean isInProcess() {
    return foreground || simulate;
  }

  /** Whether the daemon gives up more than its user and group. */
  public boolean hasAttributes() {
    return !resourceLimits.isEmpty()
        || niceness != null
        || oomScoreAdjust != null
        || noNewPrivileges;
  }

  public FileSet files() {
    return new FileSet(pidFile, true, lockFile, standardOutput, standardError, truncate);
  }

  /** The daemon's working directory. */
  public Path directory() {
    if (preserveWorkingDirectory) {
      return LaunchContext.find().launchDirectory();
    }
    return workingDirectory == null ? Path.of("/") : workingDirectory;
  }

  /** How messages name the program: as it was set, otherwise as this JVM was told to run it. */
  public String displayName() {
    return programName != null ? programName : ProgramName.ofThisJvm();
  }

  /** The command that runs this program as the daemon; in a simulation it is only checked. */
  public RelaunchCommand relaunchCommand() {
    return RelaunchCommand.of(LaunchContext.find().launchDirectory(), jvmArguments);
  }

  /** The identity that the daemon becomes; null if it keeps its own. */
  public @Nullable Identity identity() {
    return TargetIdentity.resolve(user, group, groups);
  }

  /** As {@link #identity}, and makes sure that this process may become it. */
  public @Nullable Identity permittedIdentity() {
    Identity identity = identity();
    if (identity != null) {
      TargetIdentity.requirePermitted(
          identity, identity.toString(), "; start it as root, or as that user");
    }
    return identity;
  }

  /** All that the daemon gives up; null for nothing. */
  public @Nullable PrivilegeDrop privilegeDrop(@Nullable Identity identity) {
    if (identity == null && !hasAttributes()) {
      return null;
    }
    PrivilegeDrop.Builder builder = PrivilegeDrop.builder();
    if (identity != null) {
      builder.identity(identity);
    }
    for (ResourceLimit limit : resourceLimits) {
      builder.limit(limit);
    }
    if (niceness != null) {
      builder.niceness(niceness);
    }
    if (oomScoreAdjust != null) {
      builder.oomScoreAdjust(oomScoreAdjust);
    }
    if (noNewPrivileges) {
      builder.noNewPrivileges();
    }
    return builder.build();
  }

  /**
   * A line for each setting on which launcher and daemon must agree: all but the descriptors to
   * keep, which only the launcher can name.
   */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add("name=" + name);
    lines.add("pidFile=" + exact(pidFile));
    lines.add("lockFile=" + exact(lockFile));
    lines.add("workingDirectory=" + exact(workingDirectory));
    lines.add("preserveWorkingDirectory=" + preserveWorkingDirectory);
    lines.add("umask=0" + Integer.toOctalString(umask));
    lines.add("standardOutput=" + exact(standardOutput));
    lines.add("standardError=" + exact(standardError));
    lines.add("truncate=" + truncate);
    lines.add("user=" + user);
    lines.add("group=" + group);
    lines.add("groups=" + groups);
    lines.add("resourceLimits=" + resourceLimits);
    lines.add("niceness=" + niceness);
    lines.add("oomScoreAdjust=" + oomScoreAdjust);
    lines.add("noNewPrivileges=" + noNewPrivileges);
    // The values may be secrets, and a difference is printed on a terminal.
    lines.add("environment=" + environment.keySet() + "#" + environment.hashCode());
    lines.add("programName=" + programName);
    lines.add("closeDescriptors=" + closeDescriptors);
    lines.add("removePidFileOnClose=" + removePidFileOnClose);
    lines.add("captureOutput=" + captureOutput);
    lines.add("inheritStandardErrorUntilReady=" + inheritStandardErrorUntilReady);
    lines.add("jvmArguments=" + jvmArguments);
    lines.add("readyTimeout=" + readyTimeout);
    lines.add("readinessDescriptor=" + readinessDescriptor);
    lines.add("foreground=" + foreground);
    lines.add("simulate=" + simulate);
    return lines;
  }

  /** A path by its bytes, those beyond ASCII as {@code %XX}: in some locales its text lost them. */
  private static @Nullable String exact(@Nullable Path path) {
    if (path == null) {
      return null;
    }
    StringBuilder text = new StringBuilder();
    for (byte b : NativePath.bytes(path)) {
      if (b > 0 && b != '%') {
        text.append((char) b);
      } else {
        text.append('%').append(Character.forDigit(b >> 4 & 15, 16));
        text.append(Character.forDigit(b & 15, 16));
      }
    }
    return text.toString();
  }
}
