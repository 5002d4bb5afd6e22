package org.example;

import dev.daimon.posix.Descriptor;

final class Main {
  public static void main(String[] arguments) throws Exception {
    System.out.println(Example.close(Descriptor.adopt(Integer.MAX_VALUE)));
  }
}
