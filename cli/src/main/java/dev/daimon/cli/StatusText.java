package dev.daimon.cli;

import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.ListedDaemon;
import dev.daimon.control.OutputReader;
import dev.daimon.locking.Holder;
import dev.daimon.posix.VisibleText;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What {@code daimon status} prints. */
final class StatusText {
  private StatusText() {}

  /** One line for people. */
  static String line(DaemonStatus status) {
    return status.line().concat("\n");
  }

  /** A state as one word, such as {@code not_running}. */
  static String word(State state) {
    return state.name().toLowerCase(Locale.ROOT);
  }

  /** One JSON object in one line, for programs, with every key in every state. */
  static String json(DaemonStatus status) {
    StringBuilder json = new StringBuilder("{");
    keys(json, status, /* listed= */ false);
    return json.append("}\n").toString();
  }

  /** The object of a daemon in a list: the same keys, and those of the list. */
  static void json(StringBuilder json, ListedDaemon daemon) {
    json.append("{\"name\":");
    string(json, daemon.daemon().name().text());
    json.append(",\"defined\":").append(daemon.defined());
    OptionalLong memory = daemon.memory();
    json.append(",\"memory\":");
    json.append(memory.isPresent() ? Long.toString(memory.getAsLong()) : "null").append(',');
    keys(json, daemon.status(), /* listed= */ true);
    json.append('}');
  }

  private static void keys(StringBuilder json, DaemonStatus status, boolean listed) {
    OptionalLong pid = status.pid();
    json.append("\"state\":");
    string(json, word(status.state()));
    json.append(",\"pidFile\":");
    string(json, status.pidFile().toString());
    json.append(",\"pid\":").append(pid.isPresent() ? Long.toString(pid.getAsLong()) : "null");
    json.append(",\"startTime\":");
    string(json, status.startTime().isPresent() ? status.startTime().get().toString() : null);
    json.append(",\"uptimeSeconds\":");
    json.append(
        status.uptime().isPresent() ? Long.toString(status.uptime().get().toSeconds()) : "null");
    json.append(",\"commandLine\":[");
    for (int i = 0; i < status.commandLine().size(); i++) {
      json.append(i == 0 ? "" : ",");
      string(json, status.commandLine().get(i));
    }
    json.append("],\"user\":");
    string(json, status.user().orElse(null));
    json.append(",\"holders\":[");
    for (int i = 0; i < status.holders().size(); i++) {
      Holder holder = status.holders().get(i);
      json.append(i == 0 ? "" : ",").append("{\"pid\":").append(holder.pid());
      json.append(",\"name\":");
      string(json, holder.name());
      json.append('}');
    }
    json.append("],\"output\":");
    if (listed) {
      // A list does not look for the programs that read the output.
      json.append("null");
    } else {
      readers(json, status.output());
    }
    json.append(",\"reason\":");
    string(json, status.reason());
  }

  private static void readers(StringBuilder json, List<OutputReader> readers) {
    for (int i = 0; i < readers.size(); i++) {
      OutputReader reader = readers.get(i);
      json.append(i == 0 ? "[" : ",").append("{\"stream\":");
      string(json, reader.stream());
      json.append(",\"command\":");
      string(json, reader.command());
      json.append(",\"pid\":").append(reader.pid());
      json.append(",\"running\":").append(reader.running()).append('}');
    }
    json.append(readers.isEmpty() ? "[]" : "]");
  }

  /** Appends a string of RFC 8259; characters that a terminal would act on are escaped, too. */
  private static void string(StringBuilder json, @Nullable String text) {
    if (text == null) {
      json.append("null");
      return;
    }
    json.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (VisibleText.isHidden(c)) {
        json.append("\\u");
        String hex = Integer.toHexString(c);
        json.append("0000", 0, 4 - hex.length()).append(hex);
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }
}
