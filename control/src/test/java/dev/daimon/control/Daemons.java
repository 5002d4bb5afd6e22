package dev.daimon.control;

import dev.daimon.forking.Environment;
import dev.daimon.forking.Program;
import dev.daimon.forking.Redirect;
import dev.daimon.testing.ProcessSandbox;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Real daemons of one test, and the directory of their pidfiles. */
final class Daemons extends ProcessSandbox implements BeforeEachCallback, AfterEachCallback {
  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    begin();
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    end();
  }

  Path pidFile() {
    return file("d.pid");
  }

  DaemonControl control() {
    return DaemonControl.of(pidFile());
  }

  /** A shell that runs this script. */
  Program shell(String script) {
    Environment environment = Environment.current();
    for (Map.Entry<String, String> variable : mark().entrySet()) {
      environment = environment.with(variable.getKey(), variable.getValue());
    }
    return Program.at(Path.of("/bin/sh"))
        .arguments("-c", script)
        .environment(environment)
        .directory(directory())
        .standardInput(Redirect.nullDevice())
        .standardOutput(Redirect.nullDevice())
        .standardError(Redirect.nullDevice());
  }

  /** A daemon that runs this script. */
  StartSpec daemon(String script) {
    return StartSpec.program(() -> shell(script), 022);
  }
}
