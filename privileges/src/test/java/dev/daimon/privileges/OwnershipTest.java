package dev.daimon.privileges;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.posix.Descriptor;
import dev.daimon.posix.Errno;
import dev.daimon.posix.NativePath;
import dev.daimon.posix.PosixException;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Command;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("root")
class OwnershipTest {
  private static final int SOMEBODY = 7001;

  /** Root's, mode 0700, in the sticky directory for temporary files. */
  @TempDir Path root;

  private static Path directory(Path path, int mode, int uid) throws IOException {
    Files.createDirectory(path);
    Files.setAttribute(path, "unix:uid", uid);
    Files.setAttribute(path, "unix:mode", mode);
    return path;
  }

  @Nested
  class IsRootsAlone {
    @Test
    void theRootAndADirectoryOfRootsBelowTheTemporaryOne() throws Exception {
      assertThat(Ownership.isRootsAlone(Path.of("/"))).isTrue();
      assertThat(Ownership.isRootsAlone(Path.of("/.."))).isTrue();
      assertThat(Ownership.isRootsAlone(root)).isTrue();
      assertThat(Ownership.isRootsAlone(root.getParent())).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
      "755, 0, true",
      "700, 0, true",
      "775, 0, false",
      "757, 0, false",
      "777, 0, false",
      "1777, 0, false",
      "1775, 0, false",
      "755, 7001, false",
      "555, 7001, false",
      "1777, 7001, false"
    })
    void theLastDirectoryIsRootsAndWritableByNobodyElse(String mode, int uid, boolean alone)
        throws Exception {
      Path last = directory(root.resolve("last"), Integer.parseInt(mode, 8), uid);

      assertThat(Ownership.isRootsAlone(last)).isEqualTo(alone);
    }

    @ParameterizedTest
    @CsvSource({
      "755, 0, 0, true",
      "1777, 0, 0, true",
      "1775, 0, 0, true",
      "777, 0, 0, false",
      "775, 0, 0, false",
      "1777, 7001, 0, false",
      "755, 7001, 0, false",
      "1777, 0, 7001, false",
      "755, 0, 7001, false"
    })
    void aDirectoryOnTheWayIsToo(String mode, int uid, int childsUid, boolean alone)
        throws Exception {
      Path above = directory(root.resolve("above"), Integer.parseInt(mode, 8), uid);
      Path last = directory(above.resolve("last"), 0755, childsUid);

      assertThat(Ownership.isRootsAlone(last)).isEqualTo(alone);
      Path below = directory(last.resolve("below"), 0755, 0);
      assertThat(Ownership.isRootsAlone(below)).isEqualTo(alone);
    }

    @Test
    void aLinkOfRootsIsFollowed() throws Exception {
      Path real = directory(root.resolve("run"), 0755, 0);
      Path above = directory(root.resolve("var"), 0755, 0);

      assertThat(Ownership.isRootsAlone(Files.createSymbolicLink(above.resolve("absolute"), real)))
          .isTrue();
      assertThat(
              Ownership.isRootsAlone(
                  Files.createSymbolicLink(above.resolve("relative"), Path.of("../run"))))
          .isTrue();
      assertThat(
              Ownership.isRootsAlone(
                  Files.createSymbolicLink(above.resolve("slashes"), Path.of("..//.//run/"))))
          .isTrue();
    }

    @Test
    void whatALinkLeadsThroughCounts() throws Exception {
      Path open = directory(root.resolve("open"), 0777, 0);
      Path hidden = directory(open.resolve("hidden"), 0755, 0);

      assertThat(Ownership.isRootsAlone(Files.createSymbolicLink(root.resolve("link"), hidden)))
          .isFalse();
    }

    @Test
    void aLinkInAStickyDirectoryIsNotFollowed() throws Exception {
      Path sticky = directory(root.resolve("sticky"), 01777, 0);
      Path real = directory(root.resolve("real"), 0755, 0);

      assertThat(Ownership.isRootsAlone(Files.createSymbolicLink(sticky.resolve("link"), real)))
          .isFalse();
    }

