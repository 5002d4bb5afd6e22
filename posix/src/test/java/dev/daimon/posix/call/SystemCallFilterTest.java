package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import dev.daimon.testing.Proc;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("attack")
class SystemCallFilterTest {
  /**
   * Types into a terminal of its own, in every way there is, and says how that went: 0, or errno.
   * Commands are 32 bits wide, whatever is in the register above.
   */
  private static final String TYPIST =
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <fcntl.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <sys/ioctl.h>
      #include <sys/mman.h>
      #include <sys/syscall.h>
      #include <sys/wait.h>
      #include <unistd.h>

      static void tell(const char *way, long result) {
        printf("%s %d\\n", way, result == -1 ? errno : (int) result);
      }

      int main(void) {
        int master = posix_openpt(O_RDWR | O_NOCTTY);
        grantpt(master);
        unlockpt(master);
        if (fork() == 0) {
          setsid();
          int tty = open(ptsname(master), O_RDWR);
          char *x = mmap(0, 4096, PROT_READ | PROT_WRITE,
      #ifdef __x86_64__
                         MAP_32BIT |
      #endif
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          *x = 'x';
          tell("plain", ioctl(tty, TIOCSTI, x));
          tell("high bits", syscall(SYS_ioctl, (long) tty, 0xdead000000000000UL | TIOCSTI, x));
          errno = 0;
          ioctl(tty, TIOCLINUX, x);
          printf("console %s\\n", errno == EPERM ? "refused" : "asked");
          struct winsize size;
          tell("size", ioctl(tty, TIOCGWINSZ, &size));
      #ifdef __x86_64__
          long result;
          __asm__ volatile("int $0x80" : "=a"(result)
                           : "a"(54L), "b"((long) tty), "c"((long) TIOCSTI), "d"(x) : "memory");
          printf("32 bits %ld\\n", -result);
          result = syscall(0x40000000 | 514, (long) tty, (long) TIOCSTI, x);
          printf("x32 %s\\n", result == 0 ? "typed" : "refused");
      #else
          puts("32 bits 1\\nx32 refused");
      #endif
          fflush(stdout);
          _exit(0);
        }
        wait(0);
        return 0;
      }
      """;

  @TempDir Path directory;

  /** Who is root may do that on any kernel, also on one with {@code legacy_tiocsti} off. */
  @Test
  @Tag("root")
  @Tag("cc")
  void nobodyTypesIntoATerminalByAnyWayIntoTheKernel() throws Exception {
    Path source = Files.writeString(directory.resolve("typist.c"), TYPIST);
    Path typist = directory.resolve("typist");
    Command.run("cc", "-o", typist.toString(), source.toString());

    List<String> without = List.of(Command.run(typist.toString()).split("\n", -1));
    List<String> with = ChildJvm.of(Becomes.class).run(typist).lines();

    assertThat(without).contains("plain 0", "high bits 0", "console asked", "size 0");
    assertThat(with)
        .containsExactly(
            "0", "plain 1", "high bits 1", "console refused", "size 0", "32 bits 1", "x32 refused");
  }

  static final class Becomes {
    public static void main(String[] args) {
      System.out.println(SystemCallFilter.refuseTerminalInput());
      byte[] path = args[0].getBytes(StandardCharsets.UTF_8);
      System.exit(ProcessesTest.execve(path, List.of(path), List.of()));
    }
  }

  @Test
  @Tag("root")
  void anOrdinaryUserHasToGiveUpNewPrivilegesFirst() throws Exception {
    assertThat(
            ChildJvm.of(Ordinary.class)
                .copied(directory)
                .startedBy(ChildJvm.AS_NOBODY)
                .run()
                .lines())
        .containsExactly("" + -Errno.EACCES.number(), "0", "0");
  }

  static final class Ordinary {
    public static void main(String[] args) {
      System.out.println(SystemCallFilter.refuseTerminalInput());
      System.out.println(Capabilities.setNoNewPrivileges());
      System.out.println(SystemCallFilter.refuseTerminalInput());
    }
  }

  @Test
  void aFilterTakesNoNewPrivilegesToEveryThread() throws Exception {
    assertThat(ChildJvm.of(Filter.class).run().lines()).containsExactly("0", "[0, 1]", "0", "[1]");
  }

  /** Before Linux 5.16 a filter restricts it otherwise, for good. */
  @Test
  @Tag("strace")
  void aFilterDoesNotRestrictTheProcessorsSpeculation() throws Exception {
    Path trace = directory.resolve("trace");

    ChildJvm.Result result =
        ChildJvm.of(Filter.class)
            .startedBy("strace", "-f", "-qq", "-o", trace.toString(), "-e", "trace=seccomp")
            .run();

    assertThat(result.exit()).as(result.err()).isZero();
    assertThat(Files.readAllLines(trace))
        .filteredOn(line -> line.contains("seccomp("))
        .singleElement()
        .asString()
        .contains("SECCOMP_FILTER_FLAG_SPEC_ALLOW");
  }

  static final class Filter {
    public static void main(String[] args) throws Exception {
      System.out.println(Capabilities.setNoNewPrivileges());
      System.out.println(noNewPrivileges());
      System.out.println(
          SystemCallFilter.allowEverything(SystemCallFilter.SECCOMP_FILTER_FLAG_TSYNC));
      System.out.println(noNewPrivileges());
    }

    private static Set<String> noNewPrivileges() throws IOException {
      Set<String> values = new TreeSet<>();
      for (String thread : Objects.requireNonNull(new File("/proc/self/task").list())) {
        if (new File("/proc/self/task/" + thread).exists()) {
          values.add(Proc.status("self/task/" + thread, "NoNewPrivs"));
        }
      }
      return values;
    }
  }
}
