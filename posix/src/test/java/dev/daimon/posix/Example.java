package dev.daimon.posix;

/** The example of the package's documentation; {@link ExampleTest} runs it. */
final class Example {
  private Example() {}

  static String close(Descriptor descriptor) throws PosixException {
    // @start region=failed-call
    try {
      descriptor.close();
      return "closed";
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.EBADF)) {
        return "other code has closed descriptor " + failure.subject();
      }
      throw failure;
    }
    // @end region=failed-call
  }
}
