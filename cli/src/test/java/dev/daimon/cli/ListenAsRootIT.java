package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.ProcessSandbox;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code --listen} of root: privileged ports, and socket files where others can interfere. */
@Tag("root")
@Tag("attack")
class ListenAsRootIT {
  private static final int NOBODY = 65534;
  private static final int CANNOT_CREATE = 73;
  private static final int NO_PERMISSION = 77;

  /** A network of its own, where no port is taken and the low ones are root's. */
  private static final List<String> OWN_NETWORK = List.of("unshare", "--net");

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @BeforeEach
  void open() throws Exception {
    ProcessSandbox.openToAll(sandbox.directory(), "rwxr-xr-x");
  }

  private ProcessSandbox.Result run(List<String> before, String... words) throws Exception {
    List<String> command = new ArrayList<>(before);
    command.add(Sandbox.DAIMON.toString());
    command.addAll(List.of(words));
    return sandbox.run(command, Map.of());
  }

  private Path directory(String name, String mode, int owner) throws Exception {
    Path directory = Files.createDirectory(sandbox.file(name));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString(mode));
    Files.setAttribute(directory, "unix:uid", owner);
    return directory;
  }

  private static int owner(Path path) throws Exception {
    return (int) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
  }

  /** A socket file that nobody listens on. */
  private static void leaveStale(Path path, int owner) throws Exception {
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(UnixDomainSocketAddress.of(path));
    }
    Files.setAttribute(path, "unix:uid", owner);
  }

  @ParameterizedTest
  @ValueSource(strings = {"start", "run"})
  void aPrivilegedPortIsBoundBeforeTheUserChanges(String command) throws Exception {
    Path out = sandbox.file("out");
    ProcessSandbox.Result result =
        run(
            OWN_NETWORK,
            command,
            "-u",
            "nobody",
            "--listen",
            "tcp:80",
            "-o",
            out.toString(),
            "sh",
            "-c",
            "id -u; ls -l /proc/self/fd; echo $LISTEN_PID $$");

    assertThat(result.exitCode()).as(result.err()).isZero();
    Sandbox.await("its output", () -> Files.readString(out).matches("(?s).*\n\\d+ \\d+\n"));
    List<String> lines = Files.readAllLines(out);
    assertThat(lines.getFirst()).isEqualTo(Integer.toString(NOBODY));
    assertThat(lines).anyMatch(line -> line.contains(" 3 -> socket:"));
    assertThat(lines.getLast()).matches("(\\d+) \\1");
  }

  @Test
  void aUserMayNotBindAPrivilegedPort() throws Exception {
    Path daimon = sandbox.publicDaimon();
    List<String> words = new ArrayList<>(OWN_NETWORK);
    words.addAll(ChildJvm.AS_NOBODY);
    words.addAll(List.of(daimon.toString(), "run", "--listen", "tcp:80", "true"));

    ProcessSandbox.Result result = sandbox.run(words, Map.of());

    assertThat(result.exitCode()).isEqualTo(NO_PERMISSION);
    assertThat(result.err())
        .isEqualTo(
            "daimon: bind tcp:80: Permission denied (EACCES, 13); a port this low needs root or"
                + " CAP_NET_BIND_SERVICE\n");
  }

  @Test
  void theFileIsTheUsersWhereTheUserMayMakeItAndElsewhereRoots() throws Exception {
    Path own = directory("own", "rwxr-xr-x", NOBODY).resolve("socket");
    Path roots = directory("roots", "rwxr-xr-x", 0).resolve("socket");

    ProcessSandbox.Result result =
        sandbox.daimon(
            "run", "-u", "nobody", "--listen", "unix:" + own, "--listen", "unix:" + roots, "true");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(owner(own)).isEqualTo(NOBODY);
    assertThat(owner(roots)).isZero();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(roots)))
        .isEqualTo("rw-rw-rw-");
  }

  @Test
  void rootMakesNoSocketWhereOthersCanRedirectThePath() throws Exception {
    Path own = directory("own", "rwxr-xr-x", NOBODY);
    Path inside = Files.createDirectory(own.resolve("inside"));
    Path link = Files.createSymbolicLink(own.resolve("link"), directory("roots", "rwxr-xr-x", 0));

    for (Path path : List.of(inside.resolve("s"), link.resolve("s"))) {
      for (List<String> words :
          List.of(List.of("run"), List.of("start"), List.of("start", "--dry-run"))) {
        List<String> all = new ArrayList<>(words);
        all.addAll(List.of("--listen", "unix:" + path, "true"));
        ProcessSandbox.Result result = sandbox.daimon(all.toArray(new String[0]));

        assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
        assertThat(result.err())
            .startsWith("daimon: --listen: " + path + " is not opened as root")
            .hasLineCount(1);
        assertThat(path).doesNotExist();
      }
    }
  }

  /** A user's socket there would be that user's name for a file of root's daemon. */
  @Test
  void rootReplacesNoSocketOfAnotherUser() throws Exception {
    Path shared = directory("shared", "rwxrwxrwx", 0);
    Files.setAttribute(shared, "unix:mode", 01777);
    Path path = shared.resolve("socket");
    leaveStale(path, NOBODY);

    ProcessSandbox.Result result =
        sandbox.daimon(
            "start", "-p", sandbox.file("pid").toString(), "--listen", "unix:" + path, "true");

    assertThat(result.exitCode()).isEqualTo(CANNOT_CREATE);
    assertThat(result.err())
        .isEqualTo("daimon: --listen: " + path + " belongs to user " + NOBODY + ": remove it\n");
    assertThat(owner(path)).isEqualTo(NOBODY);
    assertThat(sandbox.file("pid")).doesNotExist();
  }

  @Test
  void theUsersOwnStaleSocketIsReplaced() throws Exception {
    Path path = directory("own", "rwxr-xr-x", NOBODY).resolve("socket");
    leaveStale(path, NOBODY);

    ProcessSandbox.Result result =
        sandbox.daimon(
            "run",
            "-u",
            "nobody",
            "-p",
            path.resolveSibling("pid").toString(),
            "--listen",
            "unix:" + path,
            "true");

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(owner(path)).isEqualTo(NOBODY);
  }

  @Test
  void thePathIsOutsideOfTheNewRootDirectory() throws Exception {
    directory("root", "rwxr-xr-x", 0);
    Path path = sandbox.file("socket");

    ProcessSandbox.Result started =
        sandbox.shell(
            "unshare --mount sh -c 'mount --bind / $dir/root && exec $daimon run --chroot"
                + " $dir/root --listen unix:$dir/socket /usr/bin/env'");

    assertThat(started.exitCode()).as(started.err()).isZero();
    assertThat(started.out()).contains("LISTEN_FDS=1\n");
    assertThat(Files.exists(path)).isTrue();
  }
}
