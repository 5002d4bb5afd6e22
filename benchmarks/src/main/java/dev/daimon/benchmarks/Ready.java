package dev.daimon.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How soon a launcher notices that its daemon is ready. */
final class Ready implements Experiment {
  private static final String NOTIFY = "`daimon start --ready notify`";
  private static final String LIMIT = "C, `recv` and exit (limit)";
  private static final String DPKG = "`start-stop-daemon --notify-await`";
  private static final String TCP = "`daimon start --ready tcp`";
  private static final String LOOP = "a shell loop, every 0.1 s";

  /**
   * In a command, the placeholder for the milliseconds from the daemon's start to its readiness.
   */
  private static final String DELAY = "DELAY";

  /** Longer than a launcher takes to begin to wait. */
  private static final int SHORTEST_MILLIS = 600;

  /** The pause of the shell loop; the daemon's moment is spread over it. */
  private static final int SPREAD_MILLIS = 100;

  @Override
  public Section run(Lab lab) throws IOException, InterruptedException {
    Section section =
        new Section(
            "ready",
            "Readiness: from the daemon's word to the launcher's exit",
            "The daemon is ready "
                + SHORTEST_MILLIS
                + " to "
                + (SHORTEST_MILLIS + SPREAD_MILLIS)
                + " ms after its start. It notes the time just before it sends `READY=1`, or listens on"
                + " its port; the figure is the time from then to the end of the launcher's process.");
    Goal quick = section.goal("`--ready tcp` in at most the shell loop's time", 1, " ×");
    String ready = lab.c("ready");
    String pidFile = lab.work.resolve("ready.pid").toString();
    String port = freePort();
    Map<String, List<String>> launchers = new LinkedHashMap<>();
    launchers.put(LIMIT, join(List.of(ready, "launch"), daemon(lab, "notify")));
    launchers.put(
        NOTIFY,
        join(
            List.of(lab.daimon(), "start", "-p", pidFile, "--ready", "notify", "--"),
            daemon(lab, "notify")));
    @Nullable String dpkg = lab.peer("start-stop-daemon", "dpkg");
    if (dpkg != null) {
      List<String> program = daemon(lab, "notify");
      launchers.put(
          DPKG,
          join(
              List.of(
                  dpkg,
                  "--start",
                  "--background",
                  "--notify-await",
                  "--pidfile",
                  pidFile + ".none",
                  "--startas",
                  program.get(0)),
              join(List.of("--"), program.subList(1, program.size()))));
    }
    launchers.put(
        TCP,
        join(
            List.of(lab.daimon(), "start", "-p", pidFile, "--ready", "tcp:" + port, "--"),
            daemon(lab, "tcp", port)));
    launchers.put(LOOP, loop(daemon(lab, "tcp", port), port));
    Samples time = measure(lab, ready, launchers);
    section.table("launcher", "time", "as the limit's");
    for (String one : List.of(LIMIT, NOTIFY, DPKG, TCP, LOOP)) {
      if (time.has(one)) {
        section.row(
            one, Text.time(time.median(one)), Text.number(time.median(one) / time.median(LIMIT)));
      } else {
        section.row(one, "not installed", "");
      }
    }
    quick.check(TCP, time.ratio(TCP, LOOP));
    return section;
  }

  private static Samples measure(Lab lab, String ready, Map<String, List<String>> launchers)
      throws IOException, InterruptedException {
    Samples time = new Samples();
    for (int round = 0; round < lab.mode.processRounds; round++) {
      for (Map.Entry<String, List<String>> launcher : launchers.entrySet()) {
        List<String> command = join(List.of(ready, "time", stamp(lab)), launcher.getValue());
        // A prime, so that the rounds meet the loops at different moments of their pauses.
        int delay = SHORTEST_MILLIS + round * 37 % SPREAD_MILLIS;
        command.replaceAll(word -> word.replace(DELAY, String.valueOf(delay)));
        String nanoseconds = lab.call(command.toArray(String[]::new)).strip();
        time.add(launcher.getKey(), Double.parseDouble(nanoseconds));
      }
    }
    time.dropWarmUp();
    return time;
  }

  private static String stamp(Lab lab) {
    return lab.work.resolve("ready.stamp").toString();
  }

  private static List<String> daemon(Lab lab, String... way)
      throws IOException, InterruptedException {
    return join(List.of(lab.c("ready"), "daemon", stamp(lab), DELAY), Arrays.asList(way));
  }

  /** Starts the daemon in the background, and asks for its port until it can connect. */
  private static List<String> loop(List<String> daemon, String port) {
    return List.of(
        "bash",
        "-c",
        "setsid "
            + String.join(" ", daemon)
            + " </dev/null >/dev/null 2>&1 &\nuntil : 2>/dev/null </dev/tcp/127.0.0.1/"
            + port
            + "; do sleep 0.1; done");
  }

  private static String freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return String.valueOf(socket.getLocalPort());
    }
  }

  private static List<String> join(List<String> first, List<String> rest) {
    List<String> all = new ArrayList<>(first);
    all.addAll(rest);
    return all;
  }
}
