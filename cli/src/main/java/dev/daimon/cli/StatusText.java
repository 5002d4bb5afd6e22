package dev.daimon.cli;

import dev.daimon.control.DaemonStatus;
import dev.daimon.control.DaemonStatus.State;
import dev.daimon.control.OutputReader;
import dev.daimon.locking.Holder;
import dev.daimon.posix.VisibleText;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What {@code daimon status} prints. */
final class StatusText {
  private static final int DAY = 24 * 60 * 60;

  private StatusText() {}

  /** One line for people. */
  static String line(DaemonStatus status) {
    StringBuilder line = new StringBuilder(status.reason());
    if (status.user().isPresent()) {
      line.append(", user ").append(status.user().get());
    }
    if (status.uptime().isPresent()) {
      line.append(", up ").append(time(status.uptime().get()));
    }
    if (!status.commandLine().isEmpty()) {
      // Some programs overwrite their command line, and pad it with spaces.
      line.append(": ").append(String.join(" ", status.commandLine()).stripTrailing());
    }
    for (OutputReader reader : status.output()) {
      if (!reader.running() && status.state() == State.RUNNING) {
        line.append("; output: ").append(reader.command()).append(" has ended");
      }
    }
    return VisibleText.line(line.toString()).concat("\n");
  }

  /** Such as {@code "2 days 3:04:05"}. */
  private static String time(Duration duration) {
    long seconds = duration.toSeconds();
    StringBuilder text = new StringBuilder();
    if (seconds >= DAY) {
      text.append(seconds / DAY).append(seconds < 2 * DAY ? " day " : " days ");
    }
    text.append(seconds % DAY / 3600);
    twoDigits(text, seconds % 3600 / 60);
    twoDigits(text, seconds % 60);
    return text.toString();
  }

  private static void twoDigits(StringBuilder text, long number) {
    text.append(number < 10 ? ":0" : ":").append(number);
  }

  /** One JSON object in one line, for programs, with every key in every state. */
  static String json(DaemonStatus status) {
    OptionalLong pid = status.pid();
    StringBuilder json = new StringBuilder();
    json.append("{\"state\":");
    string(json, status.state().name().toLowerCase(Locale.ROOT));
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
    json.append("],\"output\":[");
    for (int i = 0; i < status.output().size(); i++) {
      OutputReader reader = status.output().get(i);
      json.append(i == 0 ? "" : ",").append("{\"stream\":");
      string(json, reader.stream());
      json.append(",\"command\":");
      string(json, reader.command());
      json.append(",\"pid\":").append(reader.pid());
      json.append(",\"running\":").append(reader.running()).append('}');
    }
    json.append("],\"reason\":");
    string(json, status.reason());
    return json.append("}\n").toString();
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
