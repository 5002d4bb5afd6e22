package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.ResourceLimit;
import dev.daimon.testing.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrivilegeDropTest {
  /** Starts as it is known, whoever runs the tests. */
  private static final List<String> KNOWN = known("setpriv", "--groups=0,7020");

  private static final List<String> NOBODY = known(ChildJvm.AS_NOBODY.toArray(String[]::new));

  private static final String ROOT = "uid 0, gid 0, groups 0 7020, powerful, open, nice 0";
  private static final String AS_NOBODY = "uid 65534, gid 65534, groups , powerless, open, nice 0";

  /** The score is the tests' own, and can be raised to the highest by everybody. */
  private static final String SCORE = score();

  private static final String PROCESS = "core 7:9, oom " + SCORE;

  private static List<String> known(String... command) {
    List<String> known = new ArrayList<>(List.of("prlimit", "--core=7:9"));
    known.addAll(List.of("sh", "-euc", "renice -n 0 -p $$ >/dev/null; exec \"$@\"", "sh"));
    known.addAll(List.of(command));
    return known;
  }

  private static String score() {
    try {
      return Files.readString(Path.of("/proc/self/oom_score_adj")).strip();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "user=worker               | uid 7001, gid 7001, groups 7001 7010 7011, powerless, open, nice 0",
        "user=worker group=more    | uid 7001, gid 7011, groups 7010 7011, powerless, open, nice 0",
        "user=worker groups=       | uid 7001, gid 7001, groups , powerless, open, nice 0",
        "user=worker groups=more,5 | uid 7001, gid 7001, groups 5 7011, powerless, open, nice 0",
        "user=#31337 groups=more   | uid 31337, gid 31337, groups 7011, powerless, open, nice 0",
        "group=more                | uid 0, gid 7011, groups , powerful, open, nice 0",
        "group=more groups=5       | uid 0, gid 7011, groups 5, powerful, open, nice 0",
        "user=root                 | uid 0, gid 0, groups 0, powerful, open, nice 0",
        "nnp                       | uid 0, gid 0, groups 0 7020, powerful, shut, nice 0",
        "nice=5                    | uid 0, gid 0, groups 0 7020, powerful, open, nice 5",
        "nice=-3 user=worker nnp   | uid 7001, gid 7001, groups 7001 7010 7011, powerless, shut, nice -3",
      })
  void everyThreadHasGivenUpWhatWasAskedFor(String words, String facts) throws Exception {
    assertThat(child(KNOWN, "assume-and-verify", words)).containsExactly("assumed", facts, PROCESS);
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "limit=core=3:4            | core 3:4, oom OWN",
        "limit=core=0 oom=1000     | core 0:0, oom 1000",
        "limit=core=3:4 limit=core=1:2 | core 1:2, oom OWN",
        "oom=1000 user=worker      | core 7:9, oom 1000",
      })
  void limitsAndScoreAreTheProcesss(String words, String process) throws Exception {
    assertThat(child(KNOWN, "assume-and-verify", words))
        .startsWith("assumed")
        .endsWith(process.replace("OWN", SCORE))
        .hasSize(3);
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "user=nobody               | assumed | 65534, gid 65534",
        "user=#65534               | assumed | 65534, gid 65534",
        "group=nogroup             | assumed | 65534, gid 65534",
        "user=nobody groups=       | assumed | 65534, gid 65534",
        "user=nobody groups=more   | setgroups 7011: Operation not permitted (EPERM, 1) | 65534, gid 65534",
        "user=root                 | setgroups 0: Operation not permitted (EPERM, 1) | 65534, gid 65534",
        "user=worker               | setgroups 7001 7010 7011: Operation not permitted (EPERM, 1) | 65534, gid 65534",
        "user=#31337               | setgroups: Operation not permitted (EPERM, 1) | 65534, gid 65534",
        "group=more                | setgroups: Operation not permitted (EPERM, 1) | 65534, gid 65534",
      })
  void anOrdinaryUserCanBeItselfAlone(String words, String said, String ids) throws Exception {
    assertThat(child(NOBODY, "assume", words))
        .containsExactly(said, "uid " + ids + ", groups , powerless, open, nice 0", PROCESS);
  }

  @Test
  @Tag("root")
  void whatTakesNoRightAnOrdinaryUserCanGiveUpAsWell() throws Exception {
    assertThat(child(NOBODY, "assume", "nnp nice=7 oom=1000 limit=core=1:2"))
        .containsExactly(
            "assumed",
            "uid 65534, gid 65534, groups , powerless, shut, nice 7",
            "core 1:2, oom 1000");
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "nice=-1          | setpriority thread N -1: Permission denied (EACCES, 13) | setpriority -1: ",
        "oom=-1000        | write /proc/self/oom_score_adj -1000: Permission denied (EACCES, 13) | write ",
        "limit=core=7:10  | prlimit core=7:10: Operation not permitted (EPERM, 1) | resource limits ",
      })
  void whatTakesARightIsRefusedToAnOrdinaryUser(String words, String said, String toSpawn)
      throws Exception {
    assertThat(child(NOBODY, "assume", words)).containsExactly(said, AS_NOBODY, PROCESS);
    List<String> spawned = child(NOBODY, "spawn", words);
    assertThat(spawned.getFirst()).startsWith(toSpawn);
    assertThat(spawned.subList(1, spawned.size())).containsExactly(AS_NOBODY, PROCESS);
  }

  @Test
  @Tag("root")
  void twoHundredThreadsGiveUpWhileOthersStart() throws Exception {
    assertThat(child(KNOWN, "assume-among-threads", "user=worker nnp nice=4"))
        .containsExactly(
            "more than 200 true",
            "uid 7001, gid 7001, groups 7001 7010 7011, powerless, shut, nice 4",
            PROCESS);
  }

  /** There the threads have other ids; a system call would find none, or another process. */
  @ParameterizedTest
  @Tag("root")
  @ValueSource(strings = {"assume", "verify"})
  void noNicenessIsSetOrVerifiedByIdsOfAnotherNamespace(String what) throws Exception {
    List<String> prefix = new ArrayList<>(ChildJvm.WITH_FOREIGN_PROC);
    prefix.addAll(KNOWN);

    assertThat(child(prefix, what, "nice=7").getFirst())
        .isEqualTo(
            "open /proc: Operation not permitted (EPERM, 1); it is of another PID namespace");
    assertThat(child(prefix, "assume-and-verify", "user=worker nnp").getFirst())
        .isEqualTo("assumed");
  }

  @Test
  @Tag("root")
  void aThreadWithAFilterOfItsOwnIsNamed() throws Exception {
    List<String> lines = child(KNOWN, "assume-with-filters", "nnp");

    assertThat(lines.getFirst())
        .isEqualTo(
            "thread N has a system call filter of its own, and cannot be kept from new"
                + " privileges");
  }

  @Test
  @Tag("root")
  void aThreadThatMayNotChangeItsIdsIsNamedBeforeAnythingChanges() throws Exception {
    assertThat(child(KNOWN, "assume-during-access", "user=worker"))
        .containsExactly(
            "thread N has credentials of its own: no CAP_SETGID",
            "uid 7001, gid 7001, groups 7001 7010 7011, powerless, open, nice 0",
            PROCESS);
  }

  @Test
  @Tag("root")
  void theScoreOfAStartIsOverBeforeAnotherOneIsApplied() throws Exception {
    assertThat(child(KNOWN, "assume-during-start", "oom=1000"))
        .containsExactly(ROOT, "core 7:9, oom 1000");
  }

  @Test
  @Tag("root")
  void anActionsResultIsKnownAndTheScoreRestoredAlthoughNoDescriptorIsLeft() throws Exception {
    assertThat(child(KNOWN, "start-without-descriptors", "oom=1000"))
        .containsExactly("started", "failed", ROOT, PROCESS);
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "user=worker            | thread N has user ids 0 0 0 0",
        "group=more             | thread N has group ids 0 0 0 0",
        "user=root              | thread N has supplementary groups 0 7020",
        "nnp                    | thread N could gain privileges by executing a program",
        "nice=5                 | thread N has niceness 0",
        "oom=1000               | the process has oom_score_adj OWN",
        "limit=core=0           | the process has another limit than core=0",
      })
  void whatIsNotGivenUpIsFound(String words, String said) throws Exception {
    assertThat(child(KNOWN, "verify", words))
        .containsExactly(said.replace("OWN", SCORE), ROOT, PROCESS);
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "--inh-caps=-all --bounding-set=-all | verified",
        "--inh-caps=+kill --ambient-caps=+kill | verified",
        "--inh-caps=+setuid --ambient-caps=+setuid | the process can get user id 0 back",
        "--inh-caps=+setgid --ambient-caps=+setgid | the process can get group id 0 back",
      })
  void capabilitiesThatOutliveRootAreFound(String options, String said) throws Exception {
    List<String> prefix = new ArrayList<>(List.of("setpriv"));
    prefix.addAll(List.of(options.split(" ", -1)));
    prefix.addAll(List.of("--reuid=7001", "--regid=7001", "--groups=7001,7010,7011"));

    assertThat(child(prefix, "verify", "user=worker").getFirst()).matches(said);
  }

  @Test
  @Tag("root")
  void verifyFindsCapabilitiesThatADropHasLeft() throws Exception {
    List<String> prefix = List.of("setpriv", "--securebits=+no_setuid_fixup");

    assertThat(child(prefix, "assume-and-verify", "user=worker").getFirst())
        .startsWith("thread N has kept capabilities: CAP_CHOWN ");
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "root=/    | a JVM that runs cannot change its root directory",
        "keep=kill | a JVM that runs cannot keep capabilities across a change of user",
      })
  void whatAJvmThatRunsCannotGiveUpIsRefused(String words, String said) throws Exception {
    List<String> lines = child(KNOWN, "assume", words + " user=worker");

    assertThat(lines.getFirst()).startsWith(said);
    assertThat(lines.subList(1, 3)).containsExactly(ROOT, PROCESS);
  }

  @Test
  @Tag("root")
  void aSpawnedProgramHasGivenUpEverythingAndThisProcessNothing() throws Exception {
    assertThat(
            child(
                KNOWN,
                "spawn",
                "user=worker groups=more nice=6 oom=1000 nnp keep=net_bind_service"))
        .containsExactly(
            "7001",
            "7001",
            "7001 7011",
            "6",
            Path.of("").toAbsolutePath().toString(),
            "CapInh:\t0000000000000400",
            "CapPrm:\t0000000000000400",
            "CapEff:\t0000000000000400",
            "CapBnd:\t0000000000000400",
            "CapAmb:\t0000000000000400",
            "NoNewPrivs:\t1",
            "1000",
            ROOT,
            PROCESS);
  }

  /** Whatever a change of user id would leave. */
  @ParameterizedTest
  @Tag("root")
  @ValueSource(
      strings = {
        "--securebits=+no_setuid_fixup",
        "--inh-caps=+kill",
        "--inh-caps=+kill --ambient-caps=+kill"
      })
  void aSpawnedProgramHasNoCapabilityThatWasNotKept(String options) throws Exception {
    List<String> prefix = new ArrayList<>(List.of("setpriv"));
    prefix.addAll(List.of(options.split(" ", -1)));

    assertThat(child(prefix, "spawn", "user=worker"))
        .startsWith("7001", "7001", "7001 7010 7011")
        .contains("CapInh:\t0000000000000000", "CapPrm:\t0000000000000000")
        .contains("CapEff:\t0000000000000000", "CapAmb:\t0000000000000000");
  }

  @Test
  @Tag("root")
  void whoIsThatUserAlreadyCanGiveUpTheRest() throws Exception {
    assertThat(child(NOBODY, "spawn", "user=nobody nice=6 nnp"))
        .startsWith("65534", "65534", "65534", "6")
        .contains("NoNewPrivs:\t1");
    assertThat(child(NOBODY, "spawn", "user=nobody groups=more nice=6").getFirst())
        .isEqualTo("setgroups 7011: Operation not permitted (EPERM, 1)");
  }

  @Test
  @Tag("root")
  void rootItselfCanKeepACapabilityAloneOrNone() throws Exception {
    assertThat(child(KNOWN, "spawn", "keep=kill"))
        .contains("0", "CapPrm:\t0000000000000020", "CapEff:\t0000000000000020")
        .contains("CapBnd:\t0000000000000020");
    assertThat(child(KNOWN, "spawn", "keep="))
        .contains("0", "CapPrm:\t0000000000000000", "CapBnd:\t0000000000000000");
  }

  @Test
  @Tag("root")
  void aSpawnedProgramCanHaveAnotherRootDirectory() throws Exception {
    assertThat(child(KNOWN, "spawn", "user=worker root=D/root keep=kill nnp"))
        .containsExactly("7001", "7001", "7001 7010 7011", "0", "/", "no proc", ROOT, PROCESS);
  }

  @ParameterizedTest
  @Tag("root")
  @CsvSource(
      delimiter = '|',
      value = {
        "root=/no/such | chroot /no/such: No such file or directory (ENOENT, 2)",
        "root=/etc/passwd | chroot /etc/passwd: Not a directory (ENOTDIR, 20)",
      })
  void aRootDirectoryThatIsNoneIsAnError(String words, String said) throws Exception {
    assertThat(child(KNOWN, "spawn", words)).containsExactly(said, ROOT, PROCESS);
  }

  @Test
  @Tag("root")
  void aCapabilityThatIsNotThereCannotBeKept() throws Exception {
    List<String> prefix = known("setpriv", "--groups=0,7020", "--bounding-set=-kill");

    // Root has what the bounding set had, once it executes a program.
    assertThat(child(prefix, "spawn", "keep=kill"))
        .containsExactly("capset CAP_KILL: Operation not permitted (EPERM, 1)", ROOT, PROCESS);
  }

  @Test
  void limitsOfASpawnedProgramAreRefused() {
    PrivilegeDrop drop = PrivilegeDrop.builder().limit(ResourceLimit.parse("core=0")).build();

    assertThatThrownBy(() -> drop.start(_ -> null))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "resource limits are the whole process's; give them to the program that is started:"
                + " [core=0]");
  }

  @Test
  void everythingThatIsWrongIsToldAtOnce() {
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            PrivilegeDrop.builder()
                .niceness(20)
                .oomScoreAdjust(-1001)
                .rootDirectory(Path.of("here"))
                .build())
        .withMessage(
            "niceness is outside of -20 to 19: 20; oomScoreAdjust is outside of -1000 to 1000:"
                + " -1001; rootDirectory is not absolute: here");
  }

  @Test
  void itSaysWhatItGivesUp() throws Exception {
    assertThat(
            PrivilegeDrop.builder()
                .identity(Identity.of("#7001", "#7002"))
                .rootDirectory(Path.of("/srv"))
                .limit(ResourceLimit.parse("core=0"))
                .niceness(3)
                .oomScoreAdjust(4)
                .keepCapabilities(Set.of())
                .noNewPrivileges()
                .build())
        .hasToString(
            """
            rlimit: core=0
            oom_score_adj: 4
            nice: 3
            chroot: /srv
            capabilities: none
            identity: uid 7001, gid 7002, groups []
            no new privileges: yes\
            """);
  }

  private static List<String> child(List<String> prefix, String what, String words)
      throws Exception {
    return OwnAccounts.run(
        DropChild.class,
        prefix,
        OwnAccounts.Sources.ONE,
        directory -> {
          List<String> arguments = new ArrayList<>(List.of(what, directory.toString()));
          arguments.addAll(List.of(words.replace("D/", directory + "/").split(" ", -1)));
          return arguments.toArray(String[]::new);
        });
  }
}
