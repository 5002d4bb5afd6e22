package dev.daimon.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** An account for the tests of one class: a user with its own group, and a member of two more. */
final class TestUser implements BeforeAllCallback, AfterAllCallback {
  static final String HOME = "/nonexistent/daimon";

  /** The exit code of useradd while another program edits the same files. */
  private static final int LOCKED = 1;

  private static final int LOCKED_GROUPS = 10;

  private final String name;
  private long uid;
  private long gid;

  TestUser(String prefix) {
    name = prefix + ProcessHandle.current().pid();
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    edit("groupadd", group("a"));
    edit("groupadd", group("b"));
    edit(
        "useradd",
        "--no-create-home",
        "--no-log-init",
        "--home-dir=" + HOME,
        "--shell=/bin/sh",
        "--user-group",
        "--groups=" + group("a") + "," + group("b"),
        name);
    uid = Long.parseLong(output("id", "-u", name));
    gid = Long.parseLong(output("id", "-g", name));
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    edit("userdel", name);
    edit("groupdel", group("a"));
    edit("groupdel", group("b"));
  }

  String name() {
    return name;
  }

  long uid() {
    return uid;
  }

  long gid() {
    return gid;
  }

  /** One of the two groups that the user is a member of, "a" or "b". */
  String group(String which) {
    return name + which;
  }

  /** Runs a command, and returns what it prints. */
  static String output(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(List.of(command) + ": " + output);
    }
    return output.strip();
  }

  private static void edit(String... command) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (true) {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code == 0) {
        return;
      }
      boolean locked = code == LOCKED || code == LOCKED_GROUPS;
      if (!locked || System.nanoTime() - deadline > 0) {
        throw new IOException(List.of(command) + ": " + output);
      }
      TimeUnit.MILLISECONDS.sleep(100);
    }
  }
}
