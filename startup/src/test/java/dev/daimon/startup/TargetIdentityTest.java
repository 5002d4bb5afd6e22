package dev.daimon.startup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.daimon.privileges.Identity;
import dev.daimon.startup.StartException.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetIdentityTest {
  @Test
  void withoutNamesThereIsNoIdentity() {
    assertThat(TargetIdentity.resolve(null, null, null)).isNull();
    assertThat(TargetIdentity.user(null)).isEqualTo(Identity.effectiveUser());
  }

  @Test
  void namesAndNumbersAreResolved() {
    Identity identity = TargetIdentity.resolve("#7001", "root", List.of("#7"));

    assertThat(identity.gid()).isZero();
    assertThat(identity.groups()).containsExactly(7);
    assertThat(TargetIdentity.user(identity)).isEqualTo(7001);
  }

  @Test
  void aGroupAloneChangesNoUser() {
    assertThat(TargetIdentity.user(TargetIdentity.resolve(null, "root", null)))
        .isEqualTo(Identity.effectiveUser());
  }

  @ParameterizedTest
  @CsvSource({
    "no-such-user, , root",
    "root, no-such-group, root",
    "root, root, no-such-group",
  })
  void unknownNamesAreRefused(String user, String group, String other) {
    assertThatExceptionOfType(StartException.class)
        .isThrownBy(() -> TargetIdentity.resolve(user, group, List.of(other)))
        .satisfies(failure -> assertThat(failure.reason()).isEqualTo(Reason.ACCOUNT));
  }
}
