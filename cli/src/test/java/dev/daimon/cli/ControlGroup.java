package dev.daimon.cli;

import dev.daimon.testing.ProcessSandbox;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A control group with a limit, for what one test starts; see cgroups(7). */
final class ControlGroup implements AutoCloseable {
  private static final Path ROOT = Path.of("/sys/fs/cgroup");

  private final Path directory;

  private ControlGroup(Path directory) {
    this.directory = directory;
  }

  /** Makes a group that can limit the number of processes and threads. */
  static ControlGroup ofProcesses(int limit) throws IOException {
    return make("pids", "pids.max", "pids.max", limit);
  }

  /** Makes a group that can limit the memory. */
  static ControlGroup ofMemory(long bytes) throws IOException {
    return make("memory", "memory.limit_in_bytes", "memory.max", bytes);
  }

  /** Each controller has a hierarchy of its own in version 1; mvnw knows both versions. */
  private static ControlGroup make(String controller, String version1, String version2, long limit)
      throws IOException {
    Path hierarchy = ROOT.resolve(controller);
    boolean isVersion1 = Files.isDirectory(hierarchy);
    Path parent = isVersion1 ? hierarchy : ROOT;
    Path directory =
        Files.createDirectory(parent.resolve("daimon-test-" + ProcessHandle.current().pid()));
    try {
      Files.writeString(directory.resolve(isVersion1 ? version1 : version2), Long.toString(limit));
      forbidSwap(directory, limit);
    } catch (IOException failure) {
      Files.delete(directory);
      throw failure;
    }
    return new ControlGroup(directory);
  }

  /** With swap, memory would be slow and not exhausted. Not every kernel can limit that. */
  private static void forbidSwap(Path directory, long limit) throws IOException {
    Path version1 = directory.resolve("memory.memsw.limit_in_bytes");
    if (Files.exists(version1)) {
      Files.writeString(version1, Long.toString(limit));
    }
    Path version2 = directory.resolve("memory.swap.max");
    if (Files.exists(version2)) {
      Files.writeString(version2, "0");
    }
  }

  /** Returns the command line that runs a command within the group. */
  List<String> command(String... command) {
    List<String> words = new ArrayList<>(List.of("sh", "-c", "echo $$ >$0 && exec \"$@\""));
    words.add(members().toString());
    words.addAll(List.of(command));
    return words;
  }

  private Path members() {
    return directory.resolve("cgroup.procs");
  }

  /** Ends what is in the group, and removes it. */
  @Override
  public void close() throws IOException {
    try {
      ProcessSandbox.await("the end of the group", this::isRemoved);
    } catch (IOException | RuntimeException failure) {
      throw failure;
    } catch (Exception failure) {
      throw new AssertionError(failure);
    }
  }

  private boolean isRemoved() throws IOException {
    for (String pid : Files.readAllLines(members())) {
      ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
    }
    try {
      Files.delete(directory);
      return true;
    } catch (FileSystemException occupied) {
      // A process that has ended is in it for a moment.
      return false;
    }
  }
}
