package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;

/** Loads what most child JVMs of the tests load, so that an archive of classes has it. */
final class Archived {
  private Archived() {}

  public static void main(String[] args) throws IOException {
    TreeSet<String> words = new TreeSet<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      all.forEach(one -> words.add(one.getFileName().toString()));
    }
    words.addAll(Files.readAllLines(Path.of("/proc/self/status")));
    words.removeIf(word -> word.matches("Pid:.*") || "Uid".equals(word.split("\t", -1)[0]));
    Process process = new ProcessBuilder("true").start();
    int ended = process.onExit().thenApply(Process::exitValue).join();
    Runnable shutdown = () -> words.clear();
    Runtime.getRuntime().addShutdownHook(new Thread(shutdown));
    try (Spawning spawning = new Spawning()) {
      List<byte[]> argv = List.of("true".getBytes(UTF_8));
      int pid = spawning.spawn("/bin/true".getBytes(UTF_8), argv, List.of());
      int[] leader = new int[1];
      int detached = spawning.detach(022, "/bin/true".getBytes(UTF_8), argv, List.of(), leader);
      int[] status = new int[1];
      ended += Processes.waitpid(pid, status, 0);
      ended += Processes.waitpid(leader[0], status, Processes.__WALL);
      ended += CompletableFuture.supplyAsync(() -> detached).join();
    }
    if (ended < 0) {
      System.out.println("%d words, %d".formatted(words.size(), ended));
    }
  }
}
