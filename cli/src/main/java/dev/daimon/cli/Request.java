package dev.daimon.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code daimon start} or {@code daimon run} was asked for; every value is checked by itself.
 */
final class Request {
  boolean foreground;
  @Nullable Path pidFile;
  @Nullable Path lockFile;
  boolean lock = true;
  Path directory = Path.of("/");
  int umask = 022;
  @Nullable Path standardOutput;
  @Nullable Path standardError;
  boolean append;
  @Nullable String user;
  @Nullable String group;
  boolean closeDescriptors = true;
  List<Integer> keptDescriptors = List.of();

  /** Each as NAME=VALUE. */
  List<String> variables = List.of();

  @Nullable String programName;
  boolean verbose;
  boolean dryRun;

  /** The program and its arguments; not empty. */
  List<String> command = List.of();
}
