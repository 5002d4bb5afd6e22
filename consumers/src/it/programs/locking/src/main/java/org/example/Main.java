package org.example;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

final class Main {
  public static void main(String[] arguments) throws Exception {
    Path path = Path.of(arguments[0]);
    Example.acquire(path, () -> tryAgain(path));
  }

  private static void tryAgain(Path path) {
    try {
      Example.holders(path);
      Example.acquire(path, () -> System.out.println("two have the lock"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
