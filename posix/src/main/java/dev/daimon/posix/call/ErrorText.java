package dev.daimon.posix.call;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The C library's names of errors: {@code string.h}. */
public final class ErrorText {
  // const char *strerrorname_np(int errnum);
  private static final long STRERRORNAME = Libc.address("strerrorname_np");
  // const char *strerrordesc_np(int errnum);
  private static final long STRERRORDESC = Libc.address("strerrordesc_np");

  private ErrorText() {}

  /** Returns the name of an error, such as {@code "ENOENT"}. */
  public static String name(int errno) {
    String name = string(Libc.raw(STRERRORNAME, errno));
    return name == null ? "errno " + errno : name;
  }

  /** Returns the description, such as {@code "No such file or directory"}; always in English. */
  public static String description(int errno) {
    String description = string(Libc.raw(STRERRORDESC, errno));
    return description == null ? "unknown error" : description;
  }

  private static @Nullable String string(long address) {
    byte[] bytes = Libc.string(address);
    return bytes == null ? null : new String(bytes, StandardCharsets.US_ASCII);
  }
}
