package dev.daimon.privileges;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Runs {@link Child} with accounts of its own: in a mount namespace, so that the machine's are not
 * touched.
 */
final class OwnAccounts {
  private static final String PASSWD =
      """
      root:x:0:0:root:/root:/bin/sh
      worker:x:7001:7001::/home/w\u00f6rker:/bin/sh
      4242:x:7002:7002::/h:/bin/sh
      homeless:x:7003:7010:::/bin/sh
      huge:x:4294967294:4294967293::/:/bin/sh
      nobody:x:65534:65534:nobody:/nonexistent:/bin/sh
      """;

  private static final String GROUP =
      """
      root:x:0:
      worker:x:7001:
      extra:x:7010:worker
      more:x:7011:4242,worker,huge
      5150:x:7020:
      nogroup:x:65534:
      """;

  private static final String NAMESPACE =
      "mount --bind \"$1/passwd\" /etc/passwd; mount --bind \"$1/group\" /etc/group; shift; exec"
          + " \"$@\"";

  private OwnAccounts() {}

  /** Returns the lines that a part of {@link Child} prints. */
  static List<String> run(List<String> prefix, String... arguments) throws Exception {
    // Readable by any user, wherever the checkout is.
    Path directory = Files.createTempDirectory("daimon-privileges");
    try {
      Files.writeString(directory.resolve("passwd"), PASSWD, ISO_8859_1);
      Files.writeString(directory.resolve("group"), GROUP, ISO_8859_1);
      return ChildJvm.of(Child.class)
          .startedBy("unshare", "--mount", "--propagation", "private")
          .startedBy("sh", "-euc", NAMESPACE, "sh", directory.toString())
          .startedBy(prefix)
          .copied(directory)
          .run((Object[]) arguments)
          .lines();
    } finally {
      Command.run("rm", "-r", directory.toString());
    }
  }
}
