package dev.daimon.examples;

/** An agent that prints that it was loaded. */
final class Agent {
  private Agent() {}

  public static void premain(String options) {
    System.out.println("agent " + options);
  }
}
