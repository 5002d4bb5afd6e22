package dev.daimon.cli;

import org.jspecify.annotations.Nullable;

/** What {@code --help} prints. */
final class Help {
  private static final String OVERVIEW =
      """
      daimon start -p /run/web.pid -o /var/log/web.log -- /usr/bin/web --port 80

      Daemonizes any program, and tells the truth about it.

        daimon start [options] -- PROGRAM [ARG...]   daemonize; return when the program runs
        daimon run   [options] -- PROGRAM [ARG...]   the same set-up in the foreground: this
                                                     process becomes PROGRAM
        daimon help COMMAND                          the options
        daimon --version

      Exit codes: 0 it runs, 64 usage, 66 program missing or not executable, 67 no such user
      or group, 69 already running, 71 a system call failed, 73 a file cannot be created,
      opened, locked or given away, 77 no permission to change identity
      """;

  private static final String OPTIONS =
      """

        -p, --pidfile PATH      write the daemon's pid there; locked for its life
        -l, --lock PATH         hold a second lock, on a file of its own
            --no-lock           a pidfile without a lock
        -c, --chdir PATH        working directory (default: /)
        -m, --umask MODE        octal (default: 022)
        -o, --stdout PATH       output file (default: %s)
        -e, --stderr PATH       error file (default: where -o goes; x.stderr beside
                                x.stdout, x.err beside x.out)
        -a, --append            keep what the output files hold
        -u, --user USER         become this user: name, number or #number
        -g, --group GROUP       become this group: name, number or #number
        -f, --foreground        do what "daimon run" does
            --no-close-fds      let the program inherit every descriptor
            --keep-fd N         let it inherit this one (repeatable)
        -E, --env NAME=VALUE    set a variable (repeatable)
        -n, --name ARGV0        the program's name for itself
        -v, --verbose           say each step on standard error
            --dry-run           check everything, print the plan, change nothing
        -h, --help              this

      Paths are absolute; PROGRAM is found as a shell finds it, from where you stand.
      "--" may be left out.
      """;

  private Help() {}

  /** The help on a command, or on all of them for an empty name; null for an unknown one. */
  static @Nullable String of(String command) {
    return switch (command) {
      case "" -> OVERVIEW;
      case "start" ->
          "daimon start -p /run/web.pid -o /var/log/web.log -- /usr/bin/web --port 80\n\n"
              + "Daemonizes a program, and returns when it runs.\n"
              + OPTIONS.replace("%s", "the null device");
      case "run" ->
          "daimon run -p /run/web.pid -u web -- /usr/bin/web --port 80\n\n"
              + "Becomes a program, in the foreground, with the same process id.\n"
              + OPTIONS.replace("%s", "as it is");
      default -> null;
    };
  }
}
