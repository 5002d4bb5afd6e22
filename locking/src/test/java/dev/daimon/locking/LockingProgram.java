package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the tests start as another process. */
final class LockingProgram {
  private LockingProgram() {}

  /**
   * {@code hold PATH}: locks, writes its process id, says "held", and ends with its input. {@code
   * adopt PATH DESCRIPTOR}: the same with an inherited descriptor. {@code acquire PATH} and {@code
   * isHeld PATH} print what comes of it. {@code compete PATH WITNESS ROUNDS}: see {@link #compete}.
   */
  public static void main(String[] arguments) throws IOException {
    Path path = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "hold" -> {
        try (SingletonLock lock = SingletonLock.acquire(path)) {
          hold(lock);
        }
      }
      case "adopt" -> {
        Descriptor inherited = Descriptor.adopt(Integer.parseInt(arguments[2]));
        try (SingletonLock lock = SingletonLock.adopt(path, inherited)) {
          hold(lock);
        }
      }
      case "acquire" -> {
        try (SingletonLock lock = SingletonLock.acquire(path)) {
          System.out.println("acquired " + lock.path());
        } catch (IOException e) {
          System.out.println(e.getMessage());
        }
      }
      case "isHeld" -> System.out.println(SingletonLock.isHeld(path));
      case "compete" -> compete(path, Path.of(arguments[2]), Integer.parseInt(arguments[3]));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void hold(SingletonLock lock) throws IOException {
    lock.write(ProcessHandle.current().pid());
    System.out.println("held");
    System.in.read();
  }

  /**
   * Wins the lock so many times, writes, and removes the file each time. While it is held nobody
   * else may hold it: the witness, a directory, is made and removed, and two holders cannot both
   * make it.
   */
  static void compete(Path path, Path witness, int rounds) throws IOException {
    long pid = ProcessHandle.current().pid();
    int won = 0;
    while (won < rounds) {
      try (SingletonLock lock = SingletonLock.acquire(path)) {
        try {
          Files.createDirectory(witness);
        } catch (FileAlreadyExistsException e) {
          throw new AssertionError("two processes hold the lock", e);
        }
        lock.write(pid);
        if (!Files.readString(path).equals(pid + "\n")) {
          throw new AssertionError("the locked file is not the one at its path");
        }
        Files.delete(witness);
        if (!lock.remove()) {
          throw new AssertionError("somebody else removed the file");
        }
        won++;
      } catch (LockHeldException e) {
        Thread.onSpinWait();
      }
    }
  }
}
