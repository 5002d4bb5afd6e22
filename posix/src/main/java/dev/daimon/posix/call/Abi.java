package dev.daimon.posix.call;

/** The machine's ABI, where constants of the kernel differ between the two that are supported. */
final class Abi {
  private static final boolean AARCH64 = isAarch64(System.getProperty("os.arch", ""));

  private Abi() {}

  static int either(int x86_64, int aarch64) {
    return AARCH64 ? aarch64 : x86_64;
  }

  private static boolean isAarch64(String arch) {
    return switch (arch) {
      case "amd64", "x86_64" -> false;
      case "aarch64" -> true;
      default -> throw new UnsupportedOperationException("Daimon has no ABI for " + arch);
    };
  }
}
