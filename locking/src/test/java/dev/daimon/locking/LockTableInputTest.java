package dev.daimon.locking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.NearlyValid;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lines of {@code /proc/locks} and {@code fdinfo}, and what only looks like one. */
@Tag("torture")
class LockTableInputTest {
  @Test
  void aLockIsFoundInItsLineAlone(@TempDir Path directory) throws Exception {
    try (SingletonLock lock = SingletonLock.acquire(directory.resolve("x"))) {
      int number = lock.descriptor().number();
      String info = Files.readString(Path.of("/proc/self/fdinfo/" + number));
      String line = info.substring(info.indexOf("lock:\t")).strip();
      String inode = line.split(" +", -1)[5];
      LockTable table = LockTable.of(number);
      assertThat(table.isIn(info)).isTrue();
      String other = line.replace(inode, inode + "7");
      NearlyValid.of(
              line + "\n",
              other + "\n" + line + "\n",
              line.replace("FLOCK ", "POSIX ") + "\n" + line.replace("WRITE", "READ ") + "\n",
              line.replace("FLOCK", "-> FLOCK") + "\n" + other + "\n")
          .check(input -> check(table, " " + inode + " ", NearlyValid.text(input)));
    }
  }

  /** Compares line by line; returns whether the lock is there. */
  private static boolean check(LockTable table, String inode, String lines) {
    Pattern whole =
        Pattern.compile(
            "(?:lock:\t)?\\d+: (?:-> )?FLOCK +ADVISORY +(READ|WRITE) +(-?\\d{1,18})"
                + Pattern.quote(inode)
                + "0 EOF");
    String found = null;
    for (String line : lines.split("\n", -1)) {
      int flock = line.indexOf(" FLOCK ");
      if (found == null && flock >= 0 && line.indexOf(inode, flock + 1) >= 0) {
        found = line;
      }
    }
    assertThat(table.isIn(lines)).isEqualTo(found != null);
    if (found == null) {
      assertThat(table.isExclusiveIn(lines)).isFalse();
      return false;
    }
    Matcher matcher = whole.matcher(found);
    if (matcher.matches()) {
      assertThat(table.isExclusiveIn(lines)).isEqualTo(matcher.group(1).equals("WRITE"));
      assertThat(table.takerIn(lines)).isEqualTo(Math.max(0, Long.parseLong(matcher.group(2))));
    }
    return true;
  }
}
