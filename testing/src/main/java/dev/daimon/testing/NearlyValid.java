package dev.daimon.testing;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Inputs that are nearly right: valid samples with a few bytes deleted, doubled, swapped or
 * replaced, numbers at the limits, line ends of other systems, bytes that are no UTF-8, and more
 * than fits. Ten million of them with {@code -Ptorture}.
 */
public final class NearlyValid {
  private static final int FULL = 10_000_000;
  private static final int LEAST = 10_000;

  /** The longest input, in bytes. */
  private static final int LONGEST = 20_000;

  private static final int LONG_RUN = 5_000;
  private static final int CHANGES = 4;

  /** How long one input may take until it counts as a hang. */
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  /** What is put in between: each has misled a parser somewhere. */
  private static final byte[][] PIECES =
      bytes(
          "\0",
          "\r",
          "\n",
          "\r\n",
          "\t",
          " ",
          "\u000b",
          "\f",
          "\u001b",
          "\u007f",
          "\u0080",
          "\u0085",
          "\u00a0",
          "\u00c2",
          "\u00ff",
          "\u00c2\u0085",
          "\u00e2\u0080\u00a8",
          "\u00d9\u00a1",
          "\u00c3\u00a4",
          "\u00f0\u009f\u0098\u0080",
          "\u00ed\u00a0\u0080",
          "\u00c5\u00bf",
          "-",
          "--",
          "+",
          "=",
          ":",
          "/",
          "//",
          ".",
          "..",
          ",",
          "%",
          "\\",
          "\"",
          "'",
          "#",
          "$",
          "@",
          "[",
          "]",
          "(",
          ")",
          "0",
          "00",
          "1",
          "-1",
          "+1",
          "0x1",
          "1e1",
          "3",
          "777",
          "1000",
          "65535",
          "65536",
          "4194304",
          "4194305",
          "2147483647",
          "2147483648",
          "4294967295",
          "4294967296",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551616",
          "99999999999999999999999",
          "unlimited",
          "none",
          "all",
          "*");

  /** Looks at one input. */
  @FunctionalInterface
  public interface Check {
    /**
     * Lets the parser have the input, and compares what it makes of it.
     *
     * @return whether the input was accepted
     */
    boolean accepts(byte[] input) throws Exception;
  }

  private final byte[][] samples;
  private final Random random = Torture.random();
  private final byte[] buffer = new byte[LONGEST];
  private int length;

  private NearlyValid(byte[][] samples) {
    this.samples = samples;
  }

  /**
   * Returns inputs that are like these.
   *
   * @param samples valid ones, with one character for each byte
   */
  public static NearlyValid of(String... samples) {
    return new NearlyValid(bytes(samples));
  }

  /** As {@link #of(String...)}. */
  public static NearlyValid of(byte[]... samples) {
    return new NearlyValid(samples.clone());
  }

  private static byte[][] bytes(String... texts) {
    byte[][] bytes = new byte[texts.length][];
    for (int i = 0; i < texts.length; i++) {
      bytes[i] = texts[i].getBytes(StandardCharsets.ISO_8859_1);
    }
    return bytes;
  }

  /** The input as a text with one character for each byte. */
  public static String text(byte[] input) {
    return new String(input, StandardCharsets.ISO_8859_1);
  }

  /**
   * Runs a check on ten million inputs, or as many as this run is to have.
   *
   * @throws AssertionError if the check fails or does not end; names the input and the seed. Also
   *     if all inputs were accepted, or none: that shows nothing
   */
  public void check(Check check) throws InterruptedException {
    // The square of the share: there are many such checks, and each finds most things soon.
    Run run = new Run(check, Torture.size(Torture.size(FULL, LEAST), LEAST));
    Thread thread = new Thread(run, "inputs");
    thread.setDaemon(true);
    thread.start();
    int before = -1;
    while (!thread.join(PATIENCE)) {
      if (run.count == before) {
        AssertionError hang = new AssertionError("a hang at " + run.current());
        hang.setStackTrace(thread.getStackTrace());
        throw hang;
      }
      before = run.count;
    }
    run.end();
  }

