package dev.daimon.posix;

/**
 * Thrown if the C library cannot be called: the JVM denies native access, or Daimon does not
 * support this system. Then every call of every module throws it.
 *
 * <p>With {@code --illegal-native-access=deny}, which later JDKs make the default, a JVM denies
 * native access that no option allows. The message says which option to add: {@code
 * --enable-native-access=dev.daimon.posix} on the module path, {@code
 * --enable-native-access=ALL-UNNAMED} on the class path, or {@code Enable-Native-Access:
 * ALL-UNNAMED} in the manifest of a jar that {@code java -jar} runs.
 */
public final class NativeAccessException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /**
   * Makes the exception.
   *
   * @param message why the C library cannot be called, in one line
   */
  public NativeAccessException(String message) {
    super(message);
  }
}
