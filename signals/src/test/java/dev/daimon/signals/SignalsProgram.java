package dev.daimon.signals;

import dev.daimon.posix.PosixException;
import dev.daimon.posix.Signal;
import dev.daimon.testing.ChildJvm;
import dev.daimon.testing.Proc;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** A JVM of its own, since what these classes change is the process. */
final class SignalsProgram {
  private SignalsProgram() {}

  /** Runs {@link #main} under a prefix such as {@code nohup}, and returns the lines it prints. */
  static List<String> run(List<String> prefix, String... arguments) throws Exception {
    return ChildJvm.of(SignalsProgram.class).startedBy(prefix).run((Object[]) arguments).lines();
  }

  public static void main(String[] arguments) throws IOException {
    // The JDK takes signal 62 for itself when it first reads through a channel.
    Proc.status("thread-self", "Name");
    switch (arguments[0]) {
      case "reset" -> {
        print("ignored", Dispositions.current().ignored());
        print("caught", Dispositions.current().caught());
        printStatus("SigIgn");
        printStatus("SigCgt");
        Dispositions.resetIgnored();
        print("ignored", Dispositions.current().ignored());
        print("caught", Dispositions.current().caught());
        printStatus("SigIgn");
        printStatus("SigCgt");
      }
      case "ignore" -> {
        print("ignored", Dispositions.current().ignored());
        Dispositions.ignore(Signal.HUP, Signal.INT, Signal.TERM);
        print("ignored", Dispositions.current().ignored());
        printStatus("SigIgn");
        for (Signal signal : List.of(Signal.HUP, Signal.INT, Signal.TERM)) {
          Kill.send(ProcessHandle.current().pid(), signal);
        }
        System.out.println("is still here");
      }
      case "ignore-too-much" -> {
        try {
          Dispositions.ignore(Signal.of(14), Signal.KILL, Signal.USR1);
        } catch (PosixException refused) {
          System.out.println("refused");
        }
        print("ignored", Dispositions.current().ignored());
      }
      case "mask" -> {
        print("blocked", SignalMask.current());
        printStatus("SigBlk");
        SignalMask.clear();
        print("blocked", SignalMask.current());
        printStatus("SigBlk");
        SignalMask.block(Signal.TERM, Signal.of(64), Signal.KILL, Signal.of(32));
        SignalMask.block(Signal.USR2);
        print("blocked", SignalMask.current());
        printStatus("SigBlk");
      }
      case "kill" -> {
        try {
          Kill.send(Long.parseLong(arguments[1]), Signal.TERM);
          System.out.println("sent");
        } catch (PosixException refused) {
          System.out.println(refused.getMessage());
        }
        try {
          int _ = Kill.sendSession(Long.parseLong(arguments[2]), Signal.TERM);
          System.out.println("sent");
        } catch (PosixException refused) {
          System.out.println(refused.getMessage());
        }
      }
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private static void print(String title, Set<Signal> signals) {
    System.out.println(title + " " + hex(bits(signals)));
  }

  static long bits(Set<Signal> signals) {
    long bits = 0;
    for (Signal signal : signals) {
      bits |= 1L << (signal.number() - 1);
    }
    return bits;
  }

  /** What the kernel says of the calling thread. */
  private static void printStatus(String field) throws IOException {
    System.out.println("kernel " + Proc.status("thread-self", field));
  }

  /** A set of signals as the kernel prints it. */
  static String hex(long bits) {
    String digits = Long.toHexString(bits);
    return "0".repeat(16 - digits.length()) + digits;
  }
}
