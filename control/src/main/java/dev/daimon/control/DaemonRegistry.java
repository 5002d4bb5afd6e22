package dev.daimon.control;

import dev.daimon.control.DaemonStatus.State;
import dev.daimon.pidfd.ProcessInfo;
import dev.daimon.posix.DirectoryNames;
import dev.daimon.posix.Errno;
import dev.daimon.posix.PosixException;
import dev.daimon.privileges.Identity;
import dev.daimon.privileges.Ownership;
import dev.daimon.startup.DaemonDirectories;
import dev.daimon.startup.DaemonName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The daemons that have a name, of one user: finds one, and lists all.
 *
 * <p>A daemon is in the list if it has a definition, or a pidfile whose daemon is not {@linkplain
 * State#NOT_RUNNING stopped}, or a process that has {@linkplain NamedDaemon#lost() lost its
 * pidfile}: then its state is {@link State#UNKNOWN}. Files in the directories whose names are no
 * daemon's are passed over. The registry changes nothing, and takes no lock.
 *
 * <p>Root may list the daemons of a user, whatever that user has put into the directories: links
 * and FIFOs are not followed and not waited for, and a pidfile that others may have put there, or
 * that names a process of another user, is an entry with the state {@link State#UNKNOWN}, without a
 * description of the process.
 *
 * <p>Immutable, and safe for use by several threads.
 */
public final class DaemonRegistry {
  /** The most daemons in a list: a user may fill a directory with names. */
  private static final int MAX_NAMES = 100_000;

  /** How many daemons are examined before they are told, so that few of them are in memory. */
  private static final int BATCH = 500;

  /** From how many daemons on a second thread is a gain. */
  private static final int WORTH_A_THREAD = 20;

  /** How much of a command line is kept, in characters. */
  private static final int MAX_COMMAND = 4096;

  private static final String PIDFILE = ".pid";
  private static final String DEFINITION = ".conf";
  private static final String RECORD = ".started";

  private final DaemonDirectories directories;

  private DaemonRegistry(DaemonDirectories directories) {
    this.directories = directories;
  }

  /**
   * Returns the registry of the effective user's daemons.
   *
   * @return the registry
   * @throws dev.daimon.startup.StartException as {@link DaemonDirectories#ofCaller}
   */
  public static DaemonRegistry ofCaller() {
    return new DaemonRegistry(DaemonDirectories.ofCaller());
  }

  /**
   * Returns the registry of the daemons that have their files in these directories.
   *
   * @param directories the directories, which need not exist
   * @return the registry
   */
  public static DaemonRegistry of(DaemonDirectories directories) {
    return new DaemonRegistry(Objects.requireNonNull(directories, "directories"));
  }

  /** {@return the directories of the daemons' files} */
  public DaemonDirectories directories() {
    return directories;
  }

  /**
   * Returns the daemon of a name. This opens nothing: the daemon need not run, nor be defined.
   *
   * @param name the name
   * @return the daemon
   */
  public NamedDaemon find(DaemonName name) {
    return new NamedDaemon(name, directories);
  }

  /**
   * Lists the daemons, sorted by name.
   *
   * <p>Race: the daemons are examined one after the other, and each may start or end before this
   * method returns. One whose files come or go meanwhile may be missing.
   *
   * @return the daemons. One whose pidfile cannot be read has the state {@link State#UNKNOWN}, and
   *     the reason in words; so have those that are left after 30 s. Of a command line of more than
   *     4096 characters there are the first words
   * @throws IOException if a directory exists and cannot be read; if it has more than 100000
   *     daemons; if this process is root, and others than root and the directory's owner may
   *     exchange it
   */
  public List<ListedDaemon> list() throws IOException {
    List<ListedDaemon> list = new ArrayList<>();
    list(list::add);
    return List.copyOf(list);
  }

  /**
   * Lists the daemons as {@link #list()} does, one at a time: a user can make the list, and the
   * command lines in it, longer than there is memory for.
   *
   * @param consumer gets each daemon when it has been examined
   * @throws IOException as {@link #list()}, before the first one
   */
  public void list(Consumer<ListedDaemon> consumer) throws IOException {
    Objects.requireNonNull(consumer, "consumer");
    Map<DaemonName, NamedDaemon> daemons = new TreeMap<>();
    Path records = directories.records();
    for (Path runtime : directories.runtimes()) {
      // A pidfile that is there is not looked for again in the other directories.
      DaemonDirectories there =
          new DaemonDirectories(runtime, directories.logs(), directories.definitions(), records);
      // Root's records are beside the pidfiles: one directory is read once.
      collect(daemons, there, runtime, PIDFILE, runtime.equals(records) ? RECORD : PIDFILE);
    }
    if (!directories.runtimes().contains(records)) {
      collect(daemons, directories, records, RECORD, RECORD);
    }
    Map<DaemonName, NamedDaemon> defined = definedDaemons();
    for (NamedDaemon daemon : defined.values()) {
      daemons.putIfAbsent(daemon.name(), daemon);
    }
    List<NamedDaemon> all = new ArrayList<>(daemons.values());
    try (ListScope scope = new ListScope()) {
      for (int start = 0; start < all.size(); start += BATCH) {
        int end = Math.min(all.size(), start + BATCH);
        Batch batch = new Batch(all.subList(start, end), defined, scope);
        for (ListedDaemon daemon : batch.examined()) {
          if (daemon.defined() || daemon.status().state() != State.NOT_RUNNING) {
            consumer.accept(daemon);
          }
        }
      }
    }
  }

  /**
   * Returns the daemons that have a definition, be it right or wrong, sorted by name.
   *
   * @return the names
   * @throws IOException as {@link #list()}
   */
  public List<DaemonName> defined() throws IOException {
    return List.copyOf(definedDaemons().keySet());
  }

  private Map<DaemonName, NamedDaemon> definedDaemons() throws IOException {
    Map<DaemonName, NamedDaemon> defined = new TreeMap<>();
    collect(defined, directories, directories.definitions(), DEFINITION, DEFINITION);
    return defined;
  }

  /** Some daemons of a list, examined by two threads. */
  private static final class Batch implements Runnable {
    private final List<NamedDaemon> daemons;
    private final Map<DaemonName, NamedDaemon> defined;
    private final ListScope scope;
    private final ListedDaemon[] examined;
    private final AtomicInteger next = new AtomicInteger();

    Batch(List<NamedDaemon> daemons, Map<DaemonName, NamedDaemon> defined, ListScope scope) {
      this.daemons = daemons;
      this.defined = defined;
      this.scope = scope;
      examined = new ListedDaemon[daemons.size()];
    }

    /** The daemons, in their order. */
    List<ListedDaemon> examined() {
      Thread helper = daemons.size() < WORTH_A_THREAD ? null : startHelper();
      run();
      if (helper != null) {
        join(helper);
      }
      return Arrays.asList(examined);
    }

    /** Starts the second thread; null if it cannot be started. */
    private @Nullable Thread startHelper() {
      Thread helper = new Thread(this, "daimon-list");
      helper.setDaemon(true);
      try {
        helper.start();
        return helper;
      } catch (OutOfMemoryError scarce) {
        return null;
      }
    }

    @Override
    public void run() {
      int index;
      while ((index = next.getAndIncrement()) < examined.length) {
        NamedDaemon daemon = daemons.get(index);
        boolean isDefined = defined.containsKey(daemon.name());
        examined[index] =
            scope.isLate()
                ? unknown(daemon, isDefined, "not examined: the list takes too long")
                : examine(daemon, isDefined, scope);
      }
    }
  }

  /** Waits for the end of a thread; an interrupt stays for the caller. */
  private static void join(Thread helper) {
    boolean interrupted = false;
    while (helper.isAlive()) {
      try {
        helper.join();
      } catch (InterruptedException later) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Adds the daemons that have a file in a directory whose name ends with one of two suffixes,
   * unless they are there.
   */
  private static void collect(
      Map<DaemonName, NamedDaemon> daemons,
      DaemonDirectories directories,
      Path directory,
      String suffix,
      String other)
      throws IOException {
    try {
      requireTrust(directory);
    } catch (NoSuchFileException none) {
      return;
    } catch (PosixException failure) {
      if (failure.errno().equals(Errno.ENOENT)) {
        return;
      }
      throw failure;
    }
    try (DirectoryNames files = new DirectoryNames(directory)) {
      String file;
      while ((file = files.next()) != null) {
        DaemonName name =
            file.endsWith(suffix)
                ? name(file, suffix)
                : file.endsWith(other) ? name(file, other) : null;
        if (name != null) {
          daemons.putIfAbsent(name, new NamedDaemon(name, directories));
          if (daemons.size() > MAX_NAMES) {
            throw new IOException(directory + " has more than " + MAX_NAMES + " daemons");
          }
        }
      }
    }
  }

  /** Requires that the names which root reads are those of the directory's owner. */
  private static void requireTrust(Path directory) throws IOException {
    if (Identity.effectiveUser() == 0
        && Files.getAttribute(directory, "unix:uid") instanceof Integer owner
        && !Ownership.mayTrust(directory, Integer.toUnsignedLong(owner))) {
      if (!Files.isDirectory(directory)) {
        throw new PosixException("open", directory.toString(), Errno.ENOTDIR);
      }
      throw new IOException(
          directory
              + " is not read as root: it leads to files of user "
              + Integer.toUnsignedString(owner)
              + ", and others than root and that user may exchange it");
    }
  }

  /** The daemon that has this file; null if its name is no daemon's. */
  private static @Nullable DaemonName name(String file, String suffix) {
    try {
      return new DaemonName(file.substring(0, file.length() - suffix.length()));
    } catch (IllegalArgumentException none) {
      return null;
    }
  }

  /** Says that the daemon runs though its pidfile is gone or another file; null if not. */
  private static @Nullable String lost(NamedDaemon daemon) {
    try {
      StartRecord process = daemon.lost().orElse(null);
      return process == null
          ? null
          : "the pidfile is gone or was replaced, but process "
              + process.pid()
              + ", which was started, still runs";
    } catch (IOException unknown) {
      return null;
    }
  }

  private static ListedDaemon examine(NamedDaemon daemon, boolean defined, ListScope scope) {
    Path pidFile = daemon.pidFile();
    try (ProbeResult probe =
        Probe.at(pidFile, Guard.beside(pidFile), /* pidOnly= */ false, scope)) {
      String distrust = probe.distrust();
      if (distrust != null) {
        return unknown(daemon, defined, distrust);
      }
      String lost = probe.state() == State.RUNNING ? null : lost(daemon);
      if (lost != null) {
        return unknown(daemon, defined, lost);
      }
      ProcessInfo info = probe.state() == State.RUNNING ? probe.info() : null;
      String user = info == null ? null : scope.userName(info.user());
      return new ListedDaemon(
          daemon,
          defined,
          DaemonControl.status(
              probe, pidFile, user, info == null ? List.of() : command(info), List.of()),
          info == null ? OptionalLong.empty() : OptionalLong.of(info.memory()));
    } catch (IOException failure) {
      String lost = lost(daemon);
      return unknown(daemon, defined, lost == null ? String.valueOf(failure.getMessage()) : lost);
    }
  }

  /** The first words of the command line. */
  private static List<String> command(ProcessInfo info) {
    int length = 0;
    List<String> words = info.commandLine();
    for (int i = 0; i < words.size(); i++) {
      length += words.get(i).length() + 1;
      if (length > MAX_COMMAND) {
        // A list of its own: the other words are not kept.
        return i == 0
            ? List.of(words.get(0).substring(0, MAX_COMMAND))
            : List.copyOf(words.subList(0, i));
      }
    }
    return words;
  }

  private static ListedDaemon unknown(NamedDaemon daemon, boolean defined, String reason) {
    return new ListedDaemon(
        daemon, defined, DaemonStatus.unknown(daemon.pidFile(), reason), OptionalLong.empty());
  }
}
