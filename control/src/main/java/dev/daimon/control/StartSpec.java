package dev.daimon.control;

import dev.daimon.forking.Program;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/** How {@link DaemonControl} starts a daemon, after it has checked that none runs. */
@FunctionalInterface
public interface StartSpec {
  /**
   * Starts the daemon, and returns when it runs and holds the lock on its pidfile. The control
   * holds the guard meanwhile.
   *
   * @param daemon the daemon to be started; a start that knows its process id {@linkplain
   *     ControlledDaemon#started tells it}
   * @throws IOException if it was not started
   * @throws InterruptedException if the thread is interrupted
   */
  void start(ControlledDaemon daemon) throws IOException, InterruptedException;

  /**
   * Tells which programs read the daemon's output, through pipes that the start has made. They are
   * recorded with the start.
   *
   * @return the programs, known once the daemon was started; none by default
   */
  default List<OutputReader> readers() {
    return List.of();
  }

  /**
   * Starts an ordinary program as a daemon: in a new session that it does not lead, and with the
   * lock on the pidfile, which it holds until it ends.
   *
   * @param program makes the program, with its streams, directory and so on, anew for each start;
   *     streams that are not set are those of this process
   * @param umask the program's umask, from 0 to 0777
   * @return that way of starting
   */
  static StartSpec program(Supplier<Program> program, int umask) {
    Objects.requireNonNull(program, "program");
    return new ProgramStart(program, umask)::start;
  }

  /**
   * Starts a program that daemonizes itself, and locks the pidfile. The daemon counts as started
   * when the program has ended with exit code 0 and the process that the pidfile names holds the
   * lock. If the start fails, processes that the program has left running are not found.
   *
   * @param program makes the program, anew for each start
   * @param patience how long the start may take; if the program has not ended then, it is killed
   * @return that way of starting
   */
  static StartSpec self(Supplier<Program> program, Duration patience) {
    Objects.requireNonNull(program, "program");
    Objects.requireNonNull(patience, "patience");
    return new SelfStart(program, patience)::start;
  }
}
