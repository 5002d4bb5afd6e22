package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Root starts and stops a program as a user, and that user tries to hold up root's command. */
@Tag("root")
@Tag("attack")
class HeldUpIT {
  /**
   * The rounds, each a start and a stop. Without {@code -Pattack} they are 12: if the user could
   * stop one command in four, all rounds would pass once in years.
   */
  private static final int ROUNDS = Integer.getInteger("daimon.attack.rounds", 20) * 3 / 5;

  private static final int SYSTEM = 71;

  @RegisterExtension static final TestUser USER = new TestUser("dmheld");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  /** A directory of the user's. */
  private Path lair = Path.of("/");

  @BeforeEach
  void prepare() throws Exception {
    Sandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
    lair = Files.createDirectory(sandbox.file("lair"));
    TestUser.output("chown", USER.name(), lair.toString());
  }

  /** Stops, kills and limits every thread of a JVM with the second word in its command line. */
  private static final String ATTACKER =
      """
      #define _GNU_SOURCE
      #include <dirent.h>
      #include <fcntl.h>
      #include <signal.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/resource.h>
      #include <sys/syscall.h>
      #include <unistd.h>

      static int has(const char *process, const char *file, const char *word) {
        char path[300], text[4096];
        snprintf(path, sizeof path, "/proc/%s/%s", process, file);
        int fd = open(path, O_RDONLY);
        ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text);
        if (fd >= 0) {
          close(fd);
        }
        return length > 0 && memmem(text, length, word, strlen(word)) != NULL;
      }

      static void note(const char *what) {
        int fd = open(what, O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (fd < 0 || write(fd, "x", 1) < 0) {
          abort();
        }
        close(fd);
      }

      static void attack(const char *process) {
        char path[300];
        snprintf(path, sizeof path, "/proc/%s/task", process);
        DIR *threads = opendir(path);
        struct dirent *thread;
        while (threads && (thread = readdir(threads))) {
          int pid = atoi(process), tid = atoi(thread->d_name);
          struct rlimit none = {0, 0};
          if (tid && (!syscall(SYS_tgkill, pid, tid, SIGSTOP)
              || !prlimit(tid, RLIMIT_NOFILE, &none, NULL)
              || !syscall(SYS_tgkill, pid, tid, SIGKILL))) {
            note("hit");
          }
        }
        if (threads) {
          closedir(threads);
        }
      }

      int main(int argc, char **argv) {
        if (argc != 2) {
          return 1;
        }
        for (;;) {
          DIR *processes = opendir("/proc");
          struct dirent *process;
          while ((process = readdir(processes))) {
            if (atoi(process->d_name) && has(process->d_name, "comm", "java\\n")
                && has(process->d_name, "cmdline", argv[1])) {
              note("tried");
              for (int i = 0; i < 200; i++) {
                attack(process->d_name);
              }
            }
          }
          closedir(processes);
        }
      }
      """;

  @Test
  @Tag("cc")
  void noThreadOfRootsCommandIsWithinTheUsersReach() throws Exception {
    Path source = Files.writeString(sandbox.file("attacker.c"), ATTACKER);
    Path program = sandbox.file("attacker");
    TestUser.output("cc", "-o", program.toString(), source.toString());
    Path pidFile = lair.resolve("daemon.pid");
    Process attacker =
        sandbox
            .prepare(
                List.of(
                    "setpriv",
                    "--reuid=" + USER.name(),
                    "--regid=" + USER.gid(),
                    "--clear-groups",
                    program.toString(),
                    pidFile.toString()),
                Map.of())
            .directory(lair.toFile())
            .start();
    try {
      for (int i = 0; i < ROUNDS; i++) {
        Path log = lair.resolve("log" + i);
        assertThat(daimon("start", "-o", log.toString(), "-u", USER.name(), "sleep", "1000"))
            .isEqualTo(new ProcessSandbox.Result(0, "", ""));
        String user = Proc.status(Files.readString(pidFile).strip(), "Uid");
        assertThat(user.split("\\s+", -1)).containsOnly(Long.toString(USER.uid()));
        assertThat(daimon("stop")).isEqualTo(new ProcessSandbox.Result(0, "", ""));
        assertThat(pidFile).doesNotExist();
      }
      assertThat(attacker.isAlive()).isTrue();
    } finally {
      attacker.destroyForcibly().waitFor();
    }
    assertThat(lair.resolve("hit")).doesNotExist();
    assertThat(lair.resolve("tried")).isNotEmptyFile();
  }

  @Test
  @Tag("strace")
  void aStartFailsInTimeIfTheUserStopsTheProgramBeforeItRuns() throws Exception {
    // Strace stops it right at the change of user, which no user is fast enough for.
    List<String> command = new ArrayList<>(List.of("strace", "-D", "-f", "-qq", "-o", "/dev/null"));
    command.addAll(List.of("-e", "trace=setresuid", "-e", "inject=setresuid:signal=SIGSTOP"));
    Path pidFile = lair.resolve("daemon.pid");
    command.addAll(List.of(Sandbox.DAIMON.toString(), "start", "-p", pidFile.toString()));
    command.addAll(List.of("-o", lair.resolve("log").toString(), "-u", USER.name()));
    command.addAll(List.of("touch", lair.resolve("ran").toString()));

    ProcessSandbox.Result result = sandbox.run(command, Map.of());

    assertThat(result.exitCode()).as(result.err()).isEqualTo(SYSTEM);
    assertThat(result.err())
        .contains("it was killed: somebody had stopped it")
        .contains("ETIMEDOUT");
    assertThat(lair).isEmptyDirectory();
    assertThat(sandbox.running("java")).isEmpty();
  }

  private ProcessSandbox.Result daimon(String action, String... words) throws Exception {
    List<String> all = new ArrayList<>(List.of(action, "-p", lair + "/daemon.pid"));
    all.addAll(List.of(words));
    return sandbox.daimon(all.toArray(new String[0]));
  }
}
