package org.example;

final class Main {
  public static void main(String[] arguments) throws Exception {
    Process process = new ProcessBuilder("sleep", "1000").start();
    System.out.println(Example.describe(process.pid()));
    Example.stop(process.toHandle());
    System.out.println(process.waitFor());
  }
}
