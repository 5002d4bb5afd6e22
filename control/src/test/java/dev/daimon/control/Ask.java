package dev.daimon.control;

import dev.daimon.posix.PosixException;
import java.nio.file.Path;
import java.time.Duration;

/** A controller in a process of its own, perhaps another user's: says what it is told. */
final class Ask {
  private Ask() {}

  /** What to do, and the pidfile; perhaps a guard. */
  public static void main(String[] arguments) throws Exception {
    DaemonControl control = DaemonControl.of(Path.of(arguments[1]));
    if (arguments.length > 2) {
      control = control.guard(Path.of(arguments[2]));
    }
    try {
      System.out.println(answer(control, arguments[0]));
    } catch (ControlException refused) {
      System.out.println(refused.reason() + ": " + refused.getMessage());
    } catch (PosixException failure) {
      System.out.println(failure.getMessage());
    }
  }

  private static String answer(DaemonControl control, String question) throws Exception {
    return switch (question) {
      case "status" -> text(control.status());
      case "stop" -> control.stop(StopPolicy.DEFAULT).outcome().toString();
      case "stop session" -> control.stop(StopPolicy.DEFAULT.ofWholeSession()).outcome().toString();
      case "stop by pid" -> control.pidOnly().stop(StopPolicy.DEFAULT).outcome().toString();
      case "reload" -> control.reload().toString();
      case "await" -> String.valueOf(control.awaitStop(Duration.ZERO));
      default -> throw new IllegalArgumentException(question);
    };
  }

  private static String text(DaemonStatus status) {
    StringBuilder text = new StringBuilder().append(status.state());
    status.pid().ifPresent(pid -> text.append(", process ").append(pid));
    status.user().ifPresent(user -> text.append(" of ").append(user));
    if (!status.commandLine().isEmpty()) {
      text.append(", ").append(status.commandLine());
    }
    return text.append(": ").append(status.reason()).toString();
  }
}
