package dev.daimon.privileges;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.call.Credentials;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Spawning;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;

/** What the tests do in a JVM of its own; it prints what happened. */
final class PrivilegesProgram {
  private PrivilegesProgram() {}

  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "resolve" -> resolve(arguments);
      case "groups" -> groups(arguments);
      case "assume" -> assume(identity(arguments));
      case "assume-among-threads" -> assumeAmongThreads(identity(arguments));
      case "assume-during-access" -> assumeDuringCall(identity(arguments));
      case "assume-after-accesses" -> assumeAfterCalls(identity(arguments));
      case "files" -> call(identity(arguments));
      case "files-files" -> callFiles(identity(arguments), Path.of(arguments[3]));
      case "files-spawn" -> callSpawn(identity(arguments), Path.of(arguments[3]));
      case "files-failures" -> callFailures(identity(arguments));
      case "files-interrupted" -> callInterrupted(identity(arguments));
      case "give" -> give(identity(arguments), Path.of(arguments[3]));
      case "trust" ->
          System.out.println(
              Ownership.mayTrust(Path.of(arguments[1]), Long.parseLong(arguments[2])));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static Identity identity(String[] arguments) throws IOException {
    return identity(arguments[1], arguments[2]);
  }

  private static Identity identity(String user, String group) throws IOException {
    return Identity.of(user.equals("-") ? null : user, group.equals("-") ? null : group);
  }

  private static void resolve(String[] arguments) throws Exception {
    for (int i = 1; i < arguments.length; i += 2) {
      try {
        Identity identity = identity(arguments[i], arguments[i + 1]);
        System.out.println(
            identity
                + " "
                + identity
                    .name()
                    .map(name -> new String(name, StandardCharsets.US_ASCII))
                    .orElse("-")
                + " "
                + identity.home().map(HexFormat.of()::formatHex).orElse("-"));
      } catch (UnknownAccountException unknown) {
        System.out.println(unknown.getMessage());
      }
    }
  }

  /** Prints the groups of users, and what {@code id} says. */
  private static void groups(String[] arguments) throws Exception {
    for (int i = 1; i < arguments.length; i++) {
      int[] ids =
          Arrays.stream(Identity.of(arguments[i], null).groups())
              .mapToInt(id -> (int) id)
              .toArray();
      Process id = new ProcessBuilder("id", "-G", arguments[i]).start();
      System.out.println(
          "[" + ThreadStatus.list(ids) + "] = [" + id.inputReader().readLine() + "]");
    }
  }

  private static void assume(Identity identity) throws Exception {
    System.out.println("current " + identity.isCurrent());
    try {
      PrivilegeDrop.to(identity).applyToProcess();
      System.out.println("assumed");
    } catch (PosixException | CredentialsException refused) {
      System.out.println(refused.getMessage());
    }
    System.out.println("current " + identity.isCurrent());
    credentials().forEach(System.out::println);
  }

