package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@link ResourceLimit}, {@link Resource} and {@link Capability} as people write them. */
class ResourceLimitTest {
  @ParameterizedTest
  @CsvSource({
    "core=0, CORE, 0, 0",
    "nofile=1024:4096, NOFILE, 1024, 4096",
    "NOFILE=1024:unlimited, NOFILE, 1024, -1",
    "RLIMIT_as=infinity, AS, -1, -1",
    "data=9223372036854775800, DATA, 9223372036854775800, 9223372036854775800",
  })
  void oneNumberIsBothLimits(String text, Resource resource, long soft, long hard) {
    assertThat(ResourceLimit.parse(text)).isEqualTo(new ResourceLimit(resource, soft, hard));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "core          | not NAME=SOFT[:HARD]: \"core\"",
        "''            | not NAME=SOFT[:HARD]: \"\"",
        "cores=0       | no such resource: \"cores\"",
        "=0            | no such resource: \"\"",
        "\u017ftack=0 | no such resource: \"\u017ftack\"",
        "core=         | not a limit: \"\" in core=",
        "core=-1       | not a limit: \"-1\" in core=-1",
        "core=1:       | not a limit: \"\" in core=1:",
        "core=:1       | not a limit: \"\" in core=:1",
        "core=1:2:3    | not a limit: \"2:3\" in core=1:2:3",
        "core=1k       | not a limit: \"1k\" in core=1k",
        "core=\u0661   | not a limit: \"\u0661\" in core=\u0661",
        "core=9223372036854775808  | not a limit: \"9223372036854775808\" in core=9223372036854775808",
        "core=2:1      | the soft limit of core is above the hard one: 2",
        "core=unlimited:1 | the soft limit of core is above the hard one: unlimited",
      })
  void whatIsNoLimitIsRefusedWithTheReason(String text, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ResourceLimit.parse(text))
        .withMessage(message);
  }

  @Property
  void whatIsPrintedIsRead(
      @ForAll Resource resource,
      @ForAll @LongRange(min = -1) long one,
      @ForAll @LongRange(min = -1) long other) {
    boolean ordered = !ResourceLimit.isAbove(one, other);
    ResourceLimit limit = new ResourceLimit(resource, ordered ? one : other, ordered ? other : one);

    assertThat(ResourceLimit.parse(limit.toString())).isEqualTo(limit);
  }

  @ParameterizedTest
  @EnumSource
  void aCapabilityIsFoundByItsNameInCAndByItsShortOne(Capability capability) {
    String name = capability.toString();

    assertThat(Capability.parse(name)).isEqualTo(capability);
    assertThat(Capability.parse(name.substring(4).toLowerCase(Locale.ROOT))).isEqualTo(capability);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Capability.parse(name + "X"))
        .withMessage("no such capability: \"" + name + "X\"");
  }

  @Test
  void aLetterWhoseCapitalIsOneOfANameIsNoneOfIt() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Capability.parse("\u017fys_admin"))
        .withMessage("no such capability: \"\u017fys_admin\"");
  }
}
