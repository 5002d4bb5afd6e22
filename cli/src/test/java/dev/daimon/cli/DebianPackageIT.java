package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The Debian package, installed, used, upgraded and removed by this machine's dpkg. All of it
 * happens to an overlay over the machine's files, so what the package leaves behind is what the
 * overlay's upper directory has in the end.
 */
@Tag("root")
@Tag("dpkg")
class DebianPackageIT {
  private static final String JDK = System.getProperty("java.home");

  /**
   * The overlay as the root directory of a mount namespace, which lives as long as this process.
   * The JDK may be on another file system, which the overlay does not show.
   */
  private static final String MACHINE =
      """
      set -e
      mount -t tmpfs none $dir/files
      mkdir $dir/files/upper $dir/files/work
      mount -t overlay none $dir/machine \
          -o lowerdir=/,upperdir=$dir/files/upper,workdir=$dir/files/work
      mkdir -p $dir/machine/jdk $dir/machine/packages
      mount --rbind "$jdk" $dir/machine/jdk
      mount --bind $dir/packages $dir/machine/packages
      mount -t proc none $dir/machine/proc
      mount --rbind /dev $dir/machine/dev
      for directory in tmp run usr/lib/jvm; do mount -t tmpfs none $dir/machine/$directory; done
      # No other package has anything to do when files change.
      : >$dir/machine/var/lib/dpkg/triggers/File
      # Debian's small images leave out documentation.
      rm -f $dir/machine/etc/dpkg/dpkg.cfg.d/*
      # Daemons may have been run by name on this machine.
      rm -rf $dir/machine/etc/daimon $dir/machine/var/log/daimon
      echo ready
      exec chroot $dir/machine sleep infinity
      """;

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  private long machine;
  private Path deb;

  @BeforeEach
  void makeTheMachine() throws Exception {
    for (String name : List.of("files", "machine", "packages")) {
      Files.createDirectory(sandbox.file(name));
    }
    Path target = Sandbox.DAIMON.getParent().getParent().getParent();
    String version = System.getProperty("daimon.version").replace("-SNAPSHOT", "~snapshot");
    deb =
        Files.copy(
            target.resolve("daimon_" + version + "_all.deb"), sandbox.file("packages/daimon.deb"));
    Process process =
        sandbox
            .prepare(
                List.of("unshare", "-m", "--propagation", "private", "sh", "-c", MACHINE),
                Map.of("dir", sandbox.directory().toString(), "jdk", JDK))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertThat(process.inputReader().readLine()).isEqualTo("ready");
    machine = process.pid();
  }

  @Test
  void thePackageLeavesNothingBehind() throws Exception {
    List<String> leftBefore = left();
    jre("25", "exec /jdk/bin/java \"$@\"");
    jre("26", "exec /jdk/bin/java \"$@\"");
    jre(
        "27",
        "case $* in *AOTCacheOutput*) echo no memory; exit 1 ;; esac; exec /jdk/bin/java \"$@\"");
    anOlderDaimon();
    Files.writeString(sandbox.file("packages/release"), "JAVA_VERSION=\"25\"\n");
    sandbox.script("packages/own-java", "#!/bin/sh", "exec /jdk/bin/java \"$@\"");

    // Root's own PATH does not choose what everybody runs.
    succeed(
        "mkdir -p /tmp/own/bin && cp /packages/own-java /tmp/own/bin/java && cp /packages/release"
            + " /tmp/own && PATH=/tmp/own/bin:$PATH"
            + " dpkg -i /packages/jre-25.deb /packages/older.deb");
    assertThat(jdkOfTheCaches()).isEqualTo("/usr/lib/jvm/java-25-test");
    List<Path> older = caches();
    assertThat(older).hasSize(2);

    // An upgrade: the old jar's caches go with it.
    succeed("dpkg -i /packages/daimon.deb");
    List<Path> made = caches();
    assertThat(made).hasSize(2).doesNotContainAnyElementsOf(older);
    itWorks();
    assertThat(succeed("dpkg --verify daimon").out()).isEmpty();

    // Another JRE takes the place of the first one.
    Object before = Files.getLastModifiedTime(made.get(0));
    succeed("dpkg -i /packages/jre-26.deb");
    assertThat(jdkOfTheCaches()).isEqualTo("/usr/lib/jvm/java-26-test");
    assertThat(caches()).isEqualTo(made);
    assertThat(Files.getLastModifiedTime(made.get(0))).isNotEqualTo(before);

    // One that makes no caches: dpkg is not disturbed, and the command works without.
    Result told = succeed("dpkg -i /packages/jre-27.deb");
    assertThat(told.err()).contains("no memory\ndaimon: made no AOT caches; ");
    assertThat(caches()).isEmpty();
    assertThat(inside("daimon run echo hello")).isEqualTo(new Result(0, "hello\n", ""));

    // A daemon goes on without the command, and what it has written stays.
    succeed("daimon start web --save -- sleep 1000");
    succeed("dpkg -P daimon");
    assertThat(inside("command -v daimon").exitCode()).isNotZero();
    succeed("kill $(cat /run/daimon/web.pid)");
    succeed("rm /etc/daimon/web.conf /var/log/daimon/web.log /run/daimon/web.*");

    // Directories that are empty go.
    succeed("dpkg -i /packages/daimon.deb");
    succeed("dpkg -P daimon jre-test");
    assertThat(inside("ls -d /etc/daimon /run/daimon /var/log/daimon").out()).isEmpty();

    assertThat(left()).isEqualTo(leftBefore);
  }

