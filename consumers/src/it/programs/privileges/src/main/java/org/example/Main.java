package org.example;

import java.nio.file.Path;

final class Main {
  public static void main(String[] arguments) throws Exception {
    System.out.println(Example.read(arguments[0], Path.of(arguments[1])));
  }
}
