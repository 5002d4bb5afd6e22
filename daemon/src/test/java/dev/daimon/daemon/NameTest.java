package dev.daimon.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A daemon that has a name, and no path. */
class NameTest {
  private static final boolean ROOT = System.getProperty("user.name").equals("root");

  @RegisterExtension final Facade facade = new Facade();

  /** Is ready, fails, or is another kind of daemon, as its second argument says. */
  static final class Named {
    public static void main(String[] args) throws Exception {
      DaemonConfig.Builder config = DaemonConfig.builder().name("web");
      String way = args[1];
      if (way.equals("user")) {
        config.user("#7001");
      }
      config.foreground(way.equals("foreground")).simulate(way.equals("simulate"));
      try (Daemon daemon = Daemonizer.daemonize(config.build())) {
        System.out.println("output");
        if (way.equals("fails")) {
          throw new IllegalStateException("no luck");
        }
        daemon.chownFiles();
        daemon.dropPrivileges();
        daemon.ready();
        if (way.equals("ready") || way.equals("user")) {
          new CountDownLatch(1).await();
        }
      }
    }
  }

  private Path home;

  @BeforeEach
  void makeHome() throws Exception {
    home = Files.createDirectory(facade.file("home"));
    if (ROOT) {
      Files.setAttribute(home, "unix:uid", 65534);
    }
  }

  private ProcessSandbox.Result run(String way) throws Exception {
    List<String> command = new ArrayList<>(ROOT ? facade.asNobody() : List.of());
    command.addAll(facade.java(List.of(), Named.class, way));
    return facade.run(
        command,
        Map.of(
            "HOME", home.toString(),
            "XDG_STATE_HOME", home.resolve("state").toString(),
            "XDG_RUNTIME_DIR", home.toString(),
            "XDG_CONFIG_HOME", ""));
  }

  @Test
  void itsFilesAreInTheUsersDirectories() throws Exception {
    assertThat(run("ready")).isEqualTo(new ProcessSandbox.Result(0, "", ""));

    Path pidFile = home.resolve("daimon/web.pid");
    assertThat(ProcessSandbox.isLocked(pidFile)).isTrue();
    assertThat(home.resolve("state/daimon/web.log")).hasContent("output");
    Facade.signal("TERM", ProcessSandbox.pid(pidFile));
    facade.awaitEnd();
    assertThat(pidFile).doesNotExist();
  }

  @Test
  void aStartThatFailsLeavesItsLogAlone() throws Exception {
    ProcessSandbox.Result failed = run("fails");

    Path log = home.resolve("state/daimon/web.log");
    assertThat(failed.exitCode()).isEqualTo(70);
    assertThat(failed.err()).contains("no luck; see " + log);
    assertThat(log).exists();
    assertThat(home.resolve("daimon")).doesNotExist();
  }

  @Test
  void inTheForegroundTheOutputStaysWhereItIs() throws Exception {
    assertThat(run("foreground")).isEqualTo(new ProcessSandbox.Result(0, "output\n", ""));
    assertThat(home.resolve("daimon")).isEmptyDirectory();
    assertThat(home.resolve("state")).doesNotExist();
  }

  @Test
  void aSimulationLeavesNothing() throws Exception {
    assertThat(run("simulate")).isEqualTo(new ProcessSandbox.Result(0, "output\n", ""));
    assertThat(home).isEmptyDirectory();
  }

  @Test
  @Tag("root")
  void rootsDirectoriesStayRootsAndTheFilesAreTheUsers() throws Exception {
    facade.forEveryone();
    String namespace =
        "mount -t tmpfs x /run; mount -t tmpfs x /var/log; \"$@\";"
            + " stat -c '%u %a %n' /run/daimon /run/daimon/web.pid /var/log/daimon"
            + " /var/log/daimon/web.log; kill $(cat /run/daimon/web.pid)";
    List<String> command =
        new ArrayList<>(List.of("unshare", "--mount", "--propagation", "private"));
    command.addAll(List.of("sh", "-euc", namespace, "sh"));
    command.addAll(facade.java(List.of(), Named.class, "user"));

    assertThat(facade.run(command, Map.of()))
        .isEqualTo(
            new ProcessSandbox.Result(
                0,
                """
                0 755 /run/daimon
                7001 644 /run/daimon/web.pid
                0 755 /var/log/daimon
                7001 644 /var/log/daimon/web.log
                """,
                ""));
    facade.awaitEnd();
  }
}
