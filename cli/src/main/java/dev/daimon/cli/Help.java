package dev.daimon.cli;

import org.jspecify.annotations.Nullable;

/** What {@code --help} prints: 80 columns wide. */
final class Help {
  private static final String OVERVIEW =
      """
      Usage: daimon COMMAND [options]

        daimon start -p /run/web.pid -o /var/log/web.log -- /usr/bin/web --port 80

        daimon start [options] -- PROGRAM [ARG...]  daemonize; return when it runs
        daimon run   [options] -- PROGRAM [ARG...]  the same in the foreground: this
                                                    process becomes PROGRAM
        daimon restart -p FILE [options] -- PROGRAM [ARG...]
        daimon stop    -p FILE                      end it, wait until it has ended
        daimon status  -p FILE                      does it run?
        daimon reload  -p FILE                      send it HUP
        daimon signal  -p FILE SIGNAL               send it any signal
        daimon wait    -p FILE                      wait until it has ended
        daimon help COMMAND                         the options
        daimon --version

      Exit codes: 0 it runs (stop, wait: it does not), 64 usage, 66 program missing or
      not executable, 67 no such user or group, 69 already running, 70 not started,
      71 a system call failed, 73 a file cannot be created, opened, locked or given
      away, 75 not in time, 77 no permission; and as init scripts have it: 1 dead, but
      a pidfile is left, 3 not running, 4 it cannot be told which process it is
      """;

  private static final String START =
      """

        -p, --pidfile PATH     write the daemon's pid there; locked for its life
        -l, --lock PATH        hold a second lock, on a file of its own
            --no-lock          a pidfile without a lock
        -c, --chdir PATH       working directory (default: /)
        -m, --umask MODE       octal (default: 022)
        -o, --stdout PATH      output file (default: %s)
        -e, --stderr PATH      error file (default: where -o goes; x.stderr beside
                               x.stdout, x.err beside x.out)
            --truncate         empty the output files first; without it they are
                               appended to, so that a restart after a crash keeps
                               the log that says why it crashed
        -a, --append           accepted, and the default
        -u, --user USER[:GROUP]
                               become this user (and group): name, number or
                               #number; HOME, USER and LOGNAME are set to match
        -g, --group GROUP      become this group: name, number or #number
            --groups LIST|none its supplementary groups, instead of the user's own
            --pidfile-owner root|user
                               with -u or -g: whose pidfile and lock file are
                               (default: user); root needs a directory of root's
            --chroot PATH      its root directory; -c and PROGRAM are in there
            --rlimit NAME=SOFT[:HARD]
                               limit a resource, such as nofile=1024:4096
                               (repeatable; of one resource the last one holds)
            --nice N           its niceness, from -20 to 19
            --oom-score-adj N  how soon it is killed for memory: -1000 to 1000
            --no-new-privs     let it gain nothing by set-id programs
            --keep-cap NAME|none
                               keep this capability, such as NET_BIND_SERVICE, and
                               give up all that are not named (repeatable)
            --no-close-fds     let the program inherit every descriptor
            --keep-fd N        let it inherit this one (repeatable)
        -E, --env NAME=VALUE   set a variable (repeatable); NAME alone is empty
        -n, --name ARGV0       the program's name for itself
        -v, --verbose          say each step on standard error
      """;

  private static final String FOREGROUND =
      """
        -f, --foreground       do what "daimon run" does
            --dry-run          check everything, print the plan, change nothing
      """;

  private static final String OKNODO =
      """
            --oknodo           that it runs already is success: exit code 0, not 69
      """;

  private static final String SELF =
      """
            --self             PROGRAM daemonizes itself and locks the pidfile: run
                               it, and wait until it has done so
            --start-timeout T  how long that may take (default: 30s)
      """;

  private static final String STOP =
      """
            --signal SIGNAL    the first signal (default: TERM)
            --timeout T        how long to wait after it (default: 30s)
            --then SIGNAL:T    the next signal, and how long to wait then (repeatable;
                               default: KILL:5s; none: give up)
            --session          stop every process of the daemon's session
      """;

  private static final String PID_FILE =
      """

        -p, --pidfile PATH     the daemon's pidfile
      """;

