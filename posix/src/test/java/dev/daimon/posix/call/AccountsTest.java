package dev.daimon.posix.call;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AccountsTest {
  private final Accounts.User[] user = new Accounts.User[1];
  private final Integer[] group = new Integer[1];

  @Test
  void theEntryOfRootIsTheDatabases() throws Exception {
    assertThat(Accounts.getpwnam(bytes("root"), user)).isZero();
    assertThat(text(user[0])).isEqualTo(passwd("root"));

    assertThat(Accounts.getpwuid(0, user)).isZero();
    assertThat(text(user[0])).isEqualTo(passwd("root"));

    assertThat(Accounts.getgrnam(bytes("root"), group)).isZero();
    assertThat(group[0]).isZero();
  }

  @Test
  void everyUserIsFoundByNameAndByNumber() throws Exception {
    for (String line : java.nio.file.Files.readAllLines(Path.of("/etc/passwd"))) {
      String name = line.substring(0, line.indexOf(':'));
      assertThat(Accounts.getpwnam(bytes(name), user)).isZero();
      assertThat(text(user[0])).isEqualTo(passwd(name));
      assertThat(Accounts.getpwuid(user[0].uid(), user)).isZero();
      assertThat(user[0]).isNotNull();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no such user", "0", "#0", "-", "größe", "root:x", "root\n"})
  void aNameThatNobodyHasIsNoErrorAndNoEntry(String name) {
    user[0] = null;
    group[0] = 1;
    assertThat(Accounts.getpwnam(name.getBytes(UTF_8), user)).isZero();
    assertThat(Accounts.getgrnam(name.getBytes(UTF_8), group)).isZero();
    assertThat(user[0]).isNull();
    assertThat(group[0]).isNull();
  }

  @Test
  void aNameOfTenThousandLettersIsLookedUpLikeAnyOther() {
    byte[] name = bytes("x".repeat(10_000));
    assertThat(Accounts.getpwnam(name, user)).isZero();
    assertThat(Accounts.getgrnam(name, group)).isZero();
    assertThat(user[0]).isNull();
    assertThat(group[0]).isNull();
    assertThat(Accounts.getgrouplist(name, 7)).containsExactly(7);
  }

  @ParameterizedTest
  @ValueSource(ints = {54321, -1, -2, Integer.MIN_VALUE})
  void aNumberThatNobodyHasIsNoErrorAndNoEntry(int uid) {
    assertThat(Accounts.getpwuid(uid, user)).isZero();
    assertThat(user[0]).isNull();
  }

  @Test
  void theGroupsOfRootAreThoseThatIdTells() throws Exception {
    assertThat(
            Arrays.stream(Accounts.getgrouplist(bytes("root"), 0))
                .mapToObj(Integer::toUnsignedString)
                .collect(Collectors.joining(" ")))
        .isEqualTo(Command.run("id", "-G", "root"));
  }

  /** In a mount namespace of its own, so that the machine's database stays as it is. */
  @Test
  @Tag("root")
  void aGroupOfAThousandMembersAndAUserInAThousandGroupsAreFound(@TempDir Path directory)
      throws Exception {
    String members =
        IntStream.range(0, 1000).mapToObj(i -> "member" + i).collect(Collectors.joining(","));
    StringBuilder groups = new StringBuilder("root:x:0:\nlarge:x:4294967294:" + members + "\n");
    for (int i = 0; i < 1000; i++) {
      groups.append("g").append(i).append(":x:").append(5000 + i).append(":member1\n");
    }
    Path file = java.nio.file.Files.writeString(directory.resolve("group"), groups);
    Path empty = java.nio.file.Files.createFile(directory.resolve("empty"));

    assertThat(
            ChildJvm.of(LargeGroups.class)
                .startedBy("unshare", "--mount", "sh", "-c")
                .startedBy(
                    "mount --bind \"$0\" /etc/group && mount --bind \"$1\" /etc/nsswitch.conf &&"
                        + " shift && exec \"$@\"")
                .startedBy(file.toString(), empty.toString())
                .run()
                .output())
        .isEqualTo("0 4294967294 1002");
  }

  static final class LargeGroups {
    public static void main(String[] args) {
      Integer[] group = new Integer[1];
      int result = Accounts.getgrnam(bytes("large"), group);
      int groups = Accounts.getgrouplist(bytes("member1"), 0).length;
      System.out.println(result + " " + Integer.toUnsignedString(group[0]) + " " + groups);
    }
  }

  /** A container made from scratch has no {@code /etc/passwd}: then nobody has an entry. */
  @Test
  @Tag("root")
  void withoutADatabaseThereIsNoEntryAndNoError(@TempDir Path directory) throws Exception {
    assertThat(
            ChildJvm.of(NoDatabase.class)
                .startedBy("unshare", "--mount", "sh", "-c")
                .startedBy("mount --bind \"$0\" /etc && exec \"$@\"", directory.toString())
                .run()
                .output())
        .isEqualTo("0 false 0 false 0 null [7]");
  }

  static final class NoDatabase {
    public static void main(String[] args) {
      Accounts.User[] user = new Accounts.User[1];
      Integer[] group = new Integer[1];
      StringBuilder said = new StringBuilder();
      said.append(Accounts.getpwnam(bytes("root"), user)).append(' ').append(user[0] != null);
      said.append(' ').append(Accounts.getpwuid(0, user)).append(' ').append(user[0] != null);
      said.append(' ').append(Accounts.getgrnam(bytes("root"), group)).append(' ').append(group[0]);
      said.append(' ').append(Arrays.toString(Accounts.getgrouplist(bytes("root"), 7)));
      System.out.println(said);
    }
  }

  private static String text(Accounts.User user) {
    return String.join(
        ":",
        new String(user.name(), UTF_8),
        Integer.toUnsignedString(user.uid()),
        Integer.toUnsignedString(user.gid()),
        new String(user.home(), UTF_8),
        new String(user.shell(), UTF_8));
  }

  /** What getent says, without password and comment. */
  private static String passwd(String name) throws IOException, InterruptedException {
    return Command.run("getent", "passwd", name)
        .replaceFirst("^(.*?):.*?:(.*?):(.*?):.*?:", "$1:$2:$3:");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }
}
