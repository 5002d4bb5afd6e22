package dev.daimon.control;

import dev.daimon.control.ReadyCondition.Newline;
import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.readiness.NewlinePipe;
import dev.daimon.readiness.NewlinePipe.State;
import org.jspecify.annotations.Nullable;

/** Whether the program has written a newline to a descriptor. */
final class NewlineCheck extends ReadyCheck {
  private final int number;
  private final NewlinePipe pipe;
  private State state = State.WAITING;

  NewlineCheck(Newline condition) throws PosixException {
    number = condition.descriptor();
    pipe = NewlinePipe.open();
  }

  @Override
  void addTo(Program program, Environment environment) {
    program.place(pipe.programDescriptor(), number);
  }

  @Override
  void started(long pid) throws PosixException {
    pipe.release();
  }

  @Override
  Descriptor events() {
    return pipe.descriptor();
  }

  @Override
  long pause() {
    return FOREVER;
  }

  @Override
  boolean isReady(long main) throws PosixException {
    if (state == State.WAITING) {
      state = pipe.receive();
    }
    return state == State.READY;
  }

  @Override
  @Nullable String failure() {
    return state == State.CLOSED
        ? "has closed descriptor " + number + " without a newline, so it is not ready"
        : null;
  }

  @Override
  String missing(long main) {
    return "it has not written a newline to descriptor " + number;
  }

  @Override
  public void close() throws PosixException {
    pipe.close();
  }
}
