package dev.daimon.examples;

/** An agent that says that it is there. */
final class Agent {
  private Agent() {}

  public static void premain(String options) {
    System.out.println("agent " + options);
  }
}
