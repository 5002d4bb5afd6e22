package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.locking.SingletonLock;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.StartException;
import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A daemon that starts as root and becomes another user. */
@Tag("root")
class PrivilegesTest {
  private static final int THREADS = 50;

  @RegisterExtension final Facade facade = new Facade();

  /** Binds a privileged port, drops its privileges, and then serves. */
  static final class Drops {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        List<String> facts = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
          Thread thread = new Thread(Drops::sleep);
          thread.setDaemon(true);
          thread.start();
        }
        ServerSocket server = privileged();
        facts.add("before " + credentials() + ", files of " + owners(directory));
        try {
          daemon.ready();
        } catch (IllegalStateException refused) {
          facts.add("refused: " + refused.getMessage());
        }
        daemon.chownFiles();
        facts.add("given " + credentials() + ", files of " + owners(directory));
        daemon.dropPrivileges();
        daemon.dropPrivileges();
        facts.add("after " + credentials());
        facts.add("again " + regained());
        Words.tell(directory, "users/facts", String.join("\n", facts));
        Words.tell(directory, "users/port", Integer.toString(server.getLocalPort()));
        daemon.ready();
        System.out.println("served by the user");
        while (true) {
          try (Socket client = server.accept()) {
            client.getOutputStream().write("served".getBytes(StandardCharsets.US_ASCII));
          }
        }
      }
    }

    private static void sleep() {
      try {
        Words.stay();
      } catch (InterruptedException over) {
        Thread.currentThread().interrupt();
      }
    }

    /** Port 80, or the first one after it that is free. */
    private static ServerSocket privileged() throws IOException {
      for (int port = 80; ; port++) {
        try {
          return new ServerSocket(port, 9, InetAddress.getLoopbackAddress());
        } catch (BindException taken) {
          if (port == 1023) {
            throw taken;
          }
        }
      }
    }

    /** Returns the distinct values of all threads. */
    private static Set<String> credentials() throws IOException {
      Set<String> all = new TreeSet<>();
      String[] threads = Objects.requireNonNull(new File("/proc/self/task").list());
      if (threads.length < THREADS) {
        throw new IOException("only " + threads.length + " threads");
      }
      for (String thread : threads) {
        List<String> fields = new ArrayList<>();
        for (String field : List.of("Uid", "Gid", "Groups", "CapEff")) {
          fields.add(Proc.status("self/task/" + thread, field).replace('\t', ' '));
        }
        all.add(String.join(" | ", fields));
      }
      return all;
    }

    private static String owners(Path directory) throws IOException {
      List<String> owners = new ArrayList<>();
      for (String file : List.of("pid", "lock", "log")) {
        Map<String, Object> owner = Files.readAttributes(directory.resolve(file), "unix:uid,gid");
        owners.add(owner.get("uid") + ":" + owner.get("gid"));
      }
      return String.join(" ", owners);
    }

    private static String regained() {
      try {
        PrivilegeDrop.to(Identity.of("#0", "#0")).applyToProcess();
        return "root";
      } catch (IOException refused) {
        return refused.getMessage();
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      textBlock =
          """
          user=nobody, "",           65534, 65534, "65534 "
          user=#7001,  "",           7001,  7001,  ""
          user=7001,   group=daemon, 7001,  1,     ""
          group=#7002, "",           0,     7002,  ""
          """)
  void itIsRootUntilItDropsAndThenEveryThreadIsNot(
      String user, String group, int uid, int gid, String groups) throws Exception {
    usersDirectory(uid);
    List<String> words = new ArrayList<>(List.of("lockFile=lock", "out=log", "err=log", user));
    if (!group.isEmpty()) {
      words.add(group);
    }

    facade.daemon(Drops.class, words.toArray(String[]::new));

    List<String> facts = facade.awaitText("users/facts").lines().toList();
    // Root may create the files as a member of another group; another user may not.
    String opened = uid == 0 ? "0:" + gid : "0:0";
    String own = "%s | %s | %s | ".formatted(four(uid), four(gid), groups.strip());
    assertThat(facts.get(0))
        .startsWith("before [0 0 0 0 | 0 0 0 0 | ")
        .endsWith("of %s %s %s".formatted(opened, opened, opened));
    assertThat(facts.get(0)).doesNotContain(", 0 0 0 0");
    assertThat(facts.get(1)).startsWith("refused: ready before dropPrivileges(): ");
    String owner = uid + ":" + gid;
    assertThat(facts.get(2))
        .startsWith("given [0 0 0 0 | ")
        .endsWith("files of %s %s %s".formatted(owner, owner, owner));
    assertThat(facts.get(3)).startsWith("after [" + own).doesNotContain(", ");
    if (uid != 0) {
      assertThat(facts.get(3)).isEqualTo("after [" + own + "0000000000000000]");
      assertThat(facts.get(4)).isEqualTo("again setgroups 0: Operation not permitted (EPERM, 1)");
    }
    assertThat(served()).isEqualTo("served");
    assertThat(Facade.isLocked(facade.pidFile())).isTrue();
    assertThat(Facade.isLocked(facade.file("lock"))).isTrue();
    assertThat(facade.file("log")).hasContent("served by the user\n");
  }

  /** Writes down what it still has of root, when it is another user. */
  static final class Leftovers {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.dropPrivileges();
        String keys = Files.readString(Path.of("/proc/keys"));
        Words.tell(directory, "users/facts", Proc.status("self", "CapInh") + "\n" + keys);
        daemon.ready();
        TimeUnit.DAYS.sleep(1);
      }
    }
  }

  @Test
  @Tag("attack")
  void itHasNeitherRootsSessionKeyringNorItsInheritableCapabilities() throws Exception {
    usersDirectory(65534);
    List<String> command = new ArrayList<>(List.of("setpriv", "--inh-caps=+kill"));
    command.addAll(facade.java(List.of(), Leftovers.class, "user=nobody"));

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    assertThat(facade.awaitText("users/facts"))
        .startsWith("0000000000000000\n")
        .contains("_ses: empty")
        .doesNotContain("_uid_ses.0:");
  }

  private static String four(int id) {
    return String.join(" ", Collections.nCopies(4, Integer.toString(id)));
  }

  private String served() throws Exception {
    int port = Integer.parseInt(facade.awaitText("users/port"));
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    }
  }

  /** The only place where the user may write. */
  private Path usersDirectory(int uid) throws IOException {
    facade.forEveryone();
    Path users = Files.createDirectory(facade.file("users"));
    Files.setAttribute(users, "unix:uid", uid);
    return users;
  }

  @ParameterizedTest
  @CsvSource({"user=nobody", "user=#65534", "group=#65534"})
  void whoIsThatUserAlreadyOwesNothing(String who) throws Exception {
    List<String> command = new ArrayList<>(facade.asNobody());
    command.addAll(
        facade.java(List.of(), Words.Stays.class, "pidFile=users/pid", "out=users/log", who));
    Path users = Files.createDirectory(facade.file("users"));
    Files.setAttribute(users, "unix:uid", 65534);

    assertThat(facade.run(command, Map.of())).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    long pid = Facade.pid(users.resolve("pid"));
    assertThat(Facade.status(pid, "Uid")).isEqualTo("65534\t65534\t65534\t65534");
  }

  /** A launcher that gets no further thread, which it needs to act as another user. */
  static final class LacksThreads {
    public static void main(String[] args) throws Exception {
      // The main thread has the name of its process, as others have.
      Thread starts = new Thread(() -> start(args), "daimon-starts");
      starts.start();
      starts.join();
    }

    private static void start(String[] args) {
      Path directory = Path.of(args[0]);
      DaemonConfig config =
          Words.config(args[0], "user=nobody", "pidFile=users/pid", "lockFile=users/lock").build();
      try {
        Words.tell(directory, "waits", Long.toString(ProcessHandle.current().pid()));
        while (!Files.exists(directory.resolve("go"))) {
          TimeUnit.MILLISECONDS.sleep(5);
        }
        if (args[1].equals("daemonize")) {
          Daemon _ = Daemonizer.daemonize(config);
        }
        try {
          Launch _ = Daemonizer.launch(config);
        } catch (StartException failure) {
          System.out.println(failure.exitCode() + " " + failure.getSuppressed().length);
        }
        try (SingletonLock lock = SingletonLock.acquire(directory.resolve("users/lock"))) {
          System.out.println(lock.created());
        }
      } catch (IOException | InterruptedException failure) {
        throw new IllegalStateException(failure);
      }
    }
  }

  /** Acting as the user is tried first, and then each file is opened in that way. */
  @ParameterizedTest
  @CsvSource({
    "daemonize, 1+, 71, ''",
    "daemonize, 3+, 71, ''",
    "launch,    1+, 0,  '71 0|true|'",
    "launch,    3+, 0,  '71 1|false|'",
  })
  @Tag("strace")
  void aThreadThatCannotBeStartedIsOneLineAndLeavesNoLock(
      String how, String refused, int exitCode, String out) throws Exception {
    Path users = usersDirectory(65534);
    Process launcher = facade.start(facade.java(List.of("-Xlog:disable"), LacksThreads.class, how));
    long pid = Long.parseLong(facade.awaitText("waits"));
    facade.refuseThreads(pid, "daimon-starts", refused);
    Files.createFile(facade.file("go"));

    assertThat(launcher.waitFor()).isEqualTo(exitCode);
    assertThat(Files.readString(facade.file("out"))).isEqualTo(out.replace('|', '\n'));
    String lack = "unable to create native thread";
    List<String> lines = Files.readString(facade.file("err")).lines().toList();
    if (how.equals("launch")) {
      assertThat(lines).isEmpty();
    } else {
      assertThat(lines.getFirst())
          .startsWith("PrivilegesTest$LacksThreads: java has failed: " + lack);
      assertThat(lines.subList(1, lines.size()))
          .hasSize(refused.equals("3+") ? 1 : 0)
          .allMatch(line -> line.contains(": not taken back: ") && line.contains(lack));
    }
    assertThat(users.resolve("pid")).doesNotExist();
  }

  @Test
  void onlyRootBecomesAnotherUser() throws Exception {
    List<String> command = new ArrayList<>(facade.asNobody());
    command.addAll(facade.java(List.of(), Words.Stays.class, "user=daemon"));

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.exitCode()).isEqualTo(77);
    assertThat(result.err())
        .startsWith("Words$Stays: cannot become uid 1, gid 1")
        .contains("setgroups", "Operation not permitted (EPERM, 1)")
        .hasLineCount(1);
    assertThat(facade.pidFile()).doesNotExist();
  }

  /** Gives up everything that it can, and writes down the state of its threads and of a child. */
  static final class GivesUp {
    public static void main(String[] args) throws Exception {
      Path directory = Path.of(args[0]);
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        Set<String> facts = new TreeSet<>();
        try {
          daemon.ready();
        } catch (IllegalStateException refused) {
          facts.add("refused: " + refused.getMessage());
        }
        daemon.dropPrivileges();
        for (String thread : Objects.requireNonNull(new File("/proc/self/task").list())) {
          List<String> fields = new ArrayList<>();
          for (String field : List.of("Uid", "Groups", "NoNewPrivs", "CapEff")) {
            fields.add(Proc.status("self/task/" + thread, field).replace('\t', ' '));
          }
          String stat = Files.readString(Path.of("/proc/self/task", thread, "stat"));
          fields.add("nice " + stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[16]);
          facts.add(String.join(" | ", fields));
        }
        Process child =
            new ProcessBuilder(
                    "sh", "-c", "echo child $(nice) $(ulimit -c) $(cat /proc/self/oom_score_adj)")
                .start();
        facts.add(child.inputReader().readLine());
        Words.tell(directory, "users/facts", String.join("\n", facts));
        daemon.ready();
        Words.stay();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void everythingThatAJvmCanGiveUpIsGivenUpByEveryThread(boolean foreground) throws Exception {
    usersDirectory(7001);
    List<String> words =
        new ArrayList<>(
            List.of(
                "user=#7001",
                "groups=#7,#9",
                "limit=core=0",
                "niceness=3",
                "oomScoreAdjust=1000",
                "noNewPrivileges",
                "out=users/log"));
    if (foreground) {
      words.add("foreground");
      facade.start(facade.java(List.of(), GivesUp.class, words.toArray(String[]::new)));
    } else {
      facade.daemon(GivesUp.class, words.toArray(String[]::new));
    }

    assertThat(facade.awaitText("users/facts").lines())
        .containsExactly(
            "7001 7001 7001 7001 | 7 9 | 1 | 0000000000000000 | nice 3",
            "child 3 0 1000",
            "refused: ready before dropPrivileges(): the configuration says rlimit: core=0;"
                + " oom_score_adj: 1000; nice: 3; identity: uid 7001, gid 7001, groups [7 9]; no"
                + " new privileges: yes");
  }

  @ParameterizedTest
  @CsvSource({
    "niceness=-20, setpriority",
    "oomScoreAdjust=-1000, oom_score_adj",
    "limit=core=0:unlimited, prlimit core=0:unlimited",
  })
  void whatTakesARightIsRefusedToAnOrdinaryUser(String setting, String call) throws Exception {
    List<String> command = new ArrayList<>(List.of("prlimit", "--core=0:1"));
    command.addAll(facade.asNobody());
    command.addAll(
        facade.java(List.of(), GivesUp.class, "pidFile=users/pid", "user=nobody", setting));
    Path users = Files.createDirectory(facade.file("users"));
    Files.setAttribute(users, "unix:uid", 65534);

    ProcessSandbox.Result result = facade.run(command, Map.of());

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(77);
    assertThat(result.err()).contains(call);
  }

  /** Releases standard error, gives its files away, and drops its privileges. */
  static final class GivesLate {
    public static void main(String[] args) throws Exception {
      try (Daemon daemon = Daemonizer.daemonize(Words.config(args).build())) {
        daemon.releaseStandardError();
        daemon.chownFiles();
        daemon.chownFiles();
        daemon.dropPrivileges();
        daemon.ready();
        Words.stay();
      }
    }
  }

  @Test
  void filesAreGivenAlsoWhenStandardErrorWasReleasedBefore() throws Exception {
    usersDirectory(7001);

    long pid = facade.daemon(GivesLate.class, "user=#7001", "inherit", "out=log", "err=err");

    for (String file : List.of("pid", "log", "err")) {
      assertThat(Files.getAttribute(facade.file(file), "unix:uid")).isEqualTo(7001);
    }
    assertThat(leadsTo(pid).stream().filter(facade.file("log")::equals)).hasSize(1);
    assertThat(leadsTo(pid).stream().filter(facade.file("err")::equals)).hasSize(1);
  }

  private static List<Path> leadsTo(long pid) throws IOException {
    return Proc.descriptors(Long.toString(pid)).values().stream().map(Path::of).toList();
  }
}
