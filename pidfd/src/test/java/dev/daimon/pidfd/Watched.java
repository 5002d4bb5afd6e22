package dev.daimon.pidfd;

import dev.daimon.testing.Proc;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What the kernel and the JVM say of the watcher, which is one for all. */
final class Watched {
  private Watched() {}

  /** How many pidfds are registered with an epoll instance of this JVM. */
  static int registrations() throws IOException {
    Map<Integer, String> descriptors = Proc.descriptors("self");
    int count = 0;
    for (int epoll : epolls(descriptors)) {
      for (String line : information(epoll)) {
        if (line.startsWith("tfd:")) {
          int target = Integer.parseInt(line.substring(4).strip().split(" ", 2)[0]);
          count += descriptors.getOrDefault(target, "").contains("pidfd") ? 1 : 0;
        }
      }
    }
    return count;
  }

  /** What the kernel says of a descriptor; nothing if the watcher has closed it meanwhile. */
  private static List<String> information(int descriptor) throws IOException {
    try {
      return Files.readAllLines(Path.of("/proc/self/fdinfo/" + descriptor));
    } catch (NoSuchFileException closed) {
      return List.of();
    }
  }

  /** How many pidfds this JVM has open. */
  static int pidfds() throws IOException {
    int count = 0;
    for (String leadsTo : Proc.descriptors("self").values()) {
      count += leadsTo.contains("pidfd") ? 1 : 0;
    }
    return count;
  }

  /** The epoll instances of this JVM, which makes none of its own without sockets. */
  static List<Integer> epolls() throws IOException {
    return epolls(Proc.descriptors("self"));
  }

  private static List<Integer> epolls(Map<Integer, String> descriptors) {
    return descriptors.keySet().stream()
        .filter(fd -> descriptors.get(fd).equals("anon_inode:[eventpoll]"))
        .toList();
  }

  /** The time that the watching thread has spent on a processor, in nanoseconds. */
  static long processorTime() throws IOException {
    for (File task : Objects.requireNonNull(new File("/proc/self/task").listFiles())) {
      if (Files.readString(task.toPath().resolve("comm")).strip().equals(Watcher.THREAD)) {
        String times = Files.readString(task.toPath().resolve("schedstat"));
        return Long.parseLong(times.substring(0, times.indexOf(' ')));
      }
    }
    throw new AssertionError("nobody watches");
  }

  /** The watching threads. */
  static List<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals(Watcher.THREAD))
        .toList();
  }
}
