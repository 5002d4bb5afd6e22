package dev.daimon.signals;

import dev.daimon.posix.Signal;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;

/** The example of the package's documentation; {@link ExampleTest} runs it. */
final class Example {
  private Example() {}

  /** Says when it handles signals, and what it does on them. */
  public static void main(String[] args) throws IOException, InterruptedException {
    // @start region=handle-signals
    CountDownLatch end = new CountDownLatch(1);
    try (SignalEvents events = new SignalEvents()) {
      events.on(Signal.HUP, signal -> System.out.println("reading the configuration again"));
      events.on(Signal.TERM, signal -> end.countDown());
      System.out.println("serving");
      end.await();
    }
    // @end region=handle-signals
    System.out.println("ended");
  }
}
