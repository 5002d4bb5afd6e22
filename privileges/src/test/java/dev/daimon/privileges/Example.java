package dev.daimon.privileges;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The examples of the package's documentation; {@link ExampleTest} runs them. */
final class Example {
  private Example() {}

  static String read(String user, Path file) throws IOException {
    // @start region=access-files
    Identity identity = Identity.of(user, null);
    return identity.accessFiles(() -> Files.readString(file));
    // @end region=access-files
  }

  /** Gives up root in this process for good. */
  static final class Drop {
    public static void main(String[] args) throws IOException {
      String user = args[0];
      // @start region=drop-privileges
      PrivilegeDrop.builder()
          .identity(Identity.of(user, null))
          .noNewPrivileges()
          .build()
          .applyToProcess();
      // @end region=drop-privileges
      System.out.println(Identity.effectiveUser());
    }
  }
}
