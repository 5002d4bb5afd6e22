package dev.daimon.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PosixExceptionTest {
  @Test
  void itSaysWhichCallOnWhatAndWhy() {
    PosixException failure = new PosixException("open", "/run/x.pid", Errno.ENOENT);

    assertThat(failure)
        .hasMessage("open /run/x.pid: No such file or directory (ENOENT, 2)")
        .returns("open", PosixException::call)
        .returns("/run/x.pid", PosixException::subject)
        .returns(Errno.ENOENT, PosixException::errno);
  }

  @Test
  void aCallOnNothingIsNamedAlone() {
    assertThat(new PosixException("setsid", "", Errno.EPERM))
        .hasMessage("setsid: Operation not permitted (EPERM, 1)");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, Integer.MAX_VALUE})
  void aResultThatIsNotNegativeIsReturnedAndTheSubjectNotAsked(int result) throws PosixException {
    Object untouchable =
        new Object() {
          @Override
          public String toString() {
            throw new AssertionError("made a text that nobody needs");
          }
        };

    assertThat(PosixException.check(result, "open", untouchable)).isEqualTo(result);
  }

  @Test
  void aNegativeResultIsTheErrorNumber() {
    assertThatExceptionOfType(PosixException.class)
        .isThrownBy(() -> PosixException.check(-13, "kill", 42))
        .withMessage("kill 42: Permission denied (EACCES, 13)")
        .returns(Errno.EACCES, PosixException::errno);
  }

  @Test
  void itKeepsItsPartsWhenSerialized() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(new PosixException("open", "/x", Errno.EISDIR));
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      assertThat((PosixException) in.readObject())
          .returns("open", PosixException::call)
          .returns("/x", PosixException::subject)
          .returns(Errno.EISDIR, PosixException::errno);
    }
  }
}
