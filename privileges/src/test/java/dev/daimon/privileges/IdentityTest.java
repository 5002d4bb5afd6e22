package dev.daimon.privileges;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.VisibleText;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdentityTest {
  /**
   * User, group, and what {@link PrivilegesProgram} prints of the identity, name and home in
   * hexadecimal.
   */
  private static final String[][] RESOLVED = {
    {
      "worker",
      "-",
      "uid 7001, gid 7001, groups [7001 7010 7011] worker " + "2f686f6d652f77f6726b6572"
    },
    {"7001", "-", "uid 7001, gid 7001, groups [7001 7010 7011] worker 2f686f6d652f77f6726b6572"},
    {"#7001", "-", "uid 7001, gid 7001, groups [7001 7010 7011] worker 2f686f6d652f77f6726b6572"},
    {"worker", "more", "uid 7001, gid 7011, groups [7011 7010] worker 2f686f6d652f77f6726b6572"},
    {"worker", "#0", "uid 7001, gid 0, groups [0 7010 7011] worker 2f686f6d652f77f6726b6572"},
    {"-", "extra", "gid 7010, groups [] - -"},
    {"-", "7010", "gid 7010, groups [] - -"},
    // Digits are a name first.
    {"4242", "-", "uid 7002, gid 7002, groups [7002 7011] 4242 2f68"},
    {"#4242", "-", "uid 4242, gid 4242, groups [] 4242 2f"},
    {"7002", "-", "uid 7002, gid 7002, groups [7002 7011] 4242 2f68"},
    {"-", "5150", "gid 7020, groups [] - -"},
    {"-", "#5150", "gid 5150, groups [] - -"},
    // Without an account.
    {"31337", "-", "uid 31337, gid 31337, groups [] 31337 2f"},
    {"0031337", "-", "uid 31337, gid 31337, groups [] 31337 2f"},
    {"31337", "extra", "uid 31337, gid 7010, groups [] 31337 2f"},
    {"#4294967292", "#4294967291", "uid 4294967292, gid 4294967291, groups [] 4294967292 2f"},
    {"huge", "-", "uid 4294967294, gid 4294967293, groups [4294967293 7011] huge 2f"},
    {"homeless", "-", "uid 7003, gid 7010, groups [7010] homeless 2f"},
    {"root", "-", "uid 0, gid 0, groups [0] root 2f726f6f74"},
    {"#0", "-", "uid 0, gid 0, groups [0] root 2f726f6f74"},
  };

  @Test
  @Tag("root")
  void usersAndGroupsResolveByNameAndByNumber() throws Exception {
    List<String> arguments = new ArrayList<>(List.of("resolve"));
    List<String> expected = new ArrayList<>();
    for (String[] each : RESOLVED) {
      arguments.addAll(List.of(each[0], each[1]));
      expected.add(each[2]);
    }

    List<String> lines = OwnAccounts.run(List.of(), arguments.toArray(String[]::new));

    assertThat(lines).containsExactlyElementsOf(expected);
  }

  @Test
  @Tag("root")
  void theGroupsAreThoseThatIdPrints() throws Exception {
    assertThat(OwnAccounts.run(List.of(), "groups", "worker", "4242", "homeless", "huge", "root"))
        .containsExactly(
            "[7001 7010 7011] = [7001 7010 7011]",
            "[7002 7011] = [7002 7011]",
            "[7010] = [7010]",
            "[4294967293 7011] = [4294967293 7011]",
            "[0] = [0]");
  }

  @Test
  @Tag("root")
  @Tag("libnss-extrausers")
  void theCLibraryIsAskedSoASecondSourceCountsLikeTheFirst() throws Exception {
    assertThat(
            OwnAccounts.run(
                PrivilegesProgram.class,
                List.of(),
                OwnAccounts.Sources.TWO,
                _ ->
                    new String[] {
                      "resolve",
                      "faraway",
                      "-",
                      "7101",
                      "-",
                      "worker",
                      "club",
                      "-",
                      "club",
                      "root",
                      "-",
                      "unheard-of",
                      "-",
                    }))
        .containsExactly(
            "uid 7101, gid 7110, groups [7110 7111] faraway 2f686f6d652f66617261776179",
            "uid 7101, gid 7110, groups [7110 7111] faraway 2f686f6d652f66617261776179",
            "uid 7001, gid 7111, groups [7111 7010 7011] worker 2f686f6d652f77f6726b6572",
            "gid 7111, groups [] - -",
            "uid 0, gid 0, groups [0] root 2f726f6f74",
            "unknown user: unheard-of");
    assertThat(
            OwnAccounts.run(
                PrivilegesProgram.class,
                List.of(),
                OwnAccounts.Sources.TWO,
                _ -> new String[] {"groups", "faraway", "worker"}))
        .containsExactly(
            "[7110 7111] = [7110 7111]", "[7001 7010 7011 7111] = [7001 7010 7011 7111]");
  }

  @Test
  void everyAccountOfThisMachineHasTheIdsAndGroupsThatIdPrints() throws Exception {
    for (String entry : Command.run("getent", "passwd").lines().toList()) {
      String user = entry.split(":", -1)[0];

      Identity identity = Identity.of(user, null);

      assertThat(identity.uid()).hasValue(Long.parseLong(Command.run("id", "-u", user)));
      assertThat(identity.gid()).isEqualTo(Long.parseLong(Command.run("id", "-g", user)));
      assertThat(ids(identity)).as(user).isEqualTo(Command.run("id", "-G", user));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "null",
      value = {
        "nosuch         | null   | unknown user: nosuch",
        "''             | null   | unknown user: \"\"",
        "#              | null   | unknown user: #",
        "#root          | null   | unknown user: #root",
        "##0            | null   | unknown user: ##0",
        "-1             | null   | user id out of range: -1",
        "+1             | null   | unknown user: +1",
        "1 1            | null   | unknown user: 1 1",
        "0x1            | null   | unknown user: 0x1",
        "\u0661         | null   | unknown user: \u0661",
        "4294967295     | null   | user id out of range: 4294967295",
        "#4294967295    | null   | user id out of range: 4294967295",
        "18446744073709551616 | null | user id out of range: 18446744073709551616",
        "root           | nosuch | unknown group: nosuch",
        "null           | nosuch | unknown group: nosuch",
        "null           | ''     | unknown group: \"\"",
        "null           | #-1    | group id out of range: -1",
        "null           | 4294967295 | group id out of range: 4294967295",
        "nosuch         | nosuch | unknown user: nosuch"
      })
  void whatIsNoAccountIsRefusedWithTheReason(String user, String group, String message) {
    assertThatThrownBy(() -> Identity.of(user, group))
        .isInstanceOf(UnknownAccountException.class)
        .hasMessage(message);
  }

  /** Of 2^32 the kernel would be told the part that is root. */
  @ParameterizedTest
  @ValueSource(longs = {-1, 0xffff_ffffL, 1L << 32, (1L << 32) + 1234, Long.MIN_VALUE})
  void aNumberThatIsNoUserIdIsRefused(long user) {
    Path root = Path.of("/");
    Path file = Path.of("/file");

    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> Identity.userName(user),
            () -> Ownership.mayTrust(root, user),
            () -> Ownership.requireTrust(file, user),
            () -> Ownership.requireOwn(root, user),
            () -> OwnDirectory.isOf(root, user),
            () -> TrustedFile.read(file, user, 1))) {
      assertThatIllegalArgumentException()
          .isThrownBy(call)
          .withMessage("user id out of range: " + user);
    }
  }

  @Test
  void aNameThatIsTooLongIsToldWithoutControlCharacters() {
    assertThatThrownBy(() -> Identity.of("\u001b\n" + "x".repeat(300), null))
        .isInstanceOf(UnknownAccountException.class)
        .hasMessage("user name too long: ??" + "x".repeat(30) + "... (302)");
  }

  @Test
  void aNameThatTheCLibraryWouldCutIsUnknown() {
    assertThatThrownBy(() -> Identity.of("root\0", null))
        .isInstanceOf(UnknownAccountException.class)
        .hasMessage("unknown user: root?");
  }

  @Test
  void aNameThatIsTooLongIsToldSoInShort() {
    String name = "n".repeat(256);

    assertThatThrownBy(() -> Identity.of(name, null))
        .isInstanceOf(UnknownAccountException.class)
        .hasMessage("user name too long: " + "n".repeat(32) + "... (256)");
    assertThatThrownBy(() -> Identity.of("root", name))
        .isInstanceOf(UnknownAccountException.class)
        .hasMessageStartingWith("group name too long: ");
    assertThatThrownBy(() -> Identity.of(name.substring(1), null))
        .hasMessage("unknown user: " + name.substring(1));
  }

  @Test
  void otherSupplementaryGroupsReplaceAll() throws Exception {
    Identity root = Identity.of("root", null);

    assertThat(root.withGroups(List.of("#7", "4000000000", "#7", "root")).groups())
        .containsExactly(7, 4_000_000_000L, 0);
    assertThat(root.withGroups(List.of()).groups()).isEmpty();
    assertThat(root.withGroups(List.of()).home()).hasValue("/root".getBytes(US_ASCII));
    assertThatThrownBy(() -> root.withGroups(List.of("root", "nosuch")))
        .isInstanceOf(UnknownAccountException.class)
        .hasMessage("unknown group: nosuch");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> root.withGroups(Collections.nCopies(65_537, "root")))
        .withMessage("too many groups: 65537");
  }

  @Test
  void theShellIsTheAccountsOrTheUsualOne() throws Exception {
    String shell = Command.run("sh", "-c", "getent passwd root | cut -d: -f7");

    assertThat(Identity.of("root", null).shell()).hasValue(shell.getBytes(US_ASCII));
    assertThat(Identity.of("#4294967293", null).shell()).hasValue("/bin/sh".getBytes(US_ASCII));
    assertThat(Identity.of(null, "root").shell()).isEmpty();
  }

  @Test
  void oneOfUserAndGroupIsNeeded() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Identity.of(null, null))
        .withMessage("neither a user nor a group");
  }

  @Property(tries = 200)
  void everyNumberInRangeIsAnId(
      @ForAll @LongRange(max = 0xffff_fffeL) long uid,
      @ForAll @LongRange(max = 0xffff_fffeL) long gid)
      throws Exception {
    Identity identity = Identity.of("#" + uid, Long.toString(gid));

    assertThat(identity.uid()).hasValue(uid);
    assertThat(identity.gid()).isEqualTo(gid);
  }

  @Test
  void whatIsHandedOutIsACopy() throws Exception {
    Identity root = Identity.of("root", null);
    root.groups()[0] = 1;
    root.name().orElseThrow()[0] = 'b';
    root.home().orElseThrow()[0] = 'b';

    assertThat(root.groups()[0]).isZero();
    assertThat(root.name().orElseThrow()).asString().isEqualTo("root");
    assertThat(root.home().orElseThrow()).asString().isEqualTo("/root");
  }

  private static String ids(Identity identity) {
    StringBuilder ids = new StringBuilder();
    for (long group : identity.groups()) {
      ids.append(ids.isEmpty() ? "" : " ").append(group);
    }
    return ids.toString();
  }

  /** Looks a user up by its id, with more and more descriptors left. */
  static final class WithoutDescriptors {
    public static void main(String[] arguments) throws Exception {
      // What is used then is loaded now.
      String _ = new PosixException("none", VisibleText.line("left"), Errno.EMFILE).getMessage();
      // The C library has its own ways before it has looked anything up.
      String right = look(arguments[0]);
      String none = look("4000000000");
      List<Integer> opened = new ArrayList<>();
      int number;
      while ((number = Files.open(new byte[] {'/'}, Files.O_PATH, 0)) >= 0) {
        opened.add(number);
      }
      for (int left = 0; left < 20; left++) {
        String found = look(arguments[0]);
        System.out.println(found.equals(right) || found.equals("EMFILE") ? "right" : found);
        Files.close(opened.removeLast());
      }
      System.out.println(look(arguments[0]).equals(right) && look("4000000000").equals(none));
    }

    private static String look(String user) throws Exception {
      try {
        return Identity.of(user, null).toString();
      } catch (PosixException failure) {
        return failure.errno().name();
      }
    }
  }

  @Test
  void aUserIsNotUnknownForWantOfADescriptor() throws Exception {
    String user =
        java.nio.file.Files.readAllLines(Path.of("/etc/passwd")).stream()
            .map(line -> line.split(":", -1))
            .filter(fields -> fields.length > 3 && !fields[2].equals(fields[3]))
            .findFirst()
            .orElseThrow()[2];

    List<String> lines =
        ChildJvm.of(WithoutDescriptors.class)
            .startedBy("prlimit", "--nofile=100:100")
            .run(user)
            .lines();

    assertThat(lines.subList(0, 20)).containsOnly("right");
    assertThat(lines.get(20)).isEqualTo("true");
  }

  static final class KeepsItsGroups {
    public static void main(String[] arguments) throws Exception {
      PrivilegeDrop drop = PrivilegeDrop.to(Identity.of("65534", null));
      drop.applyToProcess();
      drop.verify();
      System.out.println("verified");
    }
  }

  /** As a service manager or a container runtime that has chosen the groups. */
  @Test
  @Tag("root")
  void groupsThatAreKeptAreVerifiedAsSuch(@TempDir Path classes) throws Exception {
    assertThat(
            ChildJvm.of(KeepsItsGroups.class)
                .startedBy("setpriv", "--reuid=65534", "--regid=65534", "--groups=5")
                .copied(classes)
                .run()
                .lines())
        .containsExactly("verified");
  }
}
