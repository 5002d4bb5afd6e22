package dev.daimon.locking;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class SingletonLockPropertyTest {
  private static SingletonLock lock;

  @BeforeContainer
  static void acquire() throws IOException {
    lock = SingletonLock.acquire(Files.createTempDirectory("daimon-locking").resolve("x.pid"));
  }

  @AfterContainer
  static void remove() throws IOException {
    lock.remove();
    Files.delete(lock.path().getParent());
  }

  @Property
  void theFileHoldsExactlyTheProcessIdWrittenLast(
      @ForAll @LongRange(min = 1, max = 4194304) long first,
      @ForAll @LongRange(min = 1, max = 4194304) long second)
      throws IOException {
    Path path = lock.path();
    lock.write(first);
    assertThat(Files.readString(path)).isEqualTo(first + "\n");
    lock.write(second);
    assertThat(Files.readString(path)).isEqualTo(second + "\n");
  }
}
