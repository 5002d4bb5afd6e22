package dev.daimon.privileges;

import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.VisibleText;
import dev.daimon.posix.call.Accounts;
import dev.daimon.posix.call.Files;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Looks up users and groups by a name, a number, or {@code #} and a number. */
final class AccountLookup {
  /** The largest id: 2^32 - 1 is -1, which means "no change" in system calls. */
  private static final long MAX_ID = 0xffff_fffeL;

  /** The longest name, in bytes: {@code LOGIN_NAME_MAX} without the NUL at its end. */
  private static final int MAX_NAME = 255;

  /** So many a look-up may need: the C library opens files, and sockets of services. */
  private static final int DESCRIPTORS = 4;

  private static final byte[] ROOT = {'/'};

  private AccountLookup() {}

  /** Returns the user of this name, or null. */
  static Accounts.@Nullable User user(String name) throws PosixException {
    byte[] bytes = bytes(name);
    if (bytes == null) {
      return null;
    }
    Accounts.@Nullable User[] found = new Accounts.User[1];
    requireDescriptors("getpwnam_r", name);
    check(Accounts.getpwnam(bytes, found), "getpwnam_r", name);
    return found[0];
  }

  /** Returns the user of this id, or null. */
  static Accounts.@Nullable User user(long uid) throws PosixException {
    Accounts.@Nullable User[] found = new Accounts.User[1];
    requireDescriptors("getpwuid_r", uid);
    check(Accounts.getpwuid(userId(uid), found), "getpwuid_r", uid);
    return found[0];
  }

  /**
   * Returns a user id as system calls take it: a cast alone would make root of 2^32.
   *
   * @throws IllegalArgumentException if it is out of range
   */
  static int userId(long uid) {
    if (uid < 0 || uid > MAX_ID) {
      throw new IllegalArgumentException("user id out of range: " + uid);
    }
    return (int) uid;
  }

  /** Returns the id of a group, given by name or number. */
  static long group(String spec) throws UnknownAccountException, PosixException {
    if (!spec.startsWith("#")) {
      byte[] bytes = bytes(spec);
      if (bytes != null) {
        @Nullable Integer[] found = new Integer[1];
        requireDescriptors("getgrnam_r", spec);
        check(Accounts.getgrnam(bytes, found), "getgrnam_r", spec);
        if (found[0] != null) {
          return Integer.toUnsignedLong(found[0]);
        }
      }
    }
    return number(spec, "group");
  }

  /**
   * Parses a number, with or without {@code #}.
   *
   * @param kind {@code "user"} or {@code "group"}, for the messages
   */
  static long number(String spec, String kind) throws UnknownAccountException {
    int start = spec.startsWith("#") ? 1 : 0;
    long number = 0;
    for (int i = start; i < spec.length(); i++) {
      char c = spec.charAt(i);
      if (c < '0' || c > '9') {
        throw new UnknownAccountException(noNumber(spec, start, kind));
      }
      // Once too large, it stays so, and does not overflow.
      if (number <= MAX_ID) {
        number = 10 * number + (c - '0');
      }
    }
    if (start == spec.length()) {
      throw new UnknownAccountException("unknown " + kind + ": " + (start == 0 ? "\"\"" : spec));
    }
    if (number > MAX_ID) {
      throw new UnknownAccountException(kind + " id out of range: " + spec.substring(start));
    }
    return number;
  }

  private static String noNumber(String spec, int start, String kind) {
    if (spec.length() > MAX_NAME) {
      return kind + " name too long: " + spec.substring(0, 32) + "... (" + spec.length() + ")";
    }
    boolean negative = spec.length() > start + 1 && spec.charAt(start) == '-';
    for (int i = start + 1; i < spec.length() && negative; i++) {
      negative = spec.charAt(i) >= '0' && spec.charAt(i) <= '9';
    }
    return negative
        ? kind + " id out of range: " + spec.substring(start)
        : "unknown " + kind + ": " + spec;
  }

  /** Returns the bytes of a name; null if no account can have this name. */
  private static byte @Nullable [] bytes(String name) {
    boolean possible = !name.isEmpty() && name.length() <= MAX_NAME && name.indexOf(0) < 0;
    return possible ? name.getBytes(StandardCharsets.UTF_8) : null;
  }

  /**
   * Requires that there are descriptors left for a look-up. The C library says that there is no
   * such entry, and that a user has no groups, if it cannot open a file for want of one.
   *
   * <p>Race: other threads may take all of them before the look-up does.
   */
  static void requireDescriptors(String call, Object subject) throws PosixException {
    int[] opened = new int[DESCRIPTORS];
    int count = 0;
    int result = 0;
    try {
      while (count < DESCRIPTORS && result >= 0) {
        result = Files.open(ROOT, Files.O_PATH | Files.O_CLOEXEC, 0);
        if (result >= 0) {
          opened[count++] = result;
        }
      }
    } finally {
      for (int i = 0; i < count; i++) {
        int _ = Files.close(opened[i]);
      }
    }
    if (result < 0 && Errno.of(-result).isShortage()) {
      PosixException.check(result, call, VisibleText.line(subject.toString()));
    }
  }

  /** Throws the error of a look-up, except two that mean that there is no such entry. */
  private static void check(int result, String call, Object subject) throws PosixException {
    if (result != -Errno.ENOENT.number() && result != -Errno.ESRCH.number()) {
      PosixException.check(result, call, subject);
    }
  }
}
