package dev.daimon.testing;

import dev.daimon.testing.NearlyValid.Check;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Lets a fuzzer choose the inputs of a {@link NearlyValid} check, by what they reach in the code.
 * The fuzzer, Jazzer, calls the two methods; {@code .ci/fuzz} runs it.
 */
public final class Fuzz {
  /** The check of the test that is named; null unless a fuzzer runs. */
  private static @Nullable Check check;

  private static boolean isRunning;

  private Fuzz() {}

  /** Whether a fuzzer runs, and has the check. */
  static boolean takes(byte[][] samples, Check taken) throws Exception {
    if (isRunning) {
      check = taken;
      Path corpus = Path.of(System.getProperty("daimon.fuzz.corpus"));
      for (int i = 0; i < samples.length; i++) {
        Files.write(corpus.resolve("sample-" + i), samples[i]);
      }
    }
    return isRunning;
  }

  /** Finds the check of a test: {@code -Ddaimon.fuzz.test=CLASS#METHOD}. */
  public static void fuzzerInitialize() throws Exception {
    String[] test = System.getProperty("daimon.fuzz.test").split("#", -1);
    isRunning = true;
    Class<?> type = Class.forName(test[0]);
    Constructor<?> constructor = type.getDeclaredConstructor();
    constructor.setAccessible(true);
    Method method = type.getDeclaredMethod(test[1]);
    method.setAccessible(true);
    method.invoke(constructor.newInstance());
  }

  /** Lets the check have one input. */
  public static void fuzzerTestOneInput(byte[] input) throws Exception {
    if (check == null) {
      throw new IllegalStateException("the test has no check of nearly valid inputs");
    }
    boolean _ = check.accepts(input);
  }
}