  /** One run of a check, in a thread of its own, so that a hang is noticed. */
  private final class Run implements Runnable {
    private final Check check;
    private final int inputs;
    private final long begin = System.nanoTime();
    private int accepted;
    private volatile @Nullable Throwable failure;
    private volatile byte[] input = {};

    /** How many were begun. */
    private volatile int count;

    Run(Check check, int inputs) {
      this.check = check;
      this.inputs = inputs;
    }

    // Whatever is thrown is the finding.
    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate")
    public void run() {
      try {
        while (count < inputs) {
          input = next();
          count++;
          accepted += check.accepts(input.clone()) ? 1 : 0;
        }
      } catch (Throwable thrown) {
        failure = thrown;
      }
    }

    String current() {
      StringBuilder text = new StringBuilder("input ");
      text.append(count).append(" of ").append(Torture.seed()).append(": \"");
      for (byte b : input) {
        if (b >= ' ' && b < 0x7f && b != '\\') {
          text.append((char) b);
        } else {
          text.append("\\x").append(Character.forDigit(b >> 4 & 15, 16));
          text.append(Character.forDigit(b & 15, 16));
        }
      }
      return text.append('"').toString();
    }

    void end() {
      if (failure != null) {
        throw new AssertionError(current(), failure);
      }
      if (accepted == 0 || accepted == inputs) {
        throw new AssertionError(accepted + " of " + inputs + " inputs were accepted");
      }
      if (inputs == FULL) {
        long seconds = (System.nanoTime() - begin) / 1_000_000_000;
        System.out.println(inputs + " inputs, " + accepted + " accepted, in " + seconds + " s");
      }
    }
  }

  /** The next input: a sample with up to four changes, one in eight as it is. */
  private byte[] next() {
    byte[] sample = samples[random.nextInt(samples.length)];
    length = 0;
    insert(0, sample, 0, sample.length);
    int changes = random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(CHANGES);
    for (int i = 0; i < changes; i++) {
      change();
    }
    return Arrays.copyOf(buffer, length);
  }

  private void change() {
    int at = random.nextInt(length + 1);
    int end = at + random.nextInt(Math.min(length - at, 8) + 1);
    switch (random.nextInt(12)) {
      case 0, 1 -> delete(at, end);
      case 2 -> insert(at, Arrays.copyOfRange(buffer, at, end), 0, end - at);
      case 3 -> swap(at, random.nextInt(length + 1));
      case 4 -> replace(at, (byte) random.nextInt(256));
      case 5 -> replace(at, (byte) (at < length ? buffer[at] ^ 1 << random.nextInt(8) : 0));
      case 6 -> replace(at, (byte) (at < length ? buffer[at] + random.nextInt(3) - 1 : 0));
      case 7 -> delete(at, length);
      case 8 -> other(at);
      case 9 -> run(at);
      default -> piece(at, end);
    }
  }

  private void delete(int from, int to) {
    System.arraycopy(buffer, to, buffer, from, length - to);
    length -= to - from;
  }

  private void insert(int at, byte[] bytes, int from, int count) {
    int fits = Math.min(count, LONGEST - length);
    System.arraycopy(buffer, at, buffer, at + fits, length - at);
    System.arraycopy(bytes, from, buffer, at, fits);
    length += fits;
  }

  private void swap(int one, int other) {
    if (one < length && other < length) {
      byte b = buffer[one];
      buffer[one] = buffer[other];
      buffer[other] = b;
    }
  }

  private void replace(int at, byte b) {
    if (at < length) {
      buffer[at] = b;
    }
  }

  /** A part of another sample. */
  private void other(int at) {
    byte[] sample = samples[random.nextInt(samples.length)];
    int from = random.nextInt(sample.length + 1);
    insert(at, sample, from, random.nextInt(sample.length - from + 1));
  }

  /** A byte many times; very many times now and then. */
  private void run(int at) {
    if (at < length) {
      byte[] run = new byte[random.nextInt(random.nextInt(500) == 0 ? LONG_RUN : 80)];
      Arrays.fill(run, buffer[at]);
      insert(at, run, 0, run.length);
    }
  }

  private void piece(int at, int end) {
    if (random.nextBoolean()) {
      delete(at, end);
    }
    byte[] piece = PIECES[random.nextInt(PIECES.length)];
    insert(at, piece, 0, piece.length);
  }
}
