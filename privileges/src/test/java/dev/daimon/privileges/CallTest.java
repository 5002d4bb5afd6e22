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

/** {@link Identity#call}. */
@Tag("root")
class CallTest {
  private static final String ROOT = "uid 0 0 0 0, gid 0 0 0 0, groups 7020, powerful";
  private static final String WORKER =
      "uid 7001 7001 7001 7001, gid 7001 7001 7001 7001, groups 7001 7010 7011, powerless";

  @Test
  void oneThreadHasTheIdentityAndAllOthersKeepTheirs() throws Exception {
    assertThat(OwnAccounts.run(List.of("setpriv", "--groups=7020"), "call", "worker", "-"))
        .containsExactly(
            "in the calling thread false", "own " + WORKER, ROOT, WORKER, "after " + ROOT);
  }

  @Test
  void theGroupAloneCanChange() throws Exception {
    String changed = "uid 0 0 0 0, gid 7011 7011 7011 7011, groups , powerful";

    assertThat(OwnAccounts.run(List.of("setpriv", "--groups=7020"), "call", "-", "more"))
        .containsExactly(
            "in the calling thread false", "own " + changed, ROOT, changed, "after " + ROOT);
  }

  @Test
  void filesAreJudgedAndMadeByTheIdentity(@TempDir Path directory) throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path secret = Files.writeString(directory.resolve("secret"), "roots alone");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));

    assertThat(OwnAccounts.run(List.of(), "call-files", "worker", "more", directory.toString()))
        .containsExactly("denied", "roots alone");
    assertThat(Files.getAttribute(directory.resolve("created"), "unix:uid")).isEqualTo(7001);
    assertThat(Files.getAttribute(directory.resolve("created"), "unix:gid")).isEqualTo(7011);
  }

  @Test
  void aProgramSpawnedThereHasTheIdentity(@TempDir Path directory) throws Exception {
    assertThat(
            OwnAccounts.run(
                List.of("setpriv", "--groups=7020"),
                "call-spawn",
                "worker",
                "-",
                directory.toString()))
        .containsExactly(
            "-u 0 7001", "-g 0 7001", "-G 0 7001 7010 7011", "built 7001 7010 7011", ROOT, WORKER);
  }

  @Test
  void whateverTheActionThrowsComesOut() throws Exception {
    assertThat(OwnAccounts.run(List.of(), "call-failures", "worker", "-"))
        .containsExactly("the same true", "the same true", "the same true");
  }

  @Test
  void anInterruptWaitsForTheActionsEnd() throws Exception {
    assertThat(OwnAccounts.run(List.of(), "call-interrupted", "worker", "-"))
        .containsExactly("the action ended by itself", "interrupted true");
  }

  @Test
  void anOrdinaryUserMayNotActAsAnother() throws Exception {
    assertThat(OwnAccounts.run(ChildJvm.AS_NOBODY, "call", "root", "-").get(0))
        .isEqualTo("setgroups 0: Operation not permitted (EPERM, 1)");
  }

  @Test
  void whoIsThatUserAlreadyActsInTheCallingThread() throws Exception {
    assertThat(OwnAccounts.run(ChildJvm.AS_NOBODY, "call", "nobody", "-").get(0))
        .isEqualTo("in the calling thread true");
  }

  @Test
  void capabilitiesThatOutliveRootAreRefused() throws Exception {
    List<String> prefix = List.of("setpriv", "--securebits=+no_setuid_fixup", "--groups=7020");

    assertThat(OwnAccounts.run(prefix, "call", "worker", "-"))
        .containsExactly(
            "the calling thread has kept root's capabilities (securebits prevent their loss)",
            "after " + ROOT);
  }
}
