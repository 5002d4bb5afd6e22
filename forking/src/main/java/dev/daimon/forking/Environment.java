package dev.daimon.forking;

import dev.daimon.posix.ProcDirectory;
import dev.daimon.posix.VisibleText;
import dev.daimon.posix.call.Processes;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The environment of a program, byte for byte: a list of {@code NAME=VALUE} entries.
 *
 * <p>Immutable. Unlike {@link System#getenv()}, it keeps bytes that the current locale cannot
 * decode, entries without {@code =}, and the order.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/environ.7.html">environ(7)</a>
 */
public final class Environment {
  /** The most that the kernel takes for an exec, in bytes: strings, and a pointer to each. */
  private static final int LIMIT = 6 * 1024 * 1024;

  private final List<byte[]> entries;

  private Environment(List<byte[]> entries) {
    this.entries = List.copyOf(entries);
  }

  /** {@return the environment of this JVM, as the C library holds it} */
  public static Environment current() {
    return new Environment(Processes.environ());
  }

  /**
   * Returns the environment that another process was started with.
   *
   * @param pid the process, which must not end meanwhile
   * @return its environment. It is empty while the process is in an {@code execve}, even just after
   *     a spawn has returned; some kernels also show an empty one of a zombie
   * @throws IOException if there is no such process, it is a zombie, the caller may not read it, or
   *     {@code /proc} is of another PID namespace; or if it has made its environment longer than
   *     that of a new program can be (6 MiB), as any process may
   * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_environ.5.html">
   *     proc_pid_environ(5)</a>
   */
  public static Environment of(long pid) throws IOException {
    byte[] block;
    String file = ProcDirectory.of(pid).concat("/environ");
    try (FileInputStream stream = new FileInputStream(file)) {
      block = stream.readNBytes(LIMIT + 1);
    }
    if (block.length > LIMIT - Long.BYTES * count(block)) {
      throw new IOException(file + " is too long for an environment");
    }
    return new Environment(strings(block));
  }

  private static int count(byte[] block) {
    int count = 0;
    for (byte each : block) {
      if (each == 0) {
        count++;
      }
    }
    return count;
  }

  /** Splits a block of NUL-terminated strings, as {@code /proc} shows them. */
  static List<byte[]> strings(byte[] block) {
    List<byte[]> strings = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < block.length; i++) {
      if (block[i] == 0) {
        strings.add(Arrays.copyOfRange(block, start, i));
        start = i + 1;
      }
    }
    return strings;
  }

  /**
   * Returns a copy in which a variable has this value. All earlier entries of that name are
   * removed.
   *
   * @param name the variable, not empty and without {@code =}
   * @param value its value; may be empty
   * @return the changed copy
   * @throws IllegalArgumentException if the name is empty or contains {@code =}, or if there is a
   *     NUL byte in the name or the value
   */
  public Environment with(byte[] name, byte[] value) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(value, "value");
    String nameText = latin1(name);
    if (nameText.isEmpty() || nameText.indexOf('=') >= 0) {
      throw new IllegalArgumentException("not a variable's name: \"" + nameText + "\"");
    }
    if (nameText.indexOf(0) >= 0 || latin1(value).indexOf(0) >= 0) {
      throw new IllegalArgumentException("a NUL byte in the environment variable " + nameText);
    }
    List<byte[]> changed = new ArrayList<>(without(name).entries);
    byte[] entry = new byte[name.length + 1 + value.length];
    System.arraycopy(name, 0, entry, 0, name.length);
    entry[name.length] = '=';
    System.arraycopy(value, 0, entry, name.length + 1, value.length);
    changed.add(entry);
    return new Environment(changed);
  }

  /**
   * Returns a copy in which a variable has this value, both as UTF-8.
   *
   * @param name the variable, not empty and without {@code =}
   * @param value its value; may be empty
   * @return the changed copy
   * @throws IllegalArgumentException as {@link #with(byte[], byte[])}
   */
  public Environment with(String name, String value) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(value, "value");
    return with(name.getBytes(StandardCharsets.UTF_8), value.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Returns a copy without a variable.
   *
   * @param name the variable, as UTF-8
   * @return the changed copy
   * @throws IllegalArgumentException if there is an equals sign in the name
   */
  public Environment without(String name) {
    return without(name(name));
  }

  private Environment without(byte[] name) {
    List<byte[]> rest = new ArrayList<>(entries.size());
    for (byte[] entry : entries) {
      if (!isNamed(entry, name)) {
        rest.add(entry);
      }
    }
    return new Environment(rest);
  }

  /**
   * Returns the value of a variable; the first one if there are several.
   *
   * @param name the variable, as UTF-8
   * @return its value, or null
   * @throws IllegalArgumentException if there is an equals sign in the name
   */
  public byte @Nullable [] get(String name) {
    byte[] bytes = name(name);
    for (byte[] entry : entries) {
      if (isNamed(entry, bytes)) {
        return Arrays.copyOfRange(entry, bytes.length + 1, entry.length);
      }
    }
    return null;
  }

  private static byte[] name(String name) {
    Objects.requireNonNull(name, "name");
    if (name.indexOf('=') >= 0) {
      throw new IllegalArgumentException("not the name of a variable: " + VisibleText.line(name));
    }
    return name.getBytes(StandardCharsets.UTF_8);
  }

  /** {@return the entries, in order; neither the list nor its arrays may be changed} */
  public List<byte[]> entries() {
    return entries;
  }

  private static boolean isNamed(byte[] entry, byte[] name) {
    return entry.length > name.length
        && entry[name.length] == '='
        && Arrays.equals(entry, 0, name.length, name, 0, name.length);
  }

  private static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
