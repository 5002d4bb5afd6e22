package org.example;

import java.util.List;

final class Main {
  /** Without arguments it is the service, with arguments the manager of the service. */
  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      Example.Service.main(arguments);
    } else {
      System.out.println(Example.await(List.of(arguments)));
    }
  }
}
