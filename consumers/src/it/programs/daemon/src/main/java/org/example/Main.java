package org.example;

final class Main {
  public static void main(String[] arguments) throws Exception {
    Example.main(arguments);
  }
}
