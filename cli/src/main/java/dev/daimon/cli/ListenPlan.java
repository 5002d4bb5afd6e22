package dev.daimon.cli;

import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.posix.Descriptor;
import dev.daimon.readiness.ListenAddress;
import dev.daimon.readiness.ListenDescriptors;
import dev.daimon.startup.ListenSockets;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors that a program gets from 3 up, as systemd hands them over: first those that this
 * command was activated with, then the sockets of {@code --listen}.
 *
 * <p>The command was activated if {@code LISTEN_PID} is its own process id: the launcher script's,
 * or, in the foreground, that of the process that becomes the program.
 */
final class ListenPlan {
  static final String PID = "LISTEN_PID";
  static final String FDS = "LISTEN_FDS";
  static final String NAMES = "LISTEN_FDNAMES";
  private static final String PIDFD_ID = "LISTEN_PIDFDID";
  private static final int FIRST = ListenDescriptors.FIRST;

  private final Request request;
  private final Caller caller;

  /** How many descriptors were inherited by activation. */
  private final int inherited;

  /** The names of all descriptors, separated by colons; null if there are no new ones. */
  private final @Nullable String names;

  private ListenPlan(Request request, Caller caller, int inherited, @Nullable String names) {
    this.request = request;
    this.caller = caller;
    this.inherited = inherited;
    this.names = names;
  }

  /** What a request hands over; null for nothing. */
  static @Nullable ListenPlan of(Request request, Caller caller) {
    // A program that daemonizes itself forks, and LISTEN_PID would be wrong.
    int inherited = request.self ? 0 : inherited(caller);
    int count = inherited + request.listen.size();
    if (count == 0) {
      return null;
    }
    ListenPlan plan = new ListenPlan(request, caller, inherited, names(request, caller, inherited));
    plan.requireFree(count);
    return plan;
  }

  /** How many descriptors this command was activated with. */
  private static int inherited(Caller caller) {
    if (!text(caller.environment(), PID).equals(Long.toString(caller.id()))) {
      return 0;
    }
    String text = text(caller.environment(), FDS);
    int count = -1;
    try {
      count = Integer.parseInt(text);
    } catch (NumberFormatException noNumber) {
      count = -1;
    }
    if (count < 0 || text.startsWith("+") || count > Integer.MAX_VALUE - FIRST) {
      throw new StartException(
          Reason.CONFIGURATION,
          FDS + " is no number of descriptors: \"" + Text.readable(text) + "\"");
    }
    for (int number = FIRST; number < FIRST + count; number++) {
      if (!isOpen(caller, number)) {
        throw new StartException(
            Reason.CONFIGURATION,
            FDS + " is " + count + ", but descriptor " + number + " is closed");
      }
    }
    return count;
  }

  private static boolean isOpen(Caller caller, int number) {
    int[] open = caller.descriptors();
    if (open != null) {
      return Arrays.binarySearch(open, number) >= 0;
    }
    return Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS);
  }

  private static String text(Environment environment, String name) {
    byte[] value = environment.get(name);
    return value == null ? "" : Text.ofBytes(value);
  }

  private static @Nullable String names(Request request, Caller caller, int inherited) {
    if (request.listen.isEmpty()) {
      return null;
    }
    StringBuilder names = new StringBuilder();
    String[] given = text(caller.environment(), NAMES).split(":", -1);
    for (int i = 0; i < inherited; i++) {
      boolean named = given.length == inherited && !given[i].isEmpty();
      names.append(names.isEmpty() ? "" : ":").append(named ? given[i] : ListenAddress.UNNAMED);
    }
    for (ListenAddress address : request.listen) {
      names.append(names.isEmpty() ? "" : ":").append(address.name());
    }
    return names.toString();
  }

  /** Refuses numbers that the program is to have for something else. */
  private void requireFree(int count) {
    for (int number : request.keptDescriptors) {
      if (number >= FIRST + inherited && number < FIRST + count) {
        throw new StartException(
            Reason.CONFIGURATION,
            "--keep-fd "
                + number
                + " and --listen exclude each other: the sockets of --listen get"
                + " the numbers from "
                + (FIRST + inherited)
                + " to "
                + (FIRST + count - 1));
      }
    }
    for (int number = FIRST; number < FIRST + count; number++) {
      if (request.places(number)) {
        throw new StartException(
            Reason.CONFIGURATION,
            "--ready fd:"
                + number
                + " has the number of a socket: those have the numbers from 3 to "
                + (FIRST + count - 1));
      }
    }
    int[] open = request.closeDescriptors ? null : caller.descriptors();
    for (int number = FIRST + inherited; open != null && number < FIRST + count; number++) {
      if (Arrays.binarySearch(open, number) >= 0) {
        throw new StartException(
            Reason.CONFIGURATION,
            "--no-close-fds and --listen exclude each other here: the caller has descriptor "
                + number
                + " open, which a socket of --listen is to get");
      }
    }
  }

  /** The caller's environment without what was said to the caller alone. */
  static Environment withoutCallers(Environment environment) {
    return environment.without(PID).without(FDS).without(NAMES).without(PIDFD_ID);
  }

  /** The variables for the program, but for its process id. */
  Environment addTo(Environment environment) {
    Environment all = environment.with(FDS, Integer.toString(inherited + request.listen.size()));
    byte[] callersNames = caller.environment().get(NAMES);
    if (names != null) {
      return all.with(Text.bytes(NAMES), names.getBytes(StandardCharsets.ISO_8859_1));
    }
    return callersNames == null ? all : all.with(Text.bytes(NAMES), callersNames);
  }

  /**
   * Gives the program its descriptors.
   *
   * @param sockets the sockets of {@code --listen}; null for none
   * @param locks the locks that it keeps open, under any numbers
   */
  void place(Program program, @Nullable ListenSockets sockets, List<Descriptor> locks) {
    int number = FIRST;
    for (int i = 0; i < inherited; i++) {
      program.keep(number++);
    }
    if (sockets != null) {
      for (Descriptor socket : sockets.descriptors()) {
        program.place(socket, number++);
      }
    }
    // A lock's own number may be one of those.
    for (Descriptor lock : locks) {
      while (isTaken(number)) {
        number++;
      }
      program.place(lock, number++);
    }
    program.pidVariable(PID);
  }

  /** Whether the program has something of the caller's under this number. */
  private boolean isTaken(int number) {
    int[] open = request.closeDescriptors ? null : caller.descriptors();
    return request.keptDescriptors.contains(number)
        || request.places(number)
        || (open != null && Arrays.binarySearch(open, number) >= 0);
  }
}
