package dev.daimon.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A program that inserts a line into its terminal's input; needs a C compiler. */
public final class Typist {
  /** The line that it inserts. */
  public static final String LINE = "typed by the program";

  /** What it prints if it may not, before the number of the error. */
  public static final String REFUSED = "refused: ";

  private static final String SOURCE =
      """
      #include <errno.h>
      #include <stdio.h>
      #include <sys/ioctl.h>
      int main(void) {
        for (const char *c = "%s\\n"; *c; c++) {
          if (ioctl(0, TIOCSTI, c)) {
            printf("%s%%d\\n", errno);
            return 0;
          }
        }
        return 0;
      }
      """
          .formatted(LINE, REFUSED);

  private static final Path LEGACY = Path.of("/proc/sys/dev/tty/legacy_tiocsti");

  private Typist() {}

  /** Compiles the program into a directory, and returns its path. */
  public static Path compiled(Path directory) throws IOException, InterruptedException {
    Path source = Files.writeString(directory.resolve("typist.c"), SOURCE);
    Path program = directory.resolve("typist");
    Command.run("cc", "-o", program.toString(), source.toString());
    return program;
  }

  /** Whether this kernel allows that to a program of a user other than root. */
  public static boolean isAllowed() throws IOException {
    return !Files.exists(LEGACY) || Files.readString(LEGACY).startsWith("1");
  }
}
