package dev.daimon.locking;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** What the tests start as another process. */
final class LockingProgram {
  private static final Duration A_MINUTE = Duration.ofMinutes(1);

  private LockingProgram() {}

  /**
   * {@code hold PATH}: locks, writes its process id, says "held", and ends with its input. {@code
   * adopt PATH DESCRIPTOR}: the same with an inherited descriptor. {@code acquire PATH} and {@code
   * isHeld PATH} print what comes of it. {@code query PATH PID}: see {@link #query}. {@code watch
   * PATH ROUNDS}: see {@link #watch}. {@code repeat PATH ROUNDS} locks so many times, and fails if
   * it is refused once. {@code compete PATH WITNESS ROUNDS}: see {@link #compete}.
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
      case "query" -> query(path, Long.parseLong(arguments[2]));
      case "watch" -> watch(path, Integer.parseInt(arguments[2]));
      case "repeat" -> {
        for (int rounds = Integer.parseInt(arguments[2]); rounds > 0; rounds--) {
          SingletonLock.acquire(path).close();
        }
      }
      case "compete" -> compete(path, Path.of(arguments[2]), Integer.parseInt(arguments[3]));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void hold(SingletonLock lock) throws IOException {
    lock.write(ProcessHandle.current().pid());
    System.out.println("held");
    System.in.read();
  }

  /** Prints whether the file is locked, the holders' ids, and whether this process is a holder. */
  private static void query(Path path, long pid) throws IOException {
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      System.out.println(file.isLocked());
      System.out.println(file.holders(A_MINUTE).stream().map(Holder::pid).toList());
      System.out.println(file.isHeldBy(pid));
    } catch (PosixException e) {
      System.out.println(e.getMessage());
    }
  }

  /**
   * Queries so many processes that hold the lock and end at once, of this user, until they do not
   * hold it any more; and at their last one as a zombie.
   */
  static void watch(Path path, int rounds) throws IOException {
    String script =
        "exec 9<\"$0\"; flock -n 9 || exit;"
            + " while read x; [ \"$x\" = next ]; do (:) & echo $!; wait; done;"
            + " exec 3<&0; read x <&3 & echo $!; exec sleep 1000 3<&- 9<&-";
    Process shell = new ProcessBuilder("sh", "-c", script, path.toString()).start();
    try (LockedFile file = LockedFile.open(path).orElseThrow()) {
      for (int i = 0; i < rounds; i++) {
        shell.outputWriter().append("next\n").flush();
        long pid = Long.parseLong(shell.inputReader().readLine());
        while (file.isHeldBy(pid)) {
          Thread.onSpinWait();
        }
      }
      shell.outputWriter().append("last\n").flush();
      long pid = Long.parseLong(shell.inputReader().readLine());
      // The shell might see the end of its child, a sleep does not.
      while (!Proc.status(Long.toString(shell.pid()), "Name").equals("sleep")) {
        Thread.onSpinWait();
      }
      shell.getOutputStream().close();
      while (!Proc.status(Long.toString(pid), "State").startsWith("Z")) {
        Thread.onSpinWait();
      }
      if (file.isHeldBy(pid)) {
        throw new AssertionError("a zombie holds nothing");
      }
    } finally {
      shell.destroyForcibly();
    }
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