  /** Root and an ordinary user use it, by its name alone, and by that of daimonize. */
  private void itWorks() throws Exception {
    String user = "setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp/home ";
    succeed("mkdir -p /tmp/home && chown 65534:65534 /tmp/home");
    for (String caller : List.of("", user)) {
      String pidFile = caller.isEmpty() ? "/run/x.pid" : "/tmp/home/x.pid";
      assertThat(inside(caller + "daimonize -p " + pidFile + " sleep 1000"))
          .isEqualTo(new Result(0, "", ""));
      assertThat(inside(caller + "daimon stop -p " + pidFile)).isEqualTo(new Result(0, "", ""));
    }
  }

  /** Runs a shell script on the machine. */
  private Result inside(String script) throws Exception {
    return sandbox.run(
        List.of(
            "nsenter",
            "--target=" + machine,
            "--mount",
            "--root",
            "env",
            "-C",
            "/",
            "bash",
            "-c",
            script),
        Map.of(
            "PATH", "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME", "/root",
            "TMPDIR", "/tmp",
            "DPKG_COLORS", "never",
            "DEBIAN_FRONTEND", "noninteractive"));
  }

  private Result succeed(String script) throws Exception {
    Result result = inside(script);
    assertThat(result.exitCode()).as(script + ": " + result).isZero();
    return result;
  }

  private Path onTheMachine(String path) {
    return Path.of("/proc/" + machine + "/root" + path);
  }

  private List<Path> caches() throws IOException {
    List<Path> caches = new ArrayList<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(onTheMachine("/usr/lib/daimon/lib"), "*.aot*")) {
      files.forEach(caches::add);
    }
    caches.sort(null);
    return caches;
  }

  private String jdkOfTheCaches() throws IOException {
    return Files.readString(onTheMachine("/usr/lib/daimon/lib/jdk")).strip();
  }

  /** A package of a JRE, which has the place of the others of these. */
  private void jre(String version, String java) throws Exception {
    Path home = sandbox.file("jre-" + version + "/usr/lib/jvm/java-" + version + "-test");
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    sandbox.script(sandbox.directory().relativize(home) + "/bin/java", "#!/bin/sh", java);
    pack(
        "jre-" + version,
        """
        Package: jre-test
        Version: %s
        Architecture: all
        Maintainer: nobody <nobody@localhost>
        Provides: java-runtime-headless (= %s)
        Description: a JRE
        """
            .formatted(version, version));
  }

  /** The same package as an older version, whose jar has another name. */
  private void anOlderDaimon() throws Exception {
    TestUser.output("dpkg-deb", "-R", deb.toString(), sandbox.file("older").toString());
    Path control = sandbox.file("older/DEBIAN/control");
    Files.writeString(
        control, Files.readString(control).replaceFirst("Version: .*", "Version: 0.0.1"));
    try (DirectoryStream<Path> jars =
        Files.newDirectoryStream(sandbox.file("older/usr/lib/daimon/lib"), "*.jar")) {
      Path jar = jars.iterator().next();
      Files.move(jar, jar.resolveSibling("daimon-0.0.1-000000000000.jar"));
    }
    pack("older", null);
  }

  private void pack(String name, String control) throws Exception {
    Path directory = sandbox.file(name);
    if (control != null) {
      Files.createDirectories(directory.resolve("DEBIAN"));
      Files.writeString(directory.resolve("DEBIAN/control"), control);
    }
    TestUser.output(
        "dpkg-deb",
        "-Zgzip",
        "-z1",
        "--root-owner-group",
        "-b",
        directory.toString(),
        sandbox.file("packages/" + name + ".deb").toString());
  }

  /**
   * What the overlay has and the machine does not, or has changed of it; without dpkg's own files.
   */
  private List<String> left() throws Exception {
    String files =
        TestUser.output(
            "nsenter",
            "--target=" + machine,
            "--mount",
            "find",
            sandbox.file("files/upper").toString(),
            "-mindepth",
            "1",
            "-printf",
            "%y /%P\n");
    return files
        .lines()
        // Directories above what has changed are in the overlay, too.
        .filter(file -> !file.startsWith("d ") || Files.notExists(Path.of(file.substring(2))))
        .filter(file ->
            !file.matches(
                ". /(jdk|packages|etc/dpkg/dpkg.cfg.d/.*|var/lib/dpkg/.*|var/log/dpkg.log)"))
        .toList();
  }
}
