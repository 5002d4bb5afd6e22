package dev.daimon.privileges;

import dev.daimon.posix.Capability;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.Resource;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.call.Capabilities;
import dev.daimon.posix.call.Limits;
import dev.daimon.posix.call.Processes;
import dev.daimon.posix.call.Spawning;
import dev.daimon.posix.call.SystemCallFilter;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** What {@link PrivilegeDropTest} does in a JVM of its own; it prints what happened. */
final class DropChild {
  private DropChild() {}

  public static void main(String[] arguments) throws Exception {
    List<String> words = Arrays.asList(arguments);
    try {
      switch (arguments[0]) {
        case "assume" -> {
          drop(words).applyToProcess();
          System.out.println("assumed");
        }
        case "assume-and-verify" -> {
          try {
            drop(words).applyToProcess();
          } finally {
            drop(words).verify();
          }
          System.out.println("assumed");
        }
        case "verify" -> {
          drop(words).verify();
          System.out.println("verified");
        }
        case "assume-among-threads" -> assumeAmongThreads(drop(words));
        case "assume-with-filters" -> assumeWithFilters(drop(words));
        case "assume-during-access" -> assumeDuringAccess(drop(words));
        case "assume-during-start" -> assumeDuringStart(drop(words));
        case "start-without-descriptors" -> startWithoutDescriptors(drop(words));
        case "spawn" -> {
          spawn(drop(words));
          return;
        }
        default -> throw new IllegalArgumentException(arguments[0]);
      }
    } catch (IOException | IllegalStateException | UnsupportedOperationException refused) {
      System.out.println(
          String.valueOf(refused.getMessage()).replaceAll("thread [0-9]+", "thread N"));
    }
    facts().forEach(System.out::println);
  }

  private static PrivilegeDrop drop(List<String> words) throws IOException {
    PrivilegeDrop.Builder builder = PrivilegeDrop.builder();
    String user = null;
    String group = null;
    List<String> groups = null;
    for (String word : words) {
      String value = word.substring(word.indexOf('=') + 1);
      switch (word.split("=", -1)[0]) {
        case "user" -> user = value;
        case "group" -> group = value;
        case "groups" -> groups = value.isEmpty() ? List.of() : List.of(value.split(",", -1));
        case "nice" -> builder.niceness(Integer.parseInt(value));
        case "oom" -> builder.oomScoreAdjust(Integer.parseInt(value));
        case "limit" -> builder.limit(ResourceLimit.parse(value));
        case "nnp" -> builder.noNewPrivileges();
        case "root" -> builder.rootDirectory(Path.of(value));
        case "keep" -> {
          Set<Capability> kept = EnumSet.noneOf(Capability.class);
          for (String name : value.isEmpty() ? new String[0] : value.split(",", -1)) {
            kept.add(Capability.parse(name));
          }
          builder.keepCapabilities(kept);
        }
        default -> {}
      }
    }
    if (user != null || group != null) {
      Identity identity = Identity.of(user, group);
      builder.identity(groups == null ? identity : identity.withGroups(groups));
    }
    return builder.build();
  }

