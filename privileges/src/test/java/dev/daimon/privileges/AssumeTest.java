package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link PrivilegeDrop#applyToProcess} with an identity. */
@Tag("root")
class AssumeTest {
  private static final String NOBODY =
      "uid 65534 65534 65534 65534, gid 65534 65534 65534 65534, groups , powerless";

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "worker | -    | uid 7001 7001 7001 7001, gid 7001 7001 7001 7001, groups 7001 7010 7011, powerless",
        "worker | more | uid 7001 7001 7001 7001, gid 7011 7011 7011 7011, groups 7010 7011, powerless",
        "-      | more | uid 0 0 0 0, gid 7011 7011 7011 7011, groups , powerful",
        "31337  | -    | uid 31337 31337 31337 31337, gid 31337 31337 31337 31337, groups , powerless",
        "31337  | more | uid 31337 31337 31337 31337, gid 7011 7011 7011 7011, groups , powerless",
        "#4294967294 | - | uid 4294967294 4294967294 4294967294 4294967294, gid 4294967293 4294967293 4294967293 4294967293, groups 7011 4294967293, powerless",
      })
  void everyThreadHasTheIdentityAfterwards(String user, String group, String credentials)
      throws Exception {
    assertThat(OwnAccounts.run(List.of("setpriv", "--groups=0,7020"), "assume", user, group))
        .containsExactly("current false", "assumed", "current true", credentials);
  }

  @Test
  void rootBecomesRootWithRootsGroupsAlone() throws Exception {
    assertThat(OwnAccounts.run(List.of("setpriv", "--groups=0,7020"), "assume", "root", "-"))
        .containsExactly(
            "current true",
            "assumed",
            "current true",
            "uid 0 0 0 0, gid 0 0 0 0, groups 0, powerful");
  }

  @Test
  void twoHundredThreadsChangeWhileOthersStartAndNobodyGetsBack() throws Exception {
    assertThat(OwnAccounts.run(List.of(), "assume-among-threads", "worker", "-"))
        .containsExactly(
            "200 threads and more true",
            "uid 7001 7001 7001 7001, gid 7001 7001 7001 7001, groups 7001 7010 7011, powerless",
            "setuid -1",
            "seteuid -1",
            "setgid -1",
            "setgroups -1",
            "id -G 7001 7010 7011");
  }

  @Test
  void anOrdinaryUserMayNotBecomeAnother() throws Exception {
    assertThat(OwnAccounts.run(ChildJvm.AS_NOBODY, "assume", "root", "-"))
        .containsExactly(
            "current false",
            "setgroups 0: Operation not permitted (EPERM, 1)",
            "current false",
            NOBODY);
  }

  @Test
  void whoIsThatUserAlreadyIsDone() throws Exception {
    // "more" among the groups stands for what a service manager chose.
    List<String> prefix =
        List.of("setpriv", "--reuid=7003", "--regid=7010", "--groups=7011", "--inh-caps=-all");

    assertThat(OwnAccounts.run(prefix, "assume", "homeless", "-"))
        .containsExactly(
            "current true",
            "assumed",
            "current true",
            "uid 7003 7003 7003 7003, gid 7010 7010 7010 7010, groups 7011, powerless");
  }

  @Test
  void aRealIdAloneIsNotThatUser() throws Exception {
    assertThat(
            OwnAccounts.run(
                List.of("setpriv", "--ruid=7001", "--clear-groups"), "assume", "root", "-"))
        .containsExactly(
            "current false",
            "assumed",
            "current true",
            "uid 0 0 0 0, gid 0 0 0 0, groups 0, powerful");
  }

  @Test
  void capabilitiesThatOutliveRootAreFound() throws Exception {
    List<String> prefix = List.of("setpriv", "--securebits=+no_setuid_fixup");

    assertThat(OwnAccounts.run(prefix, "assume", "worker", "-").get(1))
        .matches("thread [0-9]+ has kept root's capabilities \\(securebits prevent their loss\\)");
  }

  @Test
  void aWayBackIsFound() throws Exception {
    List<String> prefix =
        List.of(
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=-all,+setuid,+setgid",
            "--ambient-caps=-all,+setuid,+setgid");

    assertThat(OwnAccounts.run(prefix, "assume", "worker", "-"))
        .contains("the process can get user id 65534 back");
  }

  @Test
  void aThreadWithAnIdentityOfItsOwnIsNamedBeforeAnythingChanges() throws Exception {
    String worker =
        "uid 7001 7001 7001 7001, gid 7001 7001 7001 7001, groups 7001 7010 7011, powerless";

    assertThat(OwnAccounts.run(List.of(), "assume-during-access", "worker", "-"))
        .containsExactly("thread N has credentials of its own: user ids 0 0 0 7001", worker);
    assertThat(OwnAccounts.run(List.of(), "assume-after-accesses", "worker", "-"))
        .containsExactly(worker);
  }
}
