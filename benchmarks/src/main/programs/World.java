/** What a JVM costs that does next to nothing. */
class World {
  private World() {}

  public static void main(String[] arguments) {
    System.out.println("Hello");
  }
}
