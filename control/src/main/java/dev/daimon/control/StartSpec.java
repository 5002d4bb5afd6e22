package dev.daimon.control;

import dev.daimon.forking.Program;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;

/** How a daemon is started, once it is sure that none runs. */
@FunctionalInterface
public interface StartSpec {
  /**
   * Starts the daemon, and returns when it runs and has its pidfile locked. The guard is held
   * meanwhile.
   *
   * @param control the daemon's
   * @throws IOException if it was not started
   * @throws InterruptedException if the thread is interrupted
   */
  void start(DaemonControl control) throws IOException, InterruptedException;

  /**
   * A program that knows nothing of daemons: it is run as one, in a session that it does not lead,
   * with the pidfile's lock, which it holds for its life.
   *
   * @param program makes the program, with its streams, directory and so on, anew for each start;
   *     streams that are not set are this process's
   * @param umask the program's, from 0 to 0777
   * @return that start
   */
  static StartSpec program(Supplier<Program> program, int umask) {
    Objects.requireNonNull(program, "program");
    return new ProgramStart(program, umask);
  }

  /**
   * A program that daemonizes itself, and locks the pidfile that the control is about: it is run,
   * and the daemon is there when the program has ended with exit code 0 and the pidfile is locked
   * by the process that it names. If it fails, what it has left running is not found.
   *
   * @param program makes the program, anew for each start
   * @param patience how long that may take; the program is killed then if it has not ended
   * @return that start
   */
  static StartSpec self(Supplier<Program> program, Duration patience) {
    Objects.requireNonNull(program, "program");
    Objects.requireNonNull(patience, "patience");
    return new SelfStart(program, patience);
  }
}
