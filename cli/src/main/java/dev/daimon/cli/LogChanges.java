package dev.daimon.cli;

import static java.nio.file.StandardWatchEventKinds.ENTRY_CREATE;
import static java.nio.file.StandardWatchEventKinds.ENTRY_DELETE;
import static java.nio.file.StandardWatchEventKinds.ENTRY_MODIFY;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Waits until something happens to logs: by inotify, and at most a second. That is for what inotify
 * does not tell: changes by other hosts, a log that was moved to another directory, a directory
 * that comes back.
 */
final class LogChanges implements AutoCloseable {
  private final List<FollowedLog> logs;

  /** Null if the user has too many already. */
  private final @Nullable WatchService service;

  LogChanges(List<FollowedLog> logs) {
    this.logs = logs;
    service = open();
    watch();
  }

  private static @Nullable WatchService open() {
    try {
      return FileSystems.getDefault().newWatchService();
    } catch (IOException tooMany) {
      return null;
    }
  }

  /** Watches the directories that the paths lead to now; one that is watched stays so. */
  private void watch() {
    if (service != null) {
      for (FollowedLog log : logs) {
        watch(service, log.path());
        watch(service, log.realPath());
      }
    }
  }

  private static void watch(WatchService service, Path file) {
    Path directory = file.getParent();
    if (directory != null) {
      try {
        WatchKey _ = directory.register(service, ENTRY_CREATE, ENTRY_MODIFY, ENTRY_DELETE);
      } catch (IOException missing) {
        return;
      }
    }
  }

  /** Waits. An event of another file in the directory is none. */
  void await() throws InterruptedException {
    if (service == null) {
      TimeUnit.SECONDS.sleep(1);
      return;
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
    WatchKey key;
    while ((key = service.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS)) != null) {
      boolean ofLog = false;
      for (WatchEvent<?> event : key.pollEvents()) {
        ofLog |= isOfLog(event);
      }
      if (!key.reset() || ofLog) {
        return;
      }
    }
    watch();
  }

  /** Whether it is of a log, or of one that was renamed: then its name is longer in most cases. */
  private boolean isOfLog(WatchEvent<?> event) {
    if (!(event.context() instanceof Path changed)) {
      // There were more than could be told.
      return true;
    }
    String name = changed.toString();
    for (FollowedLog log : logs) {
      if (name.startsWith(name(log.path())) || name.startsWith(name(log.realPath()))) {
        return true;
      }
    }
    return false;
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  @Override
  public void close() throws IOException {
    if (service != null) {
      service.close();
    }
  }
}