  /** 200 threads stay, and others come and go meanwhile. */
  private static void assumeAmongThreads(PrivilegeDrop drop) throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    for (int i = 0; i < 200; i++) {
      Thread.ofPlatform().daemon().start(() -> await(end));
    }
    CountDownLatch over = new CountDownLatch(1);
    CountDownLatch started = new CountDownLatch(50);
    Thread starter =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              while (over.getCount() > 0) {
                Thread.ofPlatform().daemon().start(started::countDown);
              }
            });
    await(started);
    drop.applyToProcess();
    drop.verify();
    over.countDown();
    starter.join();
    System.out.println("more than 200 " + (threads().length > 200));
  }

  /** Another thread has a system call filter, which this one has not. */
  private static void assumeWithFilters(PrivilegeDrop drop) throws Exception {
    CountDownLatch filtered = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          int _ = Capabilities.setNoNewPrivileges();
          int _ = SystemCallFilter.allowEverything(0);
          filtered.countDown();
          await(end);
        });
    await(filtered);
    drop.applyToProcess();
  }

  /** Applies the drop while another thread has no capabilities, and once more when that is over. */
  private static void assumeDuringAccess(PrivilegeDrop drop) throws Exception {
    PrivilegeDrop powerless = PrivilegeDrop.builder().keepCapabilities(Set.of()).build();
    PrivilegesProgram.applyDuring(powerless::accessFiles, drop);
  }

  /** Another thread applies the drop during an action of a start with the highest score. */
  private static void assumeDuringStart(PrivilegeDrop drop) throws Exception {
    Thread applying =
        Thread.ofPlatform()
            .unstarted(() -> {
              try {
                drop.applyToProcess();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    PrivilegeDrop starting = PrivilegeDrop.builder().oomScoreAdjust(OomScore.MAX).build();
    starting.start(_ -> {
      applying.start();
      while (applying.isAlive() && applying.getState() != Thread.State.BLOCKED) {
        Thread.onSpinWait();
      }
      return null;
    });
    applying.join();
  }

  /** Two actions, of which the second one fails, leave no descriptor free. */
  private static void startWithoutDescriptors(PrivilegeDrop drop) throws IOException {
    int files = Resource.NOFILE.number();
    long[] limit = new long[2];
    int _ = Limits.getrlimit(0, files, limit);
    for (boolean fails : new boolean[] {false, true}) {
      try {
        boolean _ =
            drop.start(_ -> {
              int _ = Limits.setrlimit(files, 0, limit[1]);
              if (fails) {
                throw new IOException("failed");
              }
              return true;
            });
        System.out.println("started");
      } finally {
        int _ = Limits.setrlimit(files, limit[0], limit[1]);
      }
    }
  }

  /** What a program that is spawned by an action says of itself. */
  private static void spawn(PrivilegeDrop drop) throws Exception {
    // Where an ordinary user may make it.
    Path output = Files.createTempFile("daimon-privileges", "output");
    String script =
        "id -u; id -g; id -G; nice; pwd; [ -e /proc/self/status ] || echo no proc; grep -shE"
            + " '^(NoNewPrivs|Cap)|^-?[0-9]+$' /proc/self/status /proc/self/oom_score_adj";
    try {
      byte[] path = output.toString().getBytes(StandardCharsets.UTF_8);
      int flags = dev.daimon.posix.call.Files.O_WRONLY;
      int[] status = new int[1];
      try (Descriptor descriptor =
              Descriptor.adopt(dev.daimon.posix.call.Files.open(path, flags, 0));
          Spawning spawning = new Spawning()) {
        int _ = spawning.addDup2(descriptor.number(), 1);
        List<byte[]> argv = List.of(bytes("sh"), bytes("-c"), bytes(script));
        List<byte[]> envp = List.of(bytes("PATH=/usr/bin:/bin"));
        // Its classes are needed where they may be out of reach.
        int first = spawning.spawn(bytes("/no/such"), argv, envp);
        int pid =
            drop.start(change -> {
              spawning.setUser(change);
              return spawning.spawn(bytes("/bin/sh"), argv, envp);
            });
        PosixException.check(Processes.waitpid(pid, status, 0), "waitpid", pid + " " + first);
      }
      System.out.println(Files.readString(output).strip());
    } catch (IOException | IllegalStateException refused) {
      System.out.println(refused.getMessage());
    } finally {
      Files.delete(output);
    }
    // This process is as it was.
    facts().forEach(System.out::println);
  }

  /** What the threads of this process are, once each, and what the process is. */
  private static List<String> facts() throws IOException {
    Set<String> all = new TreeSet<>();
    for (String thread : threads()) {
      try {
        all.add(threadFacts(thread));
      } catch (IOException gone) {
        if (new File("/proc/self/task", thread).exists()) {
          throw gone;
        }
      }
    }
    long[] core = new long[2];
    int _ = Limits.getrlimit(0, Resource.CORE.number(), core);
    List<String> facts = new ArrayList<>(all);
    facts.add(
        "core "
            + core[0]
            + ":"
            + core[1]
            + ", oom "
            + Files.readString(Path.of("/proc/self/oom_score_adj")).strip());
    return facts;
  }

  private static String threadFacts(String thread) throws IOException {
    List<String> facts = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/self/task", thread, "status"))) {
      String[] field = line.split(":\\s*", 2);
      switch (field[0]) {
        case "Uid", "Gid" -> {
          Set<String> ids = new TreeSet<>(List.of(field[1].split("\\s+", -1)));
          facts.add((field[0].equals("Uid") ? "uid " : "gid ") + String.join(" ", ids));
        }
        case "Groups" -> facts.add("groups " + field[1].strip());
        case "NoNewPrivs" -> facts.add(field[1].equals("1") ? "shut" : "open");
        case "CapEff" -> facts.add(field[1].matches("0+") ? "powerless" : "powerful");
        default -> {}
      }
    }
    int[] niceness = new int[1];
    int _ = Limits.getpriority(Integer.parseInt(thread), niceness);
    facts.add("nice " + niceness[0]);
    return String.join(", ", facts);
  }

  private static String[] threads() {
    return Objects.requireNonNull(new File("/proc/self/task").list());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static void await(CountDownLatch latch) {
    try {
      if (!latch.await(60, TimeUnit.SECONDS)) {
        throw new AssertionError("too late");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
