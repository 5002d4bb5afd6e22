package dev.daimon.privileges;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Runs {@link PrivilegesProgram} with accounts of its own: in a mount namespace, so that the
 * machine's are not touched.
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

  /** What the second source has, where it is asked. */
  private static final String EXTRA_PASSWD =
      """
      faraway:x:7101:7110::/home/faraway:/bin/false
      root:x:7102:7102::/:/bin/sh
      """;

  private static final String EXTRA_GROUP =
      """
      faraway:x:7110:
      club:x:7111:faraway,worker
      """;

  private static final String SWITCH =
      """
      passwd: files extrausers
      group: files extrausers
      """;

  /** A view of the root directory for {@code chroot}, which has no {@code /proc}. */
  private static final String NAMESPACE =
      "mount --bind \"$1/passwd\" /etc/passwd; mount --bind \"$1/group\" /etc/group;"
          + " mkdir \"$1/root\"; mount --bind / \"$1/root\";"
          + " if [ -e \"$1/nsswitch.conf\" ]; then"
          + " mount --bind \"$1/nsswitch.conf\" /etc/nsswitch.conf;"
          + " mount --bind \"$1/extra\" /var/lib/extrausers; fi;"
          + " shift; exec \"$@\"";

  private OwnAccounts() {}

  /** Returns the lines that a part of {@link PrivilegesProgram} prints. */
  static List<String> run(List<String> prefix, String... arguments) throws Exception {
    return run(PrivilegesProgram.class, prefix, Sources.ONE, directory -> arguments);
  }

  /** Where accounts are looked for: in the files alone, or in Debian's {@code extrausers}, too. */
  enum Sources {
    ONE,
    TWO
  }

  /** The arguments of a child, which may name a directory of its own. */
  interface Arguments {
    String[] in(Path directory);
  }

  /** Returns the lines that a child prints. */
  static List<String> run(Class<?> child, List<String> prefix, Sources sources, Arguments arguments)
      throws Exception {
    // Readable by any user, wherever the checkout is.
    Path directory = Files.createTempDirectory("daimon-privileges");
    try {
      Files.writeString(directory.resolve("passwd"), PASSWD, ISO_8859_1);
      Files.writeString(directory.resolve("group"), GROUP, ISO_8859_1);
      if (sources == Sources.TWO) {
        Path extra = Files.createDirectory(directory.resolve("extra"));
        Files.writeString(extra.resolve("passwd"), EXTRA_PASSWD);
        Files.writeString(extra.resolve("group"), EXTRA_GROUP);
        Files.writeString(directory.resolve("nsswitch.conf"), SWITCH);
      }
      return ChildJvm.of(child)
          .startedBy("unshare", "--mount", "--propagation", "private")
          .startedBy("sh", "-euc", NAMESPACE, "sh", directory.toString())
          .startedBy(prefix)
          .copied(directory)
          .run((Object[]) arguments.in(directory))
          .lines();
    } finally {
      Command.run("rm", "-r", "--one-file-system", directory.toString());
    }
  }
}
