package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.daimon.posix.call.FileStatus;
import dev.daimon.posix.call.Files;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.FullHeap;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DescriptorTest {
  @TempDir Path directory;

  @Test
  void aNegativeNumberIsNoDescriptor() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Descriptor.adopt(-1))
        .withMessage("not a descriptor: -1");
  }

  @Test
  void itHasItsNumberUntilItIsClosed() throws Exception {
    int number = openNull();
    Descriptor descriptor = Descriptor.adopt(number);
    assertThat(descriptor.number()).isEqualTo(number);
    assertThat(descriptor).hasToString("descriptor " + number);

    descriptor.close();

    assertThatIllegalStateException().isThrownBy(descriptor::number);
    assertThatIllegalStateException().isThrownBy(descriptor::duplicate);
    assertThat(descriptor).hasToString("closed descriptor");
    assertThat(Files.fcntl(number, Files.F_GETFD, 0)).isEqualTo(-Errno.EBADF.number());
  }

  @Test
  void closingItAgainDoesNotTouchANumberThatIsSomebodyElsesByNow() throws Exception {
    Descriptor descriptor = Descriptor.adopt(openNull());
    int number = descriptor.number();
    descriptor.close();
    try (Descriptor other = Descriptor.adopt(openNullAt(number))) {
      descriptor.close();

      assertThat(Files.fcntl(other.number(), Files.F_GETFD, 0)).isNotNegative();
    }
  }

  @Test
  void closingANumberThatSomebodyElseClosedSaysSo() throws Exception {
    Descriptor descriptor = Descriptor.adopt(openNull());
    int number = descriptor.number();
    assertThat(Files.close(number)).isZero();

    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(descriptor::close)
        .withMessage("close " + number + ": Bad file descriptor (EBADF, 9)");
  }

  static final class WithoutMemory {
    public static void main(String[] args) throws Exception {
      // Once with memory.
      close(Descriptor.adopt(openNull()));
      Descriptor descriptor = Descriptor.adopt(openNull());
      int number = descriptor.number();
      FullHeap.fill();
      Throwable failure = close(descriptor);
      FullHeap.free();
      System.out.println(failure);
      System.out.println(Files.fcntl(number, Files.F_GETFD, 0) == Files.FD_CLOEXEC);
      System.out.println(close(descriptor));
      System.out.println(Files.fcntl(number, Files.F_GETFD, 0) == -Errno.EBADF.number());
    }

    private static @Nullable Throwable close(Descriptor descriptor) {
      try {
        descriptor.close();
        return null;
      } catch (Throwable failure) {
        return failure;
      }
    }
  }

  @Test
  void oneThatThereIsNoMemoryToCloseIsClosedByTheNextCall() throws Exception {
    assertThat(FullHeap.child(WithoutMemory.class).run().lines())
        .containsExactly("java.lang.OutOfMemoryError: Java heap space", "true", "null", "true");
  }

  @Test
  void aDuplicateSharesTheOpenFileAndIsClosedOnExec() throws Exception {
    Path file = directory.resolve("file");
    int flags = Files.O_RDWR | Files.O_CREAT;
    try (Descriptor first = Descriptor.adopt(Files.open(NativePath.bytes(file), flags, 0600));
        Descriptor second = first.duplicate()) {
      assertThat(second.number()).isGreaterThan(2).isNotEqualTo(first.number());
      assertThat(Files.fcntl(second.number(), Files.F_GETFD, 0)).isEqualTo(Files.FD_CLOEXEC);

      assertThat(Files.write(first.number(), "one".getBytes(StandardCharsets.US_ASCII)))
          .isEqualTo(3);
      assertThat(Files.write(second.number(), "two".getBytes(StandardCharsets.US_ASCII)))
          .isEqualTo(3);
      assertThat(file).hasContent("onetwo");

      assertThat(Files.flock(first.number(), Files.LOCK_EX | Files.LOCK_NB)).isZero();
      assertThat(Files.flock(second.number(), Files.LOCK_EX | Files.LOCK_NB)).isZero();
    }
  }

  @Test
  void aDuplicateIsNotBelowTheLowestNumber() throws Exception {
    try (Descriptor first = Descriptor.adopt(openNull());
        Descriptor second = first.duplicate(1000)) {
      assertThat(second.number()).isGreaterThanOrEqualTo(1000);
      assertThatExceptionOfType(PosixException.class)
          .isThrownBy(() -> first.duplicate(Integer.MAX_VALUE))
          .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EMFILE));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> first.duplicate(-1));
    }
  }

  /** The number may be another file's by the time a slow {@code duplicate} comes to use it. */
  @Test
  void aDuplicateIsNeverThatOfAFileThatGotTheNumberLater() throws Exception {
    FileStatus expected = new FileStatus();
    assertThat(Files.stat("/dev/null".getBytes(StandardCharsets.US_ASCII), expected)).isZero();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int round = 0; round < 200; round++) {
        Descriptor descriptor = Descriptor.adopt(openNull());
        CountDownLatch started = new CountDownLatch(4);
        List<Future<?>> duplicating = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          duplicating.add(
              threads.submit(() -> {
                duplicateUntilClosed(descriptor, expected, started);
                return null;
              }));
        }
        started.await();
        descriptor.close();
        for (Future<?> thread : duplicating) {
          thread.get();
        }
      }
    }
  }

  private static void duplicateUntilClosed(
      Descriptor descriptor, FileStatus expected, CountDownLatch started) throws PosixException {
    started.countDown();
    while (true) {
      Descriptor duplicate;
      try {
        duplicate = descriptor.duplicate();
      } catch (IllegalStateException closed) {
        return;
      }
      try (duplicate) {
        FileStatus status = new FileStatus();
        assertThat(Files.fstat(duplicate.number(), status)).isZero();
        assertThat(status.isSameFile(expected)).isTrue();
      }
    }
  }

  @Test
  void aDuplicateThatTheLimitForbidsIsAFailureNotANumber() throws Exception {
    assertThat(
            ChildJvm.of(DuplicateUntilRefused.class)
                .startedBy("prlimit", "--nofile=64:64")
                .run()
                .output())
        .matches("fcntl F_DUPFD_CLOEXEC \\d+: Too many open files \\(EMFILE, 24\\)");
  }

  static final class DuplicateUntilRefused {
    public static void main(String[] args) throws Exception {
      // The classes of a failure are loaded while there are descriptors left to load them with.
      String message = new PosixException("", "", Errno.ENOENT).getMessage();
      List<Descriptor> open = new ArrayList<>();
      Descriptor first = Descriptor.adopt(0);
      try {
        while (true) {
          open.add(first.duplicate());
        }
      } catch (PosixException e) {
        message = e.getMessage();
      }
      for (Descriptor descriptor : open) {
        descriptor.close();
      }
      System.out.println(message);
    }
  }

  @Test
  void ofManyThreadsThatCloseItOneDoes() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int round = 0; round < 200; round++) {
        Descriptor descriptor = Descriptor.adopt(openNull());
        List<Future<?>> closings = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          closings.add(
              threads.submit(() -> {
                descriptor.close();
                return null;
              }));
        }
        for (Future<?> closing : closings) {
          closing.get(); // A second close of the number would say EBADF.
        }
      }
    }
  }

  /** A descriptor from 500 up, where no other thread of this JVM opens and closes any. */
  private static int openNull() throws PosixException {
    return openNullAt(500);
  }

  private static int openNullAt(int lowest) throws PosixException {
    try (Descriptor file =
        Descriptor.adopt(
            Files.open("/dev/null".getBytes(StandardCharsets.US_ASCII), Files.O_RDWR, 0))) {
      return Files.fcntl(file.number(), Files.F_DUPFD_CLOEXEC, lowest);
    }
  }
}
