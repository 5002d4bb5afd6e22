package dev.daimon.posix;

/**
 * The C library cannot be called: the JVM denies native access, or this is another system than
 * Daimon supports. Every call of every module fails with it, the first one and all after it.
 *
 * <p>JVMs deny native access that was not allowed if they are run with {@code
 * --illegal-native-access=deny}, which later JDKs make the default. The message says which option
 * allows it: {@code --enable-native-access=dev.daimon.posix} on the module path, {@code
 * --enable-native-access=ALL-UNNAMED} on the class path, or {@code Enable-Native-Access:
 * ALL-UNNAMED} in the manifest of a jar that {@code java -jar} runs.
 */
public final class NativeAccessException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * A reason why the C library cannot be called.
   *
   * @param message the reason, in one line
   */
  public NativeAccessException(String message) {
    super(message);
  }
}
