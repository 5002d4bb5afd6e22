package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link Identity#accessFiles}. */
@Tag("root")
class AccessFilesTest {
  private static final String ROOT = "uid 0 0 0 0, gid 0 0 0 0, groups 7020, powerful";
  private static final String WORKER =
      "uid 0 0 0 7001, gid 0 0 0 7001, groups 7001 7010 7011, powerless";

  /** It is able to change its user. */
  private static final String STARTING =
      "own uid 0 0 0 7001, gid 7001 7001 7001 7001, groups 7001 7010 7011, powerful";

  @Test
  void oneThreadAccessesFilesAsTheIdentityAndIsNobodysButRoots() throws Exception {
    assertThat(OwnAccounts.run(List.of("setpriv", "--groups=7020"), "files", "worker", "-"))
        .containsExactly(
            "in the calling thread false", "own " + WORKER, ROOT, WORKER, "after " + ROOT);
  }

  @Test
  void theGroupAloneCanChange() throws Exception {
    String changed = "uid 0 0 0 0, gid 0 0 0 7011, groups , powerful";

    assertThat(OwnAccounts.run(List.of("setpriv", "--groups=7020"), "files", "-", "more"))
        .containsExactly(
            "in the calling thread false", "own " + changed, ROOT, changed, "after " + ROOT);
  }

  @Test
  void filesAreJudgedAndMadeByTheIdentity(@TempDir Path directory) throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path secret = Files.writeString(directory.resolve("secret"), "roots alone");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));

    assertThat(OwnAccounts.run(List.of(), "files-files", "worker", "more", directory.toString()))
        .containsExactly("denied", "roots alone");
    assertThat(Files.getAttribute(directory.resolve("created"), "unix:uid")).isEqualTo(7001);
    assertThat(Files.getAttribute(directory.resolve("created"), "unix:gid")).isEqualTo(7011);
  }

  @Test
  void aProgramThatIsStartedHasTheIdentityAndTheThreadThatStartsItHasNoUserIdOfIts(
      @TempDir Path directory) throws Exception {
    assertThat(
            OwnAccounts.run(
                List.of("setpriv", "--groups=7020"),
                "files-spawn",
                "worker",
                "-",
                directory.toString()))
        .containsExactly(
            STARTING, "-u 0 7001", STARTING, "-g 0 7001", STARTING, "-G 0 7001 7010 7011", ROOT);
  }

  @Test
  void whateverTheActionThrowsComesOut() throws Exception {
    assertThat(OwnAccounts.run(List.of(), "files-failures", "worker", "-"))
        .containsExactly(
            "java.lang.InterruptedException: d", "the same true", "the same true", "the same true");
  }

  @Test
  void anInterruptWaitsForTheActionsEnd() throws Exception {
    assertThat(OwnAccounts.run(List.of(), "files-interrupted", "worker", "-"))
        .containsExactly("the action ended by itself", "interrupted true");
  }

  @Test
  void anOrdinaryUserMayNotActAsAnother() throws Exception {
    assertThat(OwnAccounts.run(ChildJvm.AS_NOBODY, "files", "root", "-").get(0))
        .isEqualTo("setgroups 0: Operation not permitted (EPERM, 1)");
  }

  @Test
  void whoIsThatUserAlreadyActsInTheCallingThread() throws Exception {
    assertThat(OwnAccounts.run(ChildJvm.AS_NOBODY, "files", "nobody", "-").get(0))
        .isEqualTo("in the calling thread true");
  }

  @Test
  void noCapabilityIsLeftWhateverTheSecurebits(@TempDir Path directory) throws Exception {
    List<String> prefix = List.of("setpriv", "--securebits=+no_setuid_fixup", "--groups=7020");

    assertThat(OwnAccounts.run(prefix, "files", "worker", "-"))
        .containsExactly(
            "in the calling thread false", "own " + WORKER, ROOT, WORKER, "after " + ROOT);
  }

  @Test
  void anIdThatIsNoneInThisUserNamespaceIsToldAsSuch() throws Exception {
    // Somebody outside, with the right to it, says what the ids inside are.
    String script =
        """
        unshare --user sh -c 'until grep -q 5000 /proc/self/uid_map; do :; done; exec "$@"' sh "$@" &
        until [ "$(readlink /proc/$!/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do :; done
        echo 0 0 10000 >/proc/$!/gid_map
        echo 0 0 5000 >/proc/$!/uid_map
        wait $!
        """;
    List<String> prefix = List.of("sh", "-euc", script, "sh");

    assertThat(OwnAccounts.run(prefix, "files", "7001", "7001").get(0))
        .isEqualTo("setfsuid 7001: Invalid argument (EINVAL, 22)");
  }
}