    @Test
    void twoDotsAfterALinkMeanTheParentOfItsTarget() throws Exception {
      Path sticky = directory(root.resolve("sticky"), 01777, 0);
      Path inner = directory(sticky.resolve("inner"), 0755, 0);
      Path safe = directory(directory(root.resolve("outer"), 0755, 0).resolve("safe"), 0755, 0);
      Path toInner = Files.createSymbolicLink(safe.resolve("inner"), inner);
      Path toSafe = Files.createSymbolicLink(root.resolve("safe"), safe);
      directory(sticky.resolve("own"), 0755, SOMEBODY);

      assertThat(Ownership.isRootsAlone(toInner)).isTrue();
      assertThat(Ownership.isRootsAlone(toInner.resolve(".."))).isFalse();
      assertThat(Ownership.isRootsAlone(toInner.resolve("../inner"))).isTrue();
      assertThat(Ownership.isRootsAlone(toInner.resolve("../own"))).isFalse();
      assertThat(Ownership.isRootsAlone(toSafe.resolve("../safe"))).isTrue();
    }

    @Test
    void fortyLinksAreFollowedAndNotOneMore() throws Exception {
      Path last = directory(root.resolve("0"), 0755, 0);
      for (int i = 1; i <= 41; i++) {
        Files.createSymbolicLink(root.resolve("" + i), last);
        last = root.resolve("" + i);
      }

      assertThat(Ownership.isRootsAlone(root.resolve("40"))).isTrue();
      assertThatThrownBy(() -> Ownership.isRootsAlone(root.resolve("41")))
          .asInstanceOf(InstanceOfAssertFactories.type(PosixException.class))
          .returns(Errno.ELOOP, PosixException::errno);
    }

    @Test
    void aFileIsNotADirectoryAndNothingIsAnError() throws Exception {
      assertThat(Ownership.isRootsAlone(Files.createFile(root.resolve("file")))).isFalse();
      assertThatThrownBy(() -> Ownership.isRootsAlone(root.resolve("nothing")))
          .hasMessage("lstat " + root + "/nothing: No such file or directory (ENOENT, 2)");
    }

