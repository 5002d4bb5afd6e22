package dev.daimon.control;

import java.util.Objects;

/**
 * A program that reads what a daemon prints, through a pipe. It was started with the daemon, and
 * ends when no process has the pipe's other end any more and it has read everything.
 *
 * @param stream the daemon's stream that it reads: {@code stdout}, perhaps with {@code stderr}, or
 *     {@code stderr}
 * @param command what was asked for, such as {@code "|logger -t web"}; cut after 200 characters in
 *     a record
 * @param pid its process id
 * @param startTicks when it was started, in clock ticks since the machine was booted: with the
 *     process id this names it, also when another process has the id
 * @param running whether it has not ended
 */
public record OutputReader(
    String stream, String command, long pid, long startTicks, boolean running) {
  /** Requires both texts. */
  public OutputReader {
    Objects.requireNonNull(stream, "stream");
    Objects.requireNonNull(command, "command");
  }
}
