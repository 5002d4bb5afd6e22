package dev.daimon.cli;

import dev.daimon.control.ReadyCondition;
import dev.daimon.control.ReadyCondition.Alive;
import dev.daimon.control.ReadyCondition.Line;
import dev.daimon.control.ReadyCondition.Newline;
import dev.daimon.control.ReadyCondition.Notify;
import dev.daimon.control.ReadyCondition.Tcp;
import dev.daimon.control.ReadyCondition.Unix;
import dev.daimon.control.ReadyCondition.Written;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.startup.FilePurposes;
import dev.daimon.startup.StartException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The value of {@code --ready}: what it means, and which other options it excludes or needs. */
final class ReadyOption {
  /** Each number below that of the descriptor is closed in the program one by one. */
  private static final int LAST_DESCRIPTOR = 1023;

  private static final String VALUES =
      "--ready wants exec, alive:T, notify, notify:all, fd:N, tcp:[HOST:]PORT, unix:PATH,"
          + " file:PATH, log:TEXT or exit, not \"";

  private final CommandLine line;
  private final String value;

  private ReadyOption(CommandLine line, String value) {
    this.line = line;
    this.value = value;
  }

  /** Reads {@code --ready} or {@code --wait}, of which one is given. */
  static void read(CommandLine line, Request request) {
    String value = line.value(CommandOption.READY);
    if (value == null) {
      request.ready = alive(line.time(CommandOption.ALIVE));
      return;
    }
    if (line.has(CommandOption.ALIVE)) {
      throw line.usage("--ready and --wait exclude each other: --wait T is --ready alive:T");
    }
    if (value.equals("exit")) {
      request.self = true;
    } else if (!value.equals("exec")) {
      request.ready = new ReadyOption(line, value).condition();
    }
  }

  private static ReadyCondition alive(@Nullable Duration time) {
    return new Alive(Objects.requireNonNull(time));
  }

  private ReadyCondition condition() {
    if (value.equals("notify") || value.equals("notify:all")) {
      return new Notify(value.endsWith(":all"));
    }
    int colon = value.indexOf(':');
    String rest = value.substring(colon + 1);
    return switch (value.substring(0, colon + 1)) {
      case "alive:" -> new Alive(time(rest));
      case "fd:" -> new Newline(number(rest, ReadyCondition.FIRST_DESCRIPTOR, LAST_DESCRIPTOR));
      case "tcp:" -> tcp(rest);
      case "unix:" -> new Unix(path(rest));
      case "file:" -> new Written(path(rest));
      case "log:" -> new Line(text(rest));
      default -> throw line.usage(VALUES + Text.readable(value) + "\"");
    };
  }

  private Duration time(String text) {
    Duration time = CommandLine.duration(text);
    if (time == null) {
      throw wrong("wants a time such as 10s, 500ms or 2m after alive:");
    }
    return time;
  }

  private int number(String text, int min, int max) {
    int number = CommandLine.digits(text, 9);
    if (number < min || number > max) {
      throw wrong("wants a number from " + min + " to " + max);
    }
    return number;
  }

  private ReadyCondition tcp(String text) {
    int port = TcpPlace.port(text);
    if (port < 0) {
      throw wrong("wants a number from 1 to " + ReadyCondition.LAST_PORT);
    }
    String host = TcpPlace.host(text);
    if (host == null) {
      return new Tcp(Optional.empty(), port);
    }
    InetAddress address = TcpPlace.address(host);
    if (address == null) {
      throw wrong("wants an address before the port, such as 127.0.0.1 or [::1], and no name");
    }
    return new Tcp(Optional.of(address), port);
  }

  private Path path(String text) {
    if (!text.startsWith("/") || text.endsWith("/")) {
      throw wrong("wants the absolute path of a file");
    }
    return Text.path(text);
  }

  private String text(String text) {
    if (text.isEmpty() || text.indexOf('\n') >= 0) {
      throw wrong("wants a text within a line after log:");
    }
    return text;
  }

  private StartException wrong(String message) {
    return line.usage("--ready " + message + ", not \"" + Text.readable(value) + "\"");
  }