    @Test
    void namesAreBytes() throws Exception {
      byte[] name = (root + "/w\u00f6rker").getBytes(StandardCharsets.ISO_8859_1);
      Path path = directory(NativePath.of(name), 0755, 0);

      assertThat(Ownership.isRootsAlone(path)).isTrue();
    }
  }

  @Nested
  class MayTrust {
    @ParameterizedTest
    @CsvSource({
      "755, 0, 0, 0, true",
      "1777, 0, 0, 0, true",
      "1775, 0, 7010, 0, true",
      "775, 0, 0, 0, true",
      "2775, 0, 0, 0, true",
      "775, 0, 7010, 0, false",
      "777, 0, 0, 0, false",
      "757, 0, 0, 0, false",
      "755, 7001, 0, 0, false",
      "1777, 7001, 0, 0, false",
      "755, 7001, 0, 7001, true",
      "777, 7001, 7010, 7001, true",
      "777, 0, 0, 7001, false",
      "1777, 0, 0, 7001, true",
      "755, 7001, 0, 7002, false"
    })
    void rootMayWhereRootItsGroupAndTheOwnerAloneMayExchangeIt(
        String mode, int uid, int gid, int owner, boolean trusted) throws Exception {
      Path last = directory(root.resolve("last"), Integer.parseInt(mode, 8), uid);
      Files.setAttribute(last, "unix:gid", gid);

      assertThat(Ownership.mayTrust(last, owner)).isEqualTo(trusted);
      Path below = directory(last.resolve("below"), 0755, 0);
      assertThat(Ownership.mayTrust(below, owner)).isEqualTo(trusted);
      Path above = directory(root.resolve("above"), 0755, 0);
      Path link = Files.createSymbolicLink(above.resolve("link"), last);
      assertThat(Ownership.mayTrust(link, owner)).isEqualTo(trusted);
    }

    @Test
    void anotherUsersParentIsNotTrusted() throws Exception {
      Path parent = directory(root.resolve("parent"), 0755, SOMEBODY);
      Path last = directory(parent.resolve("last"), 0755, 0);

      assertThat(Ownership.mayTrust(last, 0)).isFalse();
      assertThat(Ownership.mayTrust(last, SOMEBODY)).isTrue();
    }

    /** The bits of the group are then those of whoever is in the list. */
    @Test
    void aListThatLetsSomebodyWriteIsNotTheGroupOfRoot() throws Exception {
      Path last = directory(root.resolve("last"), 0775, 0);
      // struct posix_acl_xattr_header and its entries: tag, permissions, id.
      String list =
          "0200000001000700ffffffff02000700591b000004000500ffffffff10000700ffffffff"
              + "20000500ffffffff";
      Command.run(
          "python3",
          "-c",
          "import os, sys; os.setxattr(sys.argv[1], 'system.posix_acl_access',"
              + " bytes.fromhex(sys.argv[2]))",
          last.toString(),
          list);

      assertThat(Files.getAttribute(last, "unix:mode")).isEqualTo(0040775);
      assertThat(Ownership.mayTrust(last, 0)).isFalse();
    }

    /** Whom these may signal, the kernel limits. */
    @Test
    void whoeverIsNotRootMayAnywayAndSoMayRootOfANamespaceWithOneUser() throws Exception {
      Files.setAttribute(root, "unix:mode", 0755);
      Path last = directory(root.resolve("last"), 0777, SOMEBODY);

      assertThat(Ownership.mayTrust(last, 0)).isFalse();
      assertThat(trust(ChildJvm.AS_NOBODY, last)).isEqualTo("true");
      List<String> alone = new ArrayList<>(ChildJvm.AS_NOBODY);
      alone.addAll(List.of("unshare", "--user", "--map-root-user"));
      assertThat(trust(alone, last)).isEqualTo("true");
    }

    private String trust(List<String> as, Path directory) throws Exception {
      return ChildJvm.of(PrivilegesProgram.class)
          .startedBy(as)
          .copied(directory(root.resolve("classes" + as.size()), 0755, 0))
          .run("trust", directory, 0)
          .output()
          .strip();
    }
  }

  @Nested
  @Tag("attack")
  class RequireFixedPath {
    /** Of the last directory others may be the owner, where nobody else can exchange it. */
    @ParameterizedTest
    @CsvSource({
      "755, 0, 0, 755, 0, true",
      "755, 0, 0, 777, 0, true",
      "755, 0, 0, 755, 7001, true",
      "775, 0, 0, 755, 7001, true",
      "1777, 0, 0, 755, 0, true",
      "1777, 0, 0, 755, 7001, false",
      "775, 0, 7010, 755, 0, false",
      "777, 0, 0, 755, 0, false",
      "755, 7001, 0, 755, 0, false",
      "755, 7001, 0, 755, 7001, false",
      "1777, 7001, 0, 755, 0, false"
    })
    void nobodyButRootCanExchangeADirectoryOnTheWay(
        String mode, int uid, int gid, String lastMode, int lastUid, boolean fixed)
        throws Exception {
      Path above = directory(root.resolve("above"), Integer.parseInt(mode, 8), uid);
      Files.setAttribute(above, "unix:gid", gid);
      Path last = directory(above.resolve("last"), Integer.parseInt(lastMode, 8), lastUid);
      Path link = Files.createSymbolicLink(root.resolve("link"), last);

      for (Path directory : List.of(last, link)) {
        if (fixed) {
          Ownership.requireFixedPath(directory.resolve("file"));
        } else {
          assertRefused(directory.resolve("file"));
        }
      }
    }

    @Test
    void aLinkThatAUserCanExchangeIsNotFollowed() throws Exception {
      Path real = directory(root.resolve("real"), 0755, 0);
      Path theirs = directory(root.resolve("theirs"), 0755, SOMEBODY);
      Path sticky = directory(root.resolve("sticky"), 01777, 0);

      for (Path directory : List.of(theirs, sticky)) {
        Path link = Files.createSymbolicLink(directory.resolve("link"), real);
        assertRefused(link.resolve("file"));
        assertRefused(link.resolve("../real/file"));
        Ownership.requireFixedPath(directory.resolve("file"));
      }
    }

    @Test
    void itSaysWhoCouldRedirectIt() throws Exception {
      Path theirs = directory(root.resolve("theirs"), 0755, SOMEBODY);
      directory(theirs.resolve("last"), 0755, 0);

      assertThatThrownBy(() -> Ownership.requireFixedPath(theirs.resolve("last/file")))
          .hasMessage(
              theirs
                  + "/last/file is not opened as root: "
                  + theirs
                  + " belongs to user 7001; use a directory that root alone can change, or run it"
                  + " as that user");
    }

    @Test
    void whatIsMissingIsToldAsByAnOpen() throws Exception {
      Files.createFile(root.resolve("file"));

      assertThatThrownBy(() -> Ownership.requireFixedPath(root.resolve("nothing/file")))
          .hasMessage("open " + root + "/nothing/file: No such file or directory (ENOENT, 2)");
      assertThatThrownBy(() -> Ownership.requireFixedPath(root.resolve("file/file")))
          .hasMessage("open " + root + "/file/file: Not a directory (ENOTDIR, 20)");
      Ownership.requireFixedPath(root.resolve("new"));
      Ownership.requireFixedPath(Path.of("/"));
    }

    private void assertRefused(Path file) {
      assertThatThrownBy(() -> Ownership.requireFixedPath(file))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(file + " is not opened as root: ");
    }
  }

  @Nested
  class Give {
    private Identity somebody;
    private Path open;

    @BeforeEach
    void prepare() throws Exception {
      somebody = Identity.of("#" + SOMEBODY, "#7010");
      open = directory(root.resolve("open"), 0777, SOMEBODY);
    }

    @Test
    void aFileJustCreatedIsHandedOverAnywhere() throws Exception {
      Path file = Files.createFile(open.resolve("file"));

      give(file, somebody, true);

      assertThat(owner(file)).isEqualTo("7001:7010");
    }

    @Test
    void anExistingFileOfRootsIsHandedOverWhereOnlyRootCanPutOne() throws Exception {
      Path file = Files.createFile(root.resolve("file"));

      give(file, somebody, false);

      assertThat(owner(file)).isEqualTo("7001:7010");
    }

    @Test
    void anExistingFileOfRootsWhereOthersCanPutOneIsRefused() throws Exception {
      Path file = Files.createFile(open.resolve("file"));

      assertRefused(
          file,
          false,
          "it was there before, and others than root may write to a directory above it");
      assertThat(owner(file)).isEqualTo("0:0");
    }

    @Test
    void theWayThroughALinkIsTheWayToItsTarget() throws Exception {
      Path real = directory(root.resolve("real"), 0755, 0);
      Path file = Files.createFile(real.resolve("file"));
      Files.createFile(open.resolve("file"));

      give(Files.createSymbolicLink(root.resolve("good"), real).resolve("file"), somebody, false);

      assertThat(owner(file)).isEqualTo("7001:7010");
      assertRefused(
          Files.createSymbolicLink(root.resolve("bad"), open).resolve("file"),
          false,
          "it was there before, and others than root may write to a directory above it");
    }

    @Test
    void aPathIsGivenWithoutOpeningTheFile() throws Exception {
      Path file = Files.createFile(root.resolve("file"));
      Files.setAttribute(file, "unix:mode", 0);

      Ownership.give(file, somebody);
      Ownership.give(file, somebody);

      assertThat(owner(file)).isEqualTo("7001:7010");
    }

    @Test
    void aPathIsRefusedAsAnOpenFileThatWasThereBefore() throws Exception {
      Path file = Files.createFile(root.resolve("file"));
      Path link = Files.createSymbolicLink(root.resolve("link"), file);
      Path fifo = root.resolve("fifo");
      Command.run("mkfifo", fifo.toString());
      Path twice = Files.createFile(root.resolve("one"));
      Files.createLink(root.resolve("two"), twice);
      Path theirs = Files.createFile(open.resolve("file"));

      assertRefusedByPath(link, "a symbolic link is not followed");
      assertRefusedByPath(fifo, "not a regular file");
      assertRefusedByPath(twice, "it has 2 hard links");
      assertRefusedByPath(
          theirs, "it was there before, and others than root may write to a directory above it");
      assertThatThrownBy(() -> Ownership.give(root.resolve("none"), somebody))
          .hasMessage("open " + root + "/none: No such file or directory (ENOENT, 2)");
      for (Path each : List.of(file, link, fifo, twice, theirs)) {
        assertThat(owner(each)).isEqualTo("0:0");
      }
    }

    private void assertRefusedByPath(Path path, String reason) {
      assertThatThrownBy(() -> Ownership.give(path, somebody))
          .isInstanceOf(OwnershipRefusedException.class)
          .hasMessage(path + ": ownership not changed: " + reason);
    }

    @Test
    void anExistingFileInAStickyDirectoryIsRefused() throws Exception {
      Path sticky = directory(root.resolve("sticky"), 01777, 0);

      assertRefused(
          Files.createFile(sticky.resolve("file")),
          false,
          "it was there before, and others than root may write to a directory above it");
    }

    @Test
    void anExistingFileOfAnybodyElseIsRefused() throws Exception {
      Path file = Files.createFile(root.resolve("file"));
      Files.setAttribute(file, "unix:uid", 7002);

      assertRefused(file, false, "it belongs to user id 7002");
    }

    @Test
    void aSecondHardLinkIsRefusedEvenIfJustCreated() throws Exception {
      Path file = Files.createFile(root.resolve("file"));
      Files.createLink(root.resolve("other"), file);

      assertRefused(file, true, "it has 2 hard links");
      assertRefused(file, false, "it has 2 hard links");
    }

    @Test
    void whatIsNoRegularFileIsRefused() throws Exception {
      assertRefused(root, true, "not a regular file");
      assertRefused(Path.of("/dev/null"), false, "not a regular file");
    }

    @Test
    void whatBelongsToTheTargetStaysAsItIs() throws Exception {
      Path file = Files.createFile(open.resolve("file"));
      Files.setAttribute(file, "unix:uid", SOMEBODY);
      Files.setAttribute(file, "unix:gid", 7020);
      Files.createLink(open.resolve("other"), file);

      give(file, somebody, false);

      assertThat(owner(file)).isEqualTo("7001:7020");
    }

    @Test
    void aGroupAloneLeavesTheOwner() throws Exception {
      Path file = Files.createFile(root.resolve("file"));

      give(file, Identity.of(null, "#7010"), false);

      assertThat(owner(file)).isEqualTo("0:7010");
    }

    @Test
    void anOrdinaryUserMayNotGiveAway() throws Exception {
      Files.setAttribute(root, "unix:mode", 0755);
      Path file = Files.createFile(root.resolve("file"));

      assertThat(OwnAccounts.run(ChildJvm.AS_NOBODY, "give", "worker", "-", file.toString()))
          .isEqualTo(List.of("fchown " + file + ": Operation not permitted (EPERM, 1)"));
    }

    private void assertRefused(Path file, boolean justCreated, String reason) {
      assertThatThrownBy(() -> give(file, somebody, justCreated))
          .hasMessage(file + ": ownership not changed: " + reason)
          .asInstanceOf(InstanceOfAssertFactories.type(OwnershipRefusedException.class))
          .returns(file.toString(), OwnershipRefusedException::path);
    }

    private static void give(Path file, Identity identity, boolean justCreated) throws IOException {
      int number =
          dev.daimon.posix.call.Files.open(
              NativePath.bytes(file),
              dev.daimon.posix.call.Files.O_RDONLY | dev.daimon.posix.call.Files.O_NOFOLLOW,
              0);
      try (Descriptor descriptor = Descriptor.adopt(number)) {
        Ownership.give(descriptor, file, identity, justCreated);
      }
    }

    private static String owner(Path file) throws IOException {
      return Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)
          + ":"
          + Files.getAttribute(file, "unix:gid", LinkOption.NOFOLLOW_LINKS);
    }
  }
}
