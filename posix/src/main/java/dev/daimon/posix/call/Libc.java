package dev.daimon.posix.call;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.daimon.posix.NativeAccessException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The link to the C library: every function is called through one shape, six {@code long}s to a
 * {@code long}.
 *
 * <p>There is one shape because each further one costs milliseconds at start-up. It is correct in
 * the x86-64 System V and the AArch64 Linux ABIs: integers and pointers use the same registers, a
 * callee ignores the registers that it has no parameter for, and variadic arguments are passed
 * alike. (On x86-64 a register holds the number of floating-point arguments; no function that is
 * called here reads it.) A function that returns {@code int} leaves the upper half of the register
 * undefined, so its result is narrowed first.
 */
// "restricted": this is the only class that uses the methods that can crash a JVM.
@SuppressWarnings("restricted")
final class Libc {
  /** Functions that are treated as missing, separated by commas; for tests. */
  private static final @Nullable String WITHOUT = System.getProperty("dev.daimon.posix.without");

  static final int EINTR = 4;

  /**
   * Why the C library cannot be called; null if it can. Each call throws it, and not the static
   * initializer: that would throw another exception at the second attempt.
   */
  private static volatile @Nullable String unusable;

  private static final @Nullable SymbolLookup LOOKUP = open();

  /** Null if the linker makes the calls. */
  private static final @Nullable MethodHandle ENTRY_POINT = entryPoint(address("close"));

  // size_t strlen(const char *s);
  private static final long STRLEN = address("strlen");

  /** Initialized only if there is no {@link EntryPoint}. */
  private static final class Linked {
    static final MethodHandle CALL =
        Linker.nativeLinker()
            .downcallHandle(
                FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                Linker.Option.captureCallState("errno"));
  }

  /** The memory where a thread's errno is captured, together with the result of a call. */
  private static final class Captured {
    private final MemorySegment memory = Arena.ofAuto().allocate(Integer.BYTES, Integer.BYTES);
    private final ByteBuffer view = Native.view(memory);

    int value() {
      return view.getInt(0);
    }
  }

  private static final ThreadLocal<Captured> ERRNO =
      new ThreadLocal<>() {
        @Override
        protected Captured initialValue() {
          return new Captured();
        }
      };

  private Libc() {}

  private static @Nullable SymbolLookup open() {
    if (!System.getProperty("os.name", "").equals("Linux") || !Abi.isSupported()) {
      unusable =
          "Daimon runs on Linux on x86-64 and AArch64, not on "
              + System.getProperty("os.name")
              + " on "
              + System.getProperty("os.arch");
      return null;
    }
    try {
      return SymbolLookup.libraryLookup("libc.so.6", Arena.global());
    } catch (IllegalCallerException denied) {
      unusable =
          Libc.class.getModule().isNamed()
              ? "this JVM denies native access: run java with"
                  + " --enable-native-access=dev.daimon.posix"
              : "this JVM denies native access: run java with --enable-native-access=ALL-UNNAMED,"
                  + " or put Enable-Native-Access: ALL-UNNAMED into the manifest of the jar that"
                  + " java -jar runs";
    } catch (IllegalArgumentException none) {
      unusable = "there is no libc.so.6: Daimon needs glibc 2.34 or later";
    }
    return null;
  }

  private static @Nullable MethodHandle entryPoint(long close) {
    return close == 0 ? null : EntryPoint.find(close);
  }

  /**
   * Returns the address of a function or variable that every supported C library has. If it is
   * missing, returns 0, and every later call fails.
   */
  static long address(String name) {
    long address = optionalAddress(name);
    if (address == 0 && unusable == null) {
      unusable = "the C library has no " + name + ": Daimon needs glibc 2.34 or later";
    }
    return address;
  }

  /** Returns the address of a function that not every C library has, or 0. */
  static long optionalAddress(String name) {
    if (LOOKUP == null || (WITHOUT != null && ("," + WITHOUT + ",").contains("," + name + ","))) {
      return 0;
    }
    Optional<MemorySegment> symbol = LOOKUP.find(name);
    return symbol.isEmpty() ? 0 : symbol.get().address();
  }

  private static void requireUsable() {
    String reason = unusable;
    if (reason != null) {
      throw new NativeAccessException(reason);
    }
  }

  /**
   * Calls a function that returns an {@code int}, or -1 and an errno; returns the negated errno.
   */
  static int call(long function, long a, long b, long c, long d, long e, long f) {
    while (true) {
      int result = (int) raw(function, a, b, c, d, e, f);
      if (result != -1) {
        return result;
      }
      int errno = errno();
      if (errno != EINTR) {
        return -errno;
      }
    }
  }

  static int call(long function, long a, long b, long c) {
    return call(function, a, b, c, 0, 0, 0);
  }

  static int call(long function, long a, long b) {
    return call(function, a, b, 0, 0, 0, 0);
  }

  static int call(long function, long a) {
    return call(function, a, 0, 0, 0, 0, 0);
  }

  static int call(long function) {
    return call(function, 0, 0, 0, 0, 0, 0);
  }

  /** As {@link #call(long, long)}, but not repeated after {@code EINTR}. */
  static int callOnce(long function, long a) {
    int result = (int) raw(function, a, 0, 0, 0, 0, 0);
    return result == -1 ? -errno() : result;
  }

  /** As {@link #call(long, long, long, long)}, but not repeated after {@code EINTR}. */
  static int callOnce(long function, long a, long b, long c) {
    int result = (int) raw(function, a, b, c, 0, 0, 0);
    return result == -1 ? -errno() : result;
  }

  /**
   * As {@link #call(long, long, long, long, long, long, long)}, but not repeated after {@code
   * EINTR}.
   */
  static int callOnce(long function, long a, long b, long c, long d) {
    int result = (int) raw(function, a, b, c, d, 0, 0);
    return result == -1 ? -errno() : result;
  }

  /** Returns errno after the calling thread's last call, whether that failed or not. */
  static int errno() {
    return ERRNO.get().value();
  }

  /**
   * Calls a function and returns what it returns, all 64 bits. After an {@link OutOfMemoryError} it
   * was not called.
   */
  static long raw(long function, long a, long b, long c, long d, long e, long f) {
    requireUsable();
    if (function == 0) {
      throw new AssertionError("a function that this C library does not have");
    }
    // Belongs to the thread, so it exists during the call.
    MemorySegment errno = ERRNO.get().memory;
    try {
      return ENTRY_POINT != null
          ? (long) ENTRY_POINT.invokeExact(function, errno.address(), a, b, c, d, e, f)
          : (long)
              Linked.CALL.invokeExact(MemorySegment.ofAddress(function), errno, a, b, c, d, e, f);
    } catch (Error scarce) {
      // Memory, mostly: the linker needs some before the call, and none after it.
      throw scarce;
    } catch (Throwable failure) {
      throw new AssertionError("a call into the C library cannot throw", failure);
    }
  }

  static long raw(long function, long a) {
    return raw(function, a, 0, 0, 0, 0, 0);
  }

  /** Returns the memory at an address that the C library has returned. */
  static MemorySegment memory(long address, long size) {
    requireUsable();
    return MemorySegment.ofAddress(address).reinterpret(size);
  }

  /** Returns the bytes of the C string at this address; null for a null pointer. */
  static byte @Nullable [] string(long address) {
    if (address == 0) {
      return null;
    }
    byte[] bytes = new byte[Math.toIntExact(raw(STRLEN, address))];
    Native.view(memory(address, bytes.length)).get(bytes);
    return bytes;
  }
}
