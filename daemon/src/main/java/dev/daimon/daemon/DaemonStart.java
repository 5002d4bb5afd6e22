package dev.daimon.daemon;

import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.List;

/** The daemon's side of a start: it takes over what its launcher has prepared. */
final class DaemonStart {
  private DaemonStart() {}

  /** Makes this process the daemon that its launcher wanted it to be. */
  static Daemon by(LaunchContext.FromLauncher fromLauncher, DaemonConfig config) {
    Handover handover = fromLauncher.handover();
    ReadinessReport report =
        new ReadinessReport(fromLauncher.connection(), handover.earlyErrors != null);
    try {
      requireSame(handover.settings, config.settings());
      requireFiles(handover, config);
      InheritedResources inheritance = new InheritedResources(config, fromLauncher);
      if (!inheritance.canWait()) {
        OpenResources _ = inheritance.own();
      }
      Daemon daemon = new Daemon(config, Identities.of(config), inheritance, report, null, null);
      report.begin(daemon);
      return daemon;
    } catch (StartException failure) {
      report.failed(failure);
      throw failure;
    }
  }

  private static void requireFiles(Handover handover, DaemonConfig config) {
    try {
      handover.requireFilesOf(config);
    } catch (IOException failure) {
      throw new StartException(Reason.FILE, failure);
    }
  }

  private static void requireSame(List<String> launchers, List<String> own) {
    StringBuilder differences = new StringBuilder();
    for (int i = 0; i < own.size() && i < launchers.size(); i++) {
      if (!own.get(i).equals(launchers.get(i))) {
        differences.append(differences.isEmpty() ? "" : ", ");
        differences.append(launchers.get(i)).append(" in the launcher, ");
        differences.append(own.get(i)).append(" in the daemon");
      }
    }
    if (!differences.isEmpty() || own.size() != launchers.size()) {
      throw new StartException(
          Reason.DAEMON_FAILED,
          "the daemon has another configuration than its launcher: " + differences);
    }
  }
}