  /** Checks the options that exclude a condition, or that it needs. */
  static void check(CommandLine line, Request request) {
    String option = line.has(CommandOption.ALIVE) ? "--wait" : "--ready";
    request.readyWords = words(line, request);
    if (request.foreground) {
      throw line.usage(
          option
              + " and --foreground exclude each other: nobody waits for a program in the"
              + " foreground");
    }
    if (request.self) {
      throw line.usage(option + " and --self exclude each other: --self is --ready exit");
    }
    switch (request.ready) {
      case Alive _ -> {
        if (line.has(CommandOption.READY_TIMEOUT) || line.has(CommandOption.START_TIMEOUT)) {
          throw line.usage("--ready-timeout is not for alive: its time is the wait");
        }
      }
      case Newline newline -> {
        if (request.keptDescriptors.contains(newline.descriptor())) {
          throw line.usage(
              "--ready fd:" + newline.descriptor() + " and --keep-fd name the same descriptor");
        }
      }
      case Notify _ -> {
        for (String variable : request.variables) {
          if (variable.startsWith("NOTIFY_SOCKET=")) {
            throw line.usage("--ready notify sets NOTIFY_SOCKET itself");
          }
        }
      }
      case Line _ -> {
        if (request.standardOutput == null && request.standardError == null) {
          throw line.usage(
              "--ready log: needs --stdout or --stderr with a file: it reads that file");
        }
      }
      case Tcp tcp -> {
        for (ListenAddress address : request.listen) {
          if (isOpenedBy(address, tcp)) {
            throw openedBefore(line, address.toString());
          }
        }
      }
      // checkFile judges their paths, with those of all files.
      case Unix _ -> {}
      case Written _ -> {}
      case null -> throw new IllegalArgumentException("no condition");
    }
  }

  /** Whether the socket of an address makes this condition true. */
  private static boolean isOpenedBy(ListenAddress address, Tcp tcp) {
    InetAddress host = address.host();
    return address.path() == null
        && address.port() == tcp.port()
        && (host == null
            || tcp.address().isEmpty()
            || tcp.address().get().equals(host)
            || (host.isAnyLocalAddress()
                && (host instanceof Inet6Address || tcp.address().get() instanceof Inet4Address)));
  }

  private static StartException openedBefore(CommandLine line, String address) {
    return line.usage(
        "--ready and --listen "
            + address
            + " exclude each other: that socket is open before the program starts; use --ready"
            + " notify");
  }

  /** Refuses a file that the command itself makes or writes, so that it says nothing. */
  static void checkFile(CommandLine line, ReadyCondition condition, FilePurposes purposes) {
    FilePurposes.Purpose own = purposes.add("--ready", file(condition), /* output= */ false);
    if (own == null) {
      return;
    }
    boolean socket = condition instanceof Unix;
    if (socket && own.name().equals(CommandOption.LISTEN.toString())) {
      throw openedBefore(line, "unix:" + own.path());
    }
    throw line.usage(
        "--ready "
            + (socket ? "unix:" : "file:")
            + " and "
            + own.name()
            + " are the same file, "
            + own.path()
            + ": the command itself uses it"
            + (own.output() ? "; --ready log: reads what the program prints" : ""));
  }

  /** The file that a condition is about; null for none. */
  private static @Nullable Path file(ReadyCondition condition) {
    if (condition instanceof Unix unix) {
      return unix.path();
    }
    return condition instanceof Written written ? written.path() : null;
  }

  /** Refuses what the old daemon can bring about while it runs beside the new one. */
  static void checkOverlap(CommandLine line, ReadyCondition condition) {
    if (condition instanceof Line || condition instanceof Written) {
      throw line.usage(
          "--overlap and --ready "
              + (condition instanceof Line ? "log:" : "file:")
              + " exclude each other: what the old daemon writes would count");
    }
  }

  private static String words(CommandLine line, Request request) {
    String typed = line.value(CommandOption.READY);
    if (typed == null) {
      typed = "alive:" + line.value(CommandOption.ALIVE);
    }
    return Text.readable(typed)
        + (request.ready instanceof Alive ? "" : ", within " + words(request.startTimeout));
  }

  /** A time in words, such as {@code 30 s}. */
  static String words(Duration time) {
    long millis = time.toMillis();
    return millis % 1000 == 0 ? millis / 1000 + " s" : millis / 1000.0 + " s";
  }
}
