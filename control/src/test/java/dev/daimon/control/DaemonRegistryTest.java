package dev.daimon.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which daemons are in a list, and what it says of each. */
class DaemonRegistryTest {
  @RegisterExtension final Daemons daemons = new Daemons();

  private DaemonRegistry registry() {
    return DaemonRegistry.of(
        new DaemonDirectories(
            daemons.file("run"), daemons.file("log"), daemons.file("etc"), daemons.file("run")));
  }

  @BeforeEach
  void makeDirectories() throws IOException {
    for (String name : List.of("run", "etc")) {
      Daemons.openToAll(Files.createDirectory(daemons.file(name)), "rwxr-xr-x");
    }
  }

  private Path run(String name) {
    return daemons.file("run").resolve(name);
  }

  private long start(String name) throws Exception {
    DaemonControl control = registry().find(new DaemonName(name)).control();
    assertThat(control.start(daemons.daemon("exec sleep 1000"))).isEqualTo(Outcome.OK);
    long pid = Daemons.pid(control.pidFile());
    Daemons.await("the daemon", () -> Daemons.status(pid, "Name").equals("sleep"));
    return pid;
  }

  /** Such as {@code "web running defined"}. */
  private List<String> list() throws IOException {
    List<String> entries = new ArrayList<>();
    for (ListedDaemon entry : registry().list()) {
      entries.add(
          entry.daemon().name()
              + " "
              + entry.status().state()
              + (entry.defined() ? " defined" : ""));
    }
    return entries;
  }

  @Test
  void aNameIsFoundWhetherOrNotThereIsAnything() {
    NamedDaemon web = registry().find(new DaemonName("web"));

    assertThat(web.pidFile()).isEqualTo(run("web.pid"));
    assertThat(web.log()).isEqualTo(daemons.file("log").resolve("web.log"));
    assertThat(web.definition()).isEqualTo(daemons.file("etc").resolve("web.conf"));
    assertThat(web.record()).isEqualTo(run("web.started"));
    assertThat(web.control().pidFile()).isEqualTo(web.pidFile());
  }

  @Test
  void withoutDirectoriesTheListIsEmpty() throws Exception {
    Files.delete(daemons.file("run"));
    Files.delete(daemons.file("etc"));

    assertThat(registry().list()).isEmpty();
  }

  @Test
  void whatIsDefinedOrNotStoppedIsListedByName() throws Exception {
    start("web");
    Daemons.kill(start("dead"));
    start("Ärger");
    Files.createFile(run("stopped.pid"));
    Files.createFile(run("defined.pid"));
    for (String file : List.of("defined.conf", "web.conf", "-x.conf", "a\u202eb.conf", ".conf")) {
      Files.createFile(daemons.file("etc").resolve(file));
    }

    assertThat(list())
        .containsExactly(
            "dead DEAD", "defined NOT_RUNNING defined", "web RUNNING defined", "Ärger RUNNING");
  }

  @Test
  void oneWhosePidfileIsGoneIsUnknownAsLongAsItRuns() throws Exception {
    long pid = start("web");
    byte[] line = StartRecord.of(pid, run("web.pid")).orElseThrow().line();
    Files.writeString(run("web.started"), "# " + new String(line, UTF_8) + "program sleep 1000\n");
    Files.writeString(run("none.started"), "# no line feed");
    assertThat(list()).containsExactly("web RUNNING");

    Files.delete(run("web.pid"));

    String lost =
        "the pidfile is gone or was replaced, but process "
            + pid
            + ", which was started, still runs";
    for (String content : List.of("gone", "", "4194304\n", "1\n", "no pidfile")) {
      if (!content.equals("gone")) {
        Files.writeString(run("web.pid"), content);
      }
      assertThat(list()).as(content).containsExactly("web UNKNOWN");
      assertThat(registry().list().getFirst().status().reason()).isEqualTo(lost);
    }
    Files.delete(run("web.pid"));
    Daemons.kill(pid);
    assertThat(list()).isEmpty();
  }

  @Test
  void aRunningDaemonIsDescribed() throws Exception {
    long pid = start("web");

    ListedDaemon web = registry().list().getFirst();

    assertThat(web.status())
        .usingRecursiveComparison()
        .ignoringFields("uptime")
        .isEqualTo(web.daemon().control().status());
    assertThat(web.status().commandLine()).containsExactly("sleep", "1000");
    String resident = Daemons.status(pid, "VmRSS");
    long kib = Long.parseLong(resident.substring(0, resident.indexOf(' ')));
    assertThat(web.memory().orElseThrow()).isBetween(kib * 1024 / 4, kib * 1024 * 4);
  }

