package org.example;

import dev.daimon.control.DaemonControl;
import java.nio.file.Path;

final class Main {
  public static void main(String[] arguments) throws Exception {
    Path pidFile = Path.of(arguments[0]);
    DaemonControl control = DaemonControl.of(pidFile);
    System.out.println(Example.start(pidFile));
    System.out.println(Example.status(control));
    System.out.println(Example.stop(control).signals());
    System.out.println(Example.status(control));
  }
}