  private static void assumeAmongThreads(Identity identity) throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    for (int i = 0; i < 200; i++) {
      Thread.ofPlatform().daemon().start(() -> await(end));
    }
    AtomicBoolean over = new AtomicBoolean();
    CountDownLatch started = new CountDownLatch(50);
    Thread starter =
        Thread.ofPlatform()
            .start(() -> {
              while (!over.get()) {
                Thread.ofPlatform().start(started::countDown);
              }
            });
    await(started);
    PrivilegeDrop.to(identity).applyToProcess();
    over.set(true);
    starter.join();
    System.out.println("200 threads and more " + (new File("/proc/self/task").list().length > 200));
    credentials().forEach(System.out::println);
    System.out.println("setuid " + Credentials.setresuid(0, 0, 0));
    System.out.println("seteuid " + Credentials.setresuid(-1, 0, -1));
    System.out.println("setgid " + Credentials.setresgid(0, 0, 0));
    System.out.println("setgroups " + Credentials.setgroups(new int[] {0}));
    Process id = new ProcessBuilder("id", "-G").start();
    System.out.println("id -G " + id.inputReader().readLine());
    end.countDown();
  }

  private static void assumeDuringCall(Identity identity) throws Exception {
    applyDuring(identity::accessFiles, PrivilegeDrop.to(identity));
    credentials().forEach(System.out::println);
  }

  /** Accesses files in some way. */
  interface Access {
    void run(FileAction<Boolean> action) throws IOException;
  }

  /**
   * Applies a drop while another thread accesses files, says how that is refused, and applies it
   * once more when the access is over.
   */
  static void applyDuring(Access access, PrivilegeDrop drop) throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread caller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                access.run(() -> {
                  running.countDown();
                  await(end);
                  return true;
                });
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    await(running);
    try {
      drop.applyToProcess();
    } catch (CredentialsException refused) {
      System.out.println(refused.getMessage().replaceAll("thread [0-9]+", "thread N"));
    }
    end.countDown();
    caller.join();
    drop.applyToProcess();
  }

  private static void assumeAfterCalls(Identity identity) throws Exception {
    for (int i = 0; i < 100; i++) {
      identity.accessFiles(() -> null);
    }
    PrivilegeDrop.to(identity).applyToProcess();
    credentials().forEach(System.out::println);
  }

  private static void call(Identity identity) throws Exception {
    Thread caller = Thread.currentThread();
    try {
      identity.accessFiles(() -> {
        System.out.println("in the calling thread " + Thread.currentThread().equals(caller));
        System.out.println("own " + ownCredentials());
        // Once more for every other thread.
        credentials().forEach(System.out::println);
        return null;
      });
    } catch (PosixException | CredentialsException refused) {
      System.out.println(refused.getMessage());
    }
    System.out.println("after " + ownCredentials());
  }

  private static void callFiles(Identity identity, Path directory) throws Exception {
    Path secret = directory.resolve("secret");
    String answer =
        identity.accessFiles(() -> {
          Files.createFile(directory.resolve("created"));
          try {
            return Files.readString(secret);
          } catch (AccessDeniedException denied) {
            return "denied";
          }
        });
    System.out.println(answer);
    System.out.println(Files.readString(secret));
  }

  /** Starts {@code id} by a drop to the identity. */
  private static void callSpawn(Identity identity, Path directory) throws Exception {
    for (String option : List.of("-u", "-g", "-G")) {
      Path output = directory.resolve("id" + option);
      Files.createFile(output);
      Descriptor descriptor =
          Descriptor.adopt(
              dev.daimon.posix.call.Files.open(
                  output.toString().getBytes(StandardCharsets.UTF_8),
                  dev.daimon.posix.call.Files.O_WRONLY,
                  0));
      int pid =
          PrivilegeDrop.to(identity)
              .start(change -> {
                System.out.println("own " + ownCredentials());
                try (Spawning spawning = new Spawning()) {
                  spawning.addDup2(descriptor.number(), 1);
                  spawning.setUser(change);
                  return PosixException.check(
                      spawning.spawn(
                          bytes("/usr/bin/id"), List.of(bytes("id"), bytes(option)), List.of()),
                      "posix_spawn",
                      "id");
                }
              });
      int[] status = new int[1];
      PosixException.check(Processes.waitpid(pid, status, 0), "waitpid", pid);
      descriptor.close();
      System.out.println(option + " " + status[0] + " " + Files.readString(output).strip());
    }
    credentials().forEach(System.out::println);
  }

  /** Throws a checked exception, as other languages do everywhere. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <T, E extends Throwable> T undeclared(Throwable failure) throws E {
    throw (E) failure;
  }

  private static void callFailures(Identity identity) throws Exception {
    try {
      identity.accessFiles(() -> undeclared(new InterruptedException("d")));
    } catch (UndeclaredThrowableException undeclared) {
      System.out.println(undeclared.getCause());
    }
    for (Throwable failure :
        List.of(new IOException("a"), new IllegalStateException("b"), new AssertionError("c"))) {
      try {
        identity.accessFiles(() -> {
          switch (failure) {
            case IOException exception -> throw exception;
            case RuntimeException exception -> throw exception;
            case Error error -> throw error;
            default -> throw new AssertionError();
          }
        });
        System.out.println("nothing thrown");
      } catch (IOException | IllegalStateException | AssertionError thrown) {
        System.out.println("the same " + thrown.equals(failure));
      }
    }
  }

  private static void callInterrupted(Identity identity) throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread caller = Thread.currentThread();
    Thread.ofPlatform()
        .start(() -> {
          await(running);
          caller.interrupt();
          // It waits on all the same: its own flag is down only inside the second join.
          while (caller.isInterrupted()) {
            Thread.onSpinWait();
          }
          end.countDown();
        });
    String result =
        identity.accessFiles(() -> {
          running.countDown();
          await(end);
          return "the action ended by itself";
        });
    System.out.println(result);
    System.out.println("interrupted " + Thread.interrupted());
  }

  private static void give(Identity identity, Path path) throws Exception {
    try (Descriptor descriptor =
        Descriptor.adopt(
            dev.daimon.posix.call.Files.open(
                path.toString().getBytes(StandardCharsets.UTF_8),
                dev.daimon.posix.call.Files.O_RDONLY,
                0))) {
      Ownership.give(descriptor, path, identity, true);
      System.out.println("given");
    } catch (PosixException refused) {
      System.out.println(refused.getMessage());
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(30, SECONDS)) {
        throw new AssertionError("too late");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The different credentials of this process's threads. */
  private static Set<String> credentials() throws IOException {
    Set<String> all = new TreeSet<>();
    for (String thread : new File("/proc/self/task").list()) {
      try {
        all.add(credentials(Path.of("/proc/self/task", thread, "status")));
      } catch (IOException gone) {
        // A thread that has ended since, or is just ending.
        if (new File("/proc/self/task", thread).exists()) {
          throw gone;
        }
      }
    }
    return all;
  }

  private static String ownCredentials() throws IOException {
    return credentials(Path.of("/proc/thread-self/status"));
  }

  private static String credentials(Path status) throws IOException {
    List<String> values = new ArrayList<>();
    for (String line : Files.readAllLines(status)) {
      String[] field = line.split(":\\s*", 2);
      if (Set.of("Uid", "Gid", "Groups").contains(field[0])) {
        values.add(field[0].toLowerCase(Locale.ROOT) + " " + field[1].strip().replace('\t', ' '));
      }
      if (field[0].equals("CapEff")) {
        values.add(field[1].matches("0+") ? "powerless" : "powerful");
      }
    }
    return String.join(", ", values);
  }
}