  @Test
  void whatCannotBeReadHidesNoOther() throws Exception {
    start("web");
    start("zoo");
    new ProcessBuilder("mkfifo", run("fifo.pid").toString()).start().waitFor();
    Files.createSymbolicLink(run("link.pid"), run("web.pid"));
    Files.createDirectory(run("directory.pid"));
    Files.writeString(run("text.pid"), "text\n");

    assertThat(list())
        .containsExactly(
            "directory UNKNOWN",
            "fifo UNKNOWN",
            "link UNKNOWN",
            "text UNKNOWN",
            "web RUNNING",
            "zoo RUNNING");
    assertThat(registry().list())
        .allSatisfy(entry -> assertThat(entry.status().reason()).isNotEmpty());
  }

  /** More than one batch, so by two threads. */
  @Test
  void daemonsComeAndGoMeanwhile() throws Exception {
    start("d200");
    start("d555");
    for (int i = 100; i < 900; i++) {
      if (i != 200 && i != 555) {
        Files.createFile(daemons.file("etc").resolve("d" + i + ".conf"));
      }
    }
    AtomicBoolean over = new AtomicBoolean();
    Future<?> change =
        daemons.meanwhile(() -> {
          while (!over.get()) {
            for (int i = 0; i < 100; i++) {
              Files.createFile(run("x" + i + ".pid"));
            }
            for (int i = 0; i < 100; i++) {
              Files.delete(run("x" + i + ".pid"));
            }
          }
          return null;
        });
    for (int i = 0; i < 20; i++) {
      List<String> names = list().stream().filter(entry -> entry.startsWith("d")).toList();
      assertThat(names).hasSize(800).isSorted();
      assertThat(names).contains("d200 RUNNING", "d555 RUNNING");
    }
    over.set(true);
    change.get();
  }

  @Test
  void ofALongCommandLineTheFirstWordsAreKept() throws Exception {
    NamedDaemon web = registry().find(new DaemonName("web"));
    String zeros = "0".repeat(3000);
    web.control().start(daemons.daemon("exec sleep 1000 " + zeros + " " + zeros));
    long pid = Daemons.pid(web.pidFile());
    Daemons.await("the daemon", () -> Daemons.status(pid, "Name").equals("sleep"));

    assertThat(registry().list().getFirst().status().commandLine())
        .containsExactly("sleep", "1000", zeros);
  }

  @Test
  void theDaemonsOfAllRuntimeDirectoriesAreListed() throws Exception {
    start("web");
    Path none = daemons.file("none");
    List<Path> both = List.of(daemons.file("etc"), daemons.file("run"));

    assertThat(DaemonRegistry.of(new DaemonDirectories(both, none, none, none)).list())
        .singleElement()
        .satisfies(entry -> assertThat(entry.status().pidFile()).isEqualTo(run("web.pid")));
  }

  @Test
  @Tag("root")
  void rootReadsNothingOfOthersInAUsersDirectories() throws Exception {
    start("web");
    Files.createFile(daemons.file("etc").resolve("secret.conf"));
    Path theirs = Files.createDirectory(daemons.file("theirs"));
    Daemons.give(theirs, Daemons.NOBODY);
    Files.createLink(theirs.resolve("web.pid"), run("web.pid"));
    Files.writeString(theirs.resolve("init.pid"), "1\n");
    Daemons.give(theirs.resolve("init.pid"), Daemons.NOBODY);
    Path none = daemons.file("none");
    DaemonRegistry user = DaemonRegistry.of(new DaemonDirectories(theirs, none, none, none));

    assertThat(user.list())
        .hasSize(2)
        .allSatisfy(entry -> {
          assertThat(entry.status().state()).isEqualTo(State.UNKNOWN);
          assertThat(entry.status().commandLine()).isEmpty();
          assertThat(entry.memory()).isEmpty();
        });

    Path link = Files.createSymbolicLink(theirs.resolve("etc"), daemons.file("etc"));
    DaemonRegistry linked = DaemonRegistry.of(new DaemonDirectories(theirs, none, link, none));
    assertThatThrownBy(linked::list)
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(link + " is not read as root: it leads to files of user 0");
  }
}
