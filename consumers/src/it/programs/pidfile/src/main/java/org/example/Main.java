package org.example;

import java.nio.file.Path;

final class Main {
  public static void main(String[] arguments) throws Exception {
    System.out.println(Example.write(Path.of(arguments[0])));
  }
}
