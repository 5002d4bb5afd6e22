package dev.daimon.cli;

import dev.daimon.forking.Descriptors;
import dev.daimon.forking.Environment;
import dev.daimon.forking.Executable;
import dev.daimon.forking.NotExecutableException;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.posix.Descriptor;
import dev.daimon.posix.PosixException;
import dev.daimon.posix.ResourceLimit;
import dev.daimon.posix.Signal;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.PrivilegeDrop;
import dev.daimon.startup.DaemonFiles;
import dev.daimon.startup.ListenSockets;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The program of a request: its executable, arguments, environment, streams and descriptors. */
final class RequestedProgram {
  private final Request request;
  private final Caller caller;
  private final Path executable;
  private final Environment environment;

  /** The descriptors from 3 up, if some are handed over by number; else null. */
  private final @Nullable ListenPlan listen;

  /** The programs that read the output; null if there is none. */
  private final @Nullable OutputReaders readers;

  private RequestedProgram(
      Request request,
      Caller caller,
      Path executable,
      Environment environment,
      @Nullable ListenPlan listen,
      @Nullable OutputReaders readers) {
    this.request = request;
    this.caller = caller;
    this.executable = executable;
    this.environment = environment;
    this.listen = listen;
    this.readers = readers;
  }

  /**
   * Finds the program, and checks, with the rights that it will have, that it can be executed and
   * that its working directory can be entered.
   *
   * @param identity the user to become, or null
   * @param drop what the program gives up, or null
   */
  static RequestedProgram find(
      Request request, Caller caller, @Nullable Identity identity, @Nullable PrivilegeDrop drop) {
    Environment callers = caller.environment();
    boolean activated = hasListenVariables(callers);
    ListenPlan listen =
        activated || !request.listen.isEmpty() ? ListenPlan.of(request, caller) : null;
    if (activated) {
      callers = ListenPlan.withoutCallers(callers);
    }
    Environment environment = environment(request, callers, identity);
    Path here = request.rootDirectory == null ? caller.directory() : Path.of("/");
    OutputReaders readers =
        request.hasReaders()
            ? OutputReaders.find(request, environment, here, identity, drop)
            : null;
    if (listen != null) {
      environment = listen.addTo(environment);
    }
    byte[] name = Text.bytes(request.command.get(0));
    byte[] searchPath = environment.get("PATH");
    try {
      Path executable;
      if (drop == null) {
        executable = Executable.find(name, searchPath, here);
        Program.checkDirectory(request.directory);
      } else {
        executable =
            drop.accessFiles(() -> {
              Path found = Executable.find(name, searchPath, here);
              Program.checkDirectory(request.directory);
              return found;
            });
      }
      return new RequestedProgram(request, caller, executable, environment, listen, readers);
    } catch (NotExecutableException missing) {
      throw new StartException(Reason.PROGRAM, missing);
    } catch (IOException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** The caller's environment, with the user's own variables and then those of the request. */
  private static Environment environment(
      Request request, Environment callers, @Nullable Identity identity) {
    Environment environment = callers;
    if (identity != null && identity.name().isPresent() && identity.home().isPresent()) {
      environment =
          environment
              .with(Text.bytes("HOME"), identity.home().get())
              .with(Text.bytes("USER"), identity.name().get())
              .with(Text.bytes("LOGNAME"), identity.name().get());
    }
    for (String variable : request.variables) {
      int equals = variable.indexOf('=');
      environment =
          environment.with(
              Text.bytes(variable.substring(0, equals)),
              Text.bytes(variable.substring(equals + 1)));
    }
    return environment;
  }

  /** Whether somebody has handed descriptors over to the caller, or to one of its ancestors. */
  private static boolean hasListenVariables(Environment environment) {
    return environment.get(ListenPlan.PID) != null
        || environment.get(ListenPlan.FDS) != null
        || environment.get(ListenPlan.NAMES) != null;
  }

  /** Checks that the descriptors that the program is to inherit are open. */
  static void checkKeptDescriptors(Request request, Caller caller) {
    int[] open = caller.descriptors();
    for (int number : request.keptDescriptors) {
      if (open != null && Arrays.binarySearch(open, number) < 0) {
        throw new StartException(
            Reason.CONFIGURATION, "--keep-fd " + number + ": no such descriptor is open");
      }
    }
  }

  /** The path of the program. */
  Path executable() {
    return executable;
  }

  /** The program's environment. */
  Environment environment() {
    return environment;
  }

  /** The programs that read the output; null if there is none. */
  @Nullable OutputReaders readers() {
    return readers;
  }

  /** The program with the caller's standard streams. */
  Program withCallersStreams() {
    return program(null, null, Redirect.inherit(), Redirect.inherit(), Redirect.inherit());
  }

  /**
   * The program with the daemon's files: its output files, and its locks kept open; and with the
   * sockets of {@code --listen}, if there are any.
   */
  Program with(DaemonFiles files, @Nullable ListenSockets sockets) {
    return with(files, sockets, files.lockDescriptors());
  }

  /** The program with other locks kept open than those of the files. */
  Program with(DaemonFiles files, @Nullable ListenSockets sockets, List<Descriptor> locks) {
    Redirect unset = request.foreground ? Redirect.inherit() : nullDevice();
    return program(
        locks,
        sockets,
        unset,
        redirect(request.outputCommand, files.standardOutput(), unset),
        redirect(request.errorCommand, files.standardError(), unset));
  }

  private Program program(
      @Nullable List<Descriptor> locks,
      @Nullable ListenSockets sockets,
      Redirect input,
      Redirect output,
      Redirect error) {
    List<byte[]> arguments = new ArrayList<>();
    for (String argument : request.command.subList(1, request.command.size())) {
      arguments.add(Text.bytes(argument));
    }
    String name = request.programName == null ? request.command.get(0) : request.programName;
    Program program =
        Program.at(executable)
            .name(Text.bytes(name))
            .arguments(arguments)
            .environment(environment)
            .directory(request.directory)
            .standardInput(input)
            .standardOutput(output)
            .standardError(error);
    if (locks != null && listen != null) {
      listen.place(program, sockets, locks);
    } else if (locks != null) {
      for (Descriptor descriptor : locks) {
        keepLock(program, descriptor);
      }
    }
    for (int number : request.keptDescriptors) {
      program.keep(number);
    }
    for (ResourceLimit limit : request.limits) {
      program.limit(limit);
    }
    if (!request.closeDescriptors) {
      keepAll(program);
    }
    if (readers != null && !request.sigpipe) {
      program.ignore(Signal.PIPE);
    }
    return program;
  }

  /** Keeps a lock, under another number if the program gets something else under this one. */
  private void keepLock(Program program, Descriptor lock) {
    if (!request.places(lock.number())) {
      program.keep(lock);
      return;
    }
    try {
      // The duplicate is open until this JVM ends, which is soon after the start.
      program.keep(lock.duplicate());
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  /** The null device; opened here if the program's root directory may have none. */
  Redirect nullDevice() {
    if (request.rootDirectory == null) {
      return Redirect.nullDevice();
    }
    try {
      return Redirect.to(Descriptors.openNullDevice());
    } catch (PosixException failure) {
      throw new StartException(Reason.SYSTEM, failure);
    }
  }

  private Redirect redirect(
      @Nullable OutputCommand command, @Nullable Descriptor descriptor, Redirect unset) {
    if (command != null && readers != null) {
      return readers.to(command);
    }
    return descriptor == null ? unset : Redirect.to(descriptor);
  }

  /** Keeps all descriptors of the caller, and none of the JVM's if they can be told apart. */
  private void keepAll(Program program) {
    int[] descriptors = caller.descriptors();
    if (descriptors == null) {
      program.closeOtherDescriptors(false);
      return;
    }
    for (int number : descriptors) {
      if (number > 2 && !request.places(number)) {
        program.keep(number);
      }
    }
  }
}
