package dev.daimon.cli;

import dev.daimon.control.DaemonRegistry;
import dev.daimon.control.NamedDaemon;
import dev.daimon.posix.Pause;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import dev.daimon.startup.StartException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The main class of the runs that train the AOT caches: {@code lib/make-cache}. A cache is made of
 * one run, which is that of a command with a pidfile. This runs before it what a name and a list
 * need besides, in a directory of the training: no command with a name can be run, since those of
 * root have fixed directories.
 */
public final class Training {
  private Training() {}

  /**
   * Runs a command.
   *
   * @param args a directory, then the command and its options
   */
  public static void main(String[] args) {
    // Only a slow start pauses, and it must find the class then, with a child that runs.
    Pause.nanos(1);
    try {
      runNamed(Path.of(args[0]), args[1].equals("start"));
    } catch (IOException | StartException incomplete) {
      // Such as in a directory that is not trusted. The caches then lack what names need: slower,
      // and no more.
      new Terminal(false).error(String.valueOf(incomplete.getMessage()));
    }
    Main.main(Arrays.copyOfRange(args, 1, args.length));
  }

  private static void runNamed(Path directory, boolean start) throws IOException {
    DaemonDirectories directories =
        new DaemonDirectories(directory, directory, directory, directory);
    RequestedDaemon daemon =
        new RequestedDaemon(new NamedDaemon(new DaemonName("web"), directories));
    CommandLine stop = CommandLine.parse(Command.STOP, List.of("-p", "/web.pid"));
    ControlOptions.useDefinition(stop, daemon);
    if (start) {
      CommandLine line = CommandLine.parse(Command.START, List.of("--", "/bin/true"));
      NamedStart named = new NamedStart(daemon, line.effective(), /* save= */ false);
      named.makeDirectories(null).undo(new Throwable());
      named.prepare(
          Path.of("/bin/true"), Map.of(), /* foreground= */ false, /* revocable= */ false);
      named.undo(new Throwable());
    } else {
      ListTable table = new ListTable(new Terminal(false), Integer.MAX_VALUE);
      DaemonRegistry.of(directories).list(table::add);
      boolean _ = table.end();
    }
  }
}
