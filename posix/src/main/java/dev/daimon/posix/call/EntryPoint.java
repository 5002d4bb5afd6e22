package dev.daimon.posix.call;

import dev.daimon.posix.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodType;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.nio.ByteOrder;
import java.util.Collections;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's own stub that calls a native function, without the linker in front of it. The linker
 * makes some twenty classes at run time, for conversions that a call of {@code long}s does not
 * need; that is most of the time that a JVM's first call takes.
 *
 * <p>The stub is internal to the JDK, hence opt-in, for JVMs that live for milliseconds as the
 * command's does. It is used if all of this holds, and otherwise the linker is:
 *
 * <ul>
 *   <li>the system property {@value #PROPERTY} is {@code true};
 *   <li>{@code java.base} exports the packages {@code jdk.internal.access} and {@code
 *       jdk.internal.foreign.abi} to this module ({@code --add-exports});
 *   <li>the JDK is 25 and the machine x86-64, which the numbers below describe;
 *   <li>a trial call has returned the right result and the right errno.
 * </ul>
 *
 * <p>Whoever sets the property should also set {@code -Djdk.reflect.useNativeAccessorOnly=true}. It
 * changes nothing but the speed: without it, the JDK's reflection makes as many classes for the
 * calls below as the linker would have made.
 */
final class EntryPoint {
  /** The switch; off by default. */
  static final String PROPERTY = "dev.daimon.posix.entryPoint";

  private static final boolean ASKED_FOR = Boolean.getBoolean(PROPERTY);
  private static final boolean DESCRIBED =
      Runtime.version().feature() == 25 && System.getProperty("os.arch").equals("amd64");

  private static final String ABI = "jdk.internal.foreign.abi.";

  // The JDK's numbers for kinds of storage.
  private static final byte INTEGER = 0;
  private static final byte PLACEHOLDER = 4;

  // Registers by the processor's numbers, in the order in which the System V ABI uses them.
  private static final int[] RDI_RSI_RDX_RCX_R8_R9 = {7, 6, 2, 1, 8, 9};
  private static final int[] RAX = {0};
  private static final int[] R10_R11 = {10, 11};

  private EntryPoint() {}

  /**
   * Returns a handle that calls any function. Its {@code long}s are the function's address, the
   * address of an {@code int} for errno, and the function's six arguments. Null if the stub is not
   * asked for or not available.
   *
   * @param close the address of {@code close(2)}, for the trial call
   */
  static @Nullable MethodHandle find(long close) {
    if (!ASKED_FOR || !DESCRIBED) {
      return null;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment errno = arena.allocate(Integer.BYTES, Integer.BYTES);
      MethodHandle handle = make();
      long result = (long) handle.invokeExact(close, errno.address(), -1L, 0L, 0L, 0L, 0L, 0L);
      int number = errno.asByteBuffer().order(ByteOrder.nativeOrder()).getInt(0);
      return (int) result == -1 && number == Errno.EBADF.number() ? handle : null;
    } catch (ReflectiveOperationException | LinkageError | RuntimeException notHere) {
      // The packages are not exported, or this JDK is built differently.
      return null;
    } catch (Error scarce) {
      throw scarce;
    } catch (Throwable failure) {
      throw new AssertionError("a call into the C library cannot throw", failure);
    }
  }

  private static MethodHandle make() throws ReflectiveOperationException {
    Class<?> storage = Class.forName(ABI + "VMStorage");
    Class<?> storages = storage.arrayType();
    Class<?> convention = Class.forName(ABI + "ABIDescriptor");
    Class<?> entryPoint = Class.forName(ABI + "NativeEntryPoint");
    Object[] arguments = registers(storage, RDI_RSI_RDX_RCX_R8_R9);
    Object[] result = registers(storage, RAX);
    Object[] scratch = registers(storage, R10_R11);
    // No function that is called here takes or returns floating-point numbers.
    Object[] none = registers(storage);
    // The stub's other arguments: the function, memory for a large result, memory for errno.
    Object[] others = storages(storage, PLACEHOLDER, (short) 8, 0, 1, 2);
    Object abi =
        convention
            .getConstructor(
                Class.forName(ABI + "Architecture"), // for Java code only
                storages.arrayType(), // arguments: integers, vectors
                storages.arrayType(), // results: integers, vectors, x87
                storages.arrayType(), // volatile registers: integers, vectors
                int.class, // alignment of the stack
                int.class, // shadow space
                storage, // scratch
                storage, // scratch
                storage, // the function
                storage, // memory for a large result
                storage) // memory for errno
            .newInstance(
                null,
                table(storages, arguments, none),
                table(storages, result, none, none),
                table(storages, scratch, none),
                16,
                0,
                scratch[0],
                scratch[1],
                others[0],
                others[1],
                others[2]);
    Object[] moves = array(storage, 2 + arguments.length);
    moves[0] = others[0];
    moves[1] = others[2];
    System.arraycopy(arguments, 0, moves, 2, arguments.length);
    MethodType type =
        MethodType.methodType(long.class, Collections.nCopies(moves.length, (Class<?>) long.class));
    Object made =
        entryPoint
            .getMethod(
                "make",
                convention,
                storages, // where arguments go
                storages, // where the result is
                MethodType.class,
                boolean.class, // several results
                int.class, // what is captured, a bit each: errno is the third
                boolean.class, // the thread changes to the state "in native code"
                boolean.class) // arguments may point into the heap
            .invoke(null, abi, moves, result, type, false, 1 << 2, true, false);
    Object access =
        Class.forName("jdk.internal.access.SharedSecrets")
            .getMethod("getJavaLangInvokeAccess")
            .invoke(null);
    return (MethodHandle)
        Class.forName("jdk.internal.access.JavaLangInvokeAccess")
            .getMethod("nativeMethodHandle", entryPoint)
            .invoke(access, made);
  }

  /** Describes general registers, all 64 bits of each. */
  private static Object[] registers(Class<?> storage, int... numbers)
      throws ReflectiveOperationException {
    return storages(storage, INTEGER, (short) 0b1111, numbers);
  }

  /** Makes the JDK's descriptions of storage for values. */
  private static Object[] storages(Class<?> storage, byte kind, short size, int... numbers)
      throws ReflectiveOperationException {
    Constructor<?> constructor = storage.getConstructor(byte.class, short.class, int.class);
    Object[] storages = array(storage, numbers.length);
    for (int i = 0; i < numbers.length; i++) {
      storages[i] = constructor.newInstance(kind, size, numbers[i]);
    }
    return storages;
  }

  private static Object table(Class<?> row, Object[]... rows) {
    Object[] table = array(row, rows.length);
    System.arraycopy(rows, 0, table, 0, rows.length);
    return table;
  }

  /** An array of the JDK's own type. */
  private static Object[] array(Class<?> type, int length) {
    return (Object[]) Array.newInstance(type, length);
  }
}
