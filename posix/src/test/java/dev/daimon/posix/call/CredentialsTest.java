package dev.daimon.posix.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.posix.Errno;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CredentialsTest {
  @Test
  void theIdsAreThoseOfTheKernelsTable() throws IOException {
    int[] uids = new int[3];
    int[] gids = new int[3];
    assertThat(Credentials.getresuid(uids)).isZero();
    assertThat(Credentials.getresgid(gids)).isZero();
    int[] groups = new int[Credentials.getgroups(new int[0])];
    assertThat(Credentials.getgroups(groups)).isEqualTo(groups.length);

    Path thread = Path.of("/proc/thread-self");
    assertThat(status(thread, "Uid")).startsWith(text(uids));
    assertThat(status(thread, "Gid")).startsWith(text(gids));
    assertThat(status(thread, "Groups")).isEqualTo(text(groups));
  }

  @Test
  @Tag("root")
  void theCLibrarysCallsChangeEveryThreadForGood(@TempDir Path classes) throws Exception {
    assertThat(ChildJvm.of(WholeProcess.class).copied(classes).run().lines().stream().distinct())
        .containsExactly(
            "0 0 0",
            "Uid 1001 1001 1001 1001, Gid 1002 1002 1002 1002, Groups 3 7 4294967294",
            "-1 -1 -1");
  }

  static final class WholeProcess {
    public static void main(String[] args) throws IOException {
      int groups = Credentials.setgroups(new int[] {7, -2, 3});
      int gid = Credentials.setresgid(1002, 1002, 1002);
      int uid = Credentials.setresuid(1001, 1001, 1001);
      System.out.println(groups + " " + gid + " " + uid);
      for (Path task : tasks()) {
        System.out.println(ids(task));
      }
      groups = Credentials.setgroups(new int[] {0});
      gid = Credentials.setresgid(-1, 0, -1);
      uid = Credentials.setresuid(-1, 0, -1);
      System.out.println(groups + " " + gid + " " + uid);
    }
  }

  @Test
  @Tag("root")
  void theBareSystemCallsChangeTheCallingThreadAlone(@TempDir Path classes) throws Exception {
    List<String> lines = ChildJvm.of(OneThread.class).copied(classes).run().lines();

    assertThat(lines.getFirst()).isEqualTo("0 0 0");
    assertThat(lines)
        .filteredOn("Uid 0 1001 0 1001, Gid 0 1002 0 1002, Groups 7"::equals)
        .as("threads with the new ids of %s", lines)
        .hasSize(1);
    assertThat(lines.subList(1, lines.size()))
        .filteredOn(l -> l.startsWith("Uid 0 0 0 0, Gid 0 0 0 0"))
        .as("threads with the old ids")
        .hasSize(lines.size() - 2)
        .hasSizeGreaterThan(3);
  }

  static final class OneThread {
    public static void main(String[] args) throws IOException {
      int groups = Credentials.threadSetgroups(new int[] {7});
      int gid = Credentials.threadSetresgid(-1, 1002, -1);
      int uid = Credentials.threadSetresuid(-1, 1001, -1);
      System.out.println(groups + " " + gid + " " + uid);
      for (Path task : tasks()) {
        System.out.println(ids(task));
      }
    }
  }

  @Test
  @Tag("root")
  void theIdsForFilesChangeAloneAndFailuresAreSeen(@TempDir Path classes) throws Exception {
    assertThat(ChildJvm.of(FileIds.class).copied(classes).run().lines())
        .containsExactly(
            "0 0 0 0",
            "0 0 1001 1002",
            "Uid 0 0 0 1001, Gid 0 0 0 1002",
            "0 0 -2 -2",
            "-1 -1 -2 -2");
  }

  static final class FileIds {
    public static void main(String[] args) throws Exception {
      Thread thread =
          new Thread(() -> {
            System.out.println(change(0, 0));
            // The group first: it takes no right of the user's away, but the other way round.
            System.out.println(change(1001, 1002));
            try {
              System.out.println(ids(Path.of("/proc/thread-self")).replaceAll(", Groups.*", ""));
            } catch (IOException failure) {
              throw new IllegalStateException(failure);
            }
            System.out.println(change(-2, -2));
            int _ = Capabilities.capset(0, 0);
            System.out.println(change(1001, 1002));
          });
      thread.start();
      thread.join();
    }

    private static String change(int uid, int gid) {
      return Credentials.threadSetfsgid(gid)
          + " "
          + Credentials.threadSetfsuid(uid)
          + " "
          + Credentials.fsuid()
          + " "
          + Credentials.fsgid();
    }
  }

  @Test
  @Tag("root")
  void noGroupsAtAllIsAListToo() throws Exception {
    assertThat(ChildJvm.of(NoGroups.class).run().output()).isEqualTo("0 0 0");
  }

  static final class NoGroups {
    public static void main(String[] args) {
      int set = Credentials.setgroups(new int[0]);
      System.out.println(
          set + " " + Credentials.getgroups(new int[0]) + " " + Credentials.getgroups(new int[8]));
    }
  }

  @Test
  @Tag("root")
  void aListThatIsTooShortForTheGroupsIsAnErrorAndStaysAsItWas() throws Exception {
    assertThat(ChildJvm.of(ShortList.class).run().output()).isEqualTo("-22 [0, 0] 3");
    assertThat(Credentials.setgroups(new int[65537])).isEqualTo(-Errno.EINVAL.number());
  }

  static final class ShortList {
    public static void main(String[] args) {
      Credentials.setgroups(new int[] {1, 2, 3});
      int[] groups = new int[2];
      int result = Credentials.getgroups(groups);
      System.out.println(
          result + " " + Arrays.toString(groups) + " " + Credentials.getgroups(new int[0]));
    }
  }

  private static List<Path> tasks() throws IOException {
    List<Path> tasks = new ArrayList<>();
    try (var directory = java.nio.file.Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      directory.forEach(tasks::add);
    }
    return tasks;
  }

  private static String ids(Path task) throws IOException {
    return "Uid %s, Gid %s, Groups %s"
        .formatted(status(task, "Uid"), status(task, "Gid"), status(task, "Groups"));
  }

  private static String status(Path task, String field) throws IOException {
    for (String line : java.nio.file.Files.readAllLines(task.resolve("status"))) {
      if (line.startsWith(field + ":")) {
        return line.substring(field.length() + 1).strip().replace('\t', ' ');
      }
    }
    throw new AssertionError(field);
  }

  private static String text(int[] ids) {
    return Arrays.stream(ids).mapToObj(Integer::toUnsignedString).collect(Collectors.joining(" "));
  }
}
