package org.example;

import dev.daimon.forking.Child;
import java.nio.file.Path;

final class Main {
  public static void main(String[] arguments) throws Exception {
    Child child = Example.start(Path.of(arguments[0]), Path.of(arguments[1]));
    System.out.println(child.pid());
  }
}