  private static final String GUARD =
      """
            --guard PATH       lock this file meanwhile, so that one at a time starts
                               or stops the daemon (default: x.guard beside x.pid)
      """;

  private static final String UNUSED_GUARD =
      """
            --guard PATH       accepted, and not locked: a signal waits for no other
                               action
      """;

  private static final String PID_ONLY =
      """
            --pid-only         believe a pidfile that nobody has locked, for daemons
                               that lock nothing; risk: if the daemon has died, its
                               number may be another program's by now
      """;

  private static final String HELP =
      """
        -h, --help             this
      """;

  private static final String PROGRAM =
      """

      Paths are absolute; PROGRAM is found as a shell finds it, from where you stand.
      "--" may be left out.
      """;

  private static final String TIMES =
      """

      Times: 10s, 500ms, 2m, 1h. Signals: TERM, SIGTERM, 15, RTMIN+1.
      """;

  private Help() {}

  /** The help on a command, or on all of them for an empty name; null for an unknown one. */
  static @Nullable String of(String command) {
    return switch (command) {
      case "" -> OVERVIEW;
      case "start" ->
          """
          Usage: daimon start [options] [--] PROGRAM [ARG...]

            daimon start -p /run/web.pid -o /var/log/web.log -- /usr/bin/web --port 80

          Daemonizes a program, and returns when it runs.
          """
              + START.replace("%s", "the null device")
              + FOREGROUND
              + OKNODO
              + SELF
              + GUARD
              + PID_ONLY
              + HELP
              + PROGRAM;
      case "run" ->
          """
          Usage: daimon run [options] [--] PROGRAM [ARG...]

            daimon run -p /run/web.pid -u web -- /usr/bin/web --port 80

          Becomes a program, in the foreground, with the same process id.
          """
              + START.replace("%s", "as it is")
              + FOREGROUND
              + HELP
              + PROGRAM;
      case "restart" ->
          """
          Usage: daimon restart -p PATH [options] [--] PROGRAM [ARG...]

            daimon restart -p /run/web.pid -o /var/log/web.log -- /usr/bin/web

          Stops a daemon if it runs, and starts it; nobody else's action comes in between.
          """
              + START.replace("%s", "the null device")
              + STOP
              + SELF
              + GUARD
              + PID_ONLY
              + HELP
              + PROGRAM
              + TIMES;
      case "status" ->
          """
          Usage: daimon status -p PATH [options]

            daimon status -p /run/web.pid

          Tells whether a daemon runs: exit code 0 it does, 1 it is dead and has left its
          pidfile, 3 it does not, 4 it cannot be told.
          """
              + PID_FILE
              + """
                    --json             tell all that is known, as one JSON object
              """
              + PID_ONLY
              + HELP;
      case "stop" ->
          """
          Usage: daimon stop -p PATH [options]

            daimon stop -p /run/web.pid --timeout 10s --then INT:5s --then KILL:5s

          Ends a daemon, waits until it and its lock are gone, and removes the pidfile.
          That it does not run is no failure.
          """
              + PID_FILE
              + STOP
              + GUARD
              + PID_ONLY
              + HELP
              + TIMES;
      case "signal" ->
          """
          Usage: daimon signal -p PATH [options] SIGNAL

            daimon signal -p /run/web.pid USR1

          Sends a daemon a signal; exit code 3 if it does not run.
          """
              + PID_FILE
              + UNUSED_GUARD
              + PID_ONLY
              + HELP
              + TIMES;
      case "reload" ->
          """
          Usage: daimon reload -p PATH [options]

            daimon reload -p /run/web.pid

          Sends a daemon HUP, at which most read their configuration again; exit code 3
          if it does not run.
          """
              + PID_FILE
              + UNUSED_GUARD
              + PID_ONLY
              + HELP;
      case "wait" ->
          """
          Usage: daimon wait -p PATH [options]

            daimon wait -p /run/web.pid --timeout 1m

          Waits until a daemon has ended.
          """
              + PID_FILE
              + """
                    --timeout T        give up after this time, with exit code 75
              """
              + PID_ONLY
              + HELP
              + TIMES;
      default -> null;
    };
  }
}
