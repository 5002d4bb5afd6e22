package dev.daimon.forking;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class ExecutablePropertyTest {
  @Property(tries = 500)
  void anyBytesAfterTheElfMagicAreJudged(@ForAll @Size(max = 300) byte[] garbage)
      throws IOException {
    judge(join(new byte[] {0x7f, 'E', 'L', 'F'}, garbage));
  }

  @Property(tries = 500)
  void anyBytesAfterTheScriptMagicAreJudged(@ForAll @Size(max = 300) byte[] garbage)
      throws IOException {
    judge(join(new byte[] {'#', '!'}, garbage));
    judge(join(new byte[] {'#', '!', '/'}, garbage));
  }

  @Property(tries = 500)
  void anElfHeaderThatPointsAnywhereIsJudged(
      @ForAll boolean wide,
      @ForAll boolean big,
      @ForAll long table,
      @ForAll short size,
      @ForAll short count,
      @ForAll @IntRange(max = 4) int type,
      @ForAll long offset,
      @ForAll long length,
      @ForAll @Size(max = 200) byte[] rest)
      throws IOException {
    ByteBuffer file =
        ByteBuffer.allocate(320 + rest.length)
            .order(big ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    file.put(0, new byte[] {0x7f, 'E', 'L', 'F', (byte) (wide ? 2 : 1), (byte) (big ? 2 : 1)});
    // One try in two with a table that can be read.
    boolean plausible = type % 2 == 1;
    if (wide) {
      file.putLong(32, plausible ? 64 : table);
    } else {
      file.putInt(28, plausible ? 64 : (int) table);
    }
    file.putShort(wide ? 54 : 42, plausible ? (short) (wide ? 56 : 32) : size);
    file.putShort(wide ? 56 : 44, count);
    file.putInt(64, type);
    file.putLong(72, offset);
    file.putLong(96, length);
    file.put(320, rest);
    judge(file.array());
  }

  private static void judge(byte[] content) throws IOException {
    Path program = Files.createTempFile("daimon", ".program");
    try {
      Files.write(program, content);
      Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
      ExecutableTest.assertAcceptedOrRefused(program);
    } finally {
      Files.delete(program);
    }
  }

  private static byte[] join(byte[] magic, byte[] rest) {
    byte[] both = java.util.Arrays.copyOf(magic, magic.length + rest.length);
    System.arraycopy(rest, 0, both, magic.length, rest.length);
    return both;
  }
}
