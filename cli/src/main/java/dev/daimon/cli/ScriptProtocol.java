package dev.daimon.cli;

/**
 * What the launcher script ({@code lib/launcher.sh}) and the command's JVM tell each other: the
 * script sets system properties, and reads the JVM's exit status. Where no script has started the
 * JVM, {@link Respawn} sets properties in its place.
 *
 * <table>
 *   <caption>System properties of the JVM; {@link Caller} reads them all</caption>
 *   <tr><th>property</th><th>meaning</th><th>set by</th></tr>
 *   <tr><td>{@link #CALLER}</td><td>the id of the process that still has the caller's environment,
 *       descriptors and working directory</td><td>launcher.sh, make-cache, Respawn</td></tr>
 *   <tr><td>{@link #COPY}</td><td>{@code true}: that process is a copy of the script and this JVM's
 *       child; the JVM reads what it needs, and kills it</td><td>launcher.sh for {@code
 *       run}</td></tr>
 *   <tr><td>{@link #ERROR}</td><td>the number of the descriptor that is to become standard error,
 *       which is the null device until then</td><td>launcher.sh, make-cache</td></tr>
 *   <tr><td>{@link #CANCEL}</td><td>the number of a pipe's read end: whoever waits for this JVM cancels
 *       the start by closing the other end, or by ending; the JVM writes the line {@code ready} to it when the
 *       program is ready, or runs if it need not get ready; only with {@code --ready}, {@code --wait} and
 *       {@code --all}, and where a definition may have them</td><td>launcher.sh</td></tr>
 *   <tr><td>{@link #LEADER}</td><td>{@code true}: this JVM was started as the leader of a new
 *       session</td><td>Respawn</td></tr>
 *   <tr><td>{@link #DIRECT}</td><td>{@code true}: no script waits, and the JVM leaves signals alone
 *       ({@code -Xrs}) even so</td><td>Respawn</td></tr>
 * </table>
 *
 * <table>
 *   <caption>Exit statuses of the JVM; {@link Main} and {@link StartCommand} set them, launcher.sh
 *       reads them</caption>
 *   <tr><th>status</th><th>meaning</th></tr>
 *   <tr><td>0, and 64 to 78</td><td>the command's exit code</td></tr>
 *   <tr><td>{@link #MOVED} + 1 to {@link #MOVED} + {@link #LAST_MOVED}</td><td>the command's exit
 *       code plus {@link #MOVED}, which launcher.sh subtracts: codes from 1 up are java's own where
 *       it cannot start</td></tr>
 *   <tr><td>{@link #RUN_BY_EXEC}</td><td>nothing was done: run the command once more, by exec, so
 *       that this process can become the program; {@code start --foreground} needs
 *       that</td></tr>
 *   <tr><td>{@link #CANCELLED}</td><td>the start was cancelled by {@link #CANCEL}, and undone: end by
 *       the signal</td></tr>
 *   <tr><td>anything else</td><td>java has failed, or a signal has ended it</td></tr>
 * </table>
 */
final class ScriptProtocol {
  static final String CALLER = "daimon.caller";
  static final String COPY = "daimon.copy";
  static final String ERROR = "daimon.error";
  static final String CANCEL = "daimon.cancel";
  static final String LEADER = "daimon.leader";
  static final String DIRECT = "daimon.direct";

  /** What is added to the small exit codes. */
  static final int MOVED = 120;

  /** The largest of the small exit codes: 1, 3 and 4 are those of init scripts; there is no 2. */
  static final int LAST_MOVED = 4;

  /** The place of exit code 2, which the command does not have. */
  static final int RUN_BY_EXEC = MOVED + 2;

  /** Behind the small exit codes. */
  static final int CANCELLED = MOVED + LAST_MOVED + 1;

  private ScriptProtocol() {}
}
