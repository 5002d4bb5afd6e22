package dev.daimon.posix.call;

/** The machine's ABI: chooses between constants that differ on the two supported architectures. */
final class Abi {
  private static final String ARCH = System.getProperty("os.arch", "");
  private static final boolean AARCH64 = ARCH.equals("aarch64");

  private Abi() {}

  static int either(int x86_64, int aarch64) {
    return AARCH64 ? aarch64 : x86_64;
  }

  /** Whether the machine has one of the two architectures; otherwise every call fails. */
  static boolean isSupported() {
    return AARCH64 || ARCH.equals("amd64") || ARCH.equals("x86_64");
  }
}
