package dev.daimon.daemon;

import dev.daimon.daemon.config.Settings;
import dev.daimon.daemon.handover.Handover;
import dev.daimon.daemon.handover.LaunchContext;
import dev.daimon.daemon.runtime.InheritedResources;
import dev.daimon.daemon.runtime.ReadinessReport;
import dev.daimon.daemon.runtime.Resources;
import dev.daimon.startup.FileSet;
import dev.daimon.startup.StartException;
import dev.daimon.startup.StartException.Reason;
import java.io.IOException;
import java.util.List;

/** The daemon's side of a start: takes over what the launcher has prepared. */
final class DaemonStart {
  private DaemonStart() {}

  /** Makes this process the daemon that its launcher has started. */
  static Daemon by(LaunchContext.FromLauncher fromLauncher, Settings settings) {
    Handover handover = fromLauncher.handover();
    ReadinessReport report =
        new ReadinessReport(fromLauncher.connection(), handover.earlyErrors != null);
    try {
      requireSame(handover.settings, settings.lines());
      requireFiles(handover, settings.files());
      InheritedResources resources = new InheritedResources(settings, fromLauncher);
      if (!resources.canWait()) {
        Resources.Open _ = resources.own();
      }
      Daemon daemon = new Daemon(settings, settings.identity(), resources, report, null, null);
      report.begin(daemon.cleanUp);
      return daemon;
    } catch (StartException failure) {
      report.failed(failure);
      throw failure;
    }
  }

  private static void requireFiles(Handover handover, FileSet files) {
    try {
      handover.requireFilesOf(files);
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
