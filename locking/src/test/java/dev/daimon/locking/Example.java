package dev.daimon.locking;

import java.io.IOException;
import java.nio.file.Path;

/** The examples of the package's documentation. */
final class Example {
  private Example() {}

  static void acquire(Path path, Runnable work) throws IOException {
    // @start region="acquire"
    try (SingletonLock lock = SingletonLock.acquire(path)) {
      lock.write(ProcessHandle.current().pid());
      work.run();
    } catch (LockHeldException held) {
      System.err.println(held.getMessage()); // /run/indexer.pid is locked by process 4711
    }
    // @end
  }

  static void holders(Path path) throws IOException {
    // @start region="holders"
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      if (file.isLocked()) {
        System.out.println("locked by " + file.holdersInWords()); // locked by process 4711 (java)
      }
    }
    // @end
  }
}
