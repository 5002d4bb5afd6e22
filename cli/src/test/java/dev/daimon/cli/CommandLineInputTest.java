package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.daimon.startup.StartException;
import dev.daimon.testing.NearlyValid;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whole command lines. Each is understood, or refused as a usage error. */
class CommandLineInputTest {
  /** The words of each, with a NUL between. */
  private static final String[] SAMPLES = {
    "start -p /run/web.pid -o /var/log/web.log -u www:adm --nice 5 -- /usr/bin/web -v --port 80",
    "start --ready tcp:80 --ready-timeout 10s --rlimit core=0 --rlimit nofile=1:2 -E A=b /bin/web",
    "start web --save -vf -m 027 --keep-fd 3 --keep-cap kill -- web",
    "run -p /run/web.pid --no-new-privs --groups a,b -g c --listen tcp:80=x -- /bin/web",
    "restart web --then INT:5s --then KILL:1s --overlap --timeout 3m -- /bin/web --",
    "restart -p /x --self --pid-only --guard /y -- /bin/web",
    "stop -p /run/web.pid --signal INT --timeout 10s --session",
    "status web --json",
    "signal web USR1",
    "wait -p /run/web.pid --timeout 1m",
    "logs web -n 20 --follow",
    "list --json",
  };

  /** The parser takes "-then" for the option, and the rest of the command for a name behind it. */
  @Test
  void anOptionWithoutItsValueIsNamedWhateverTheLastWordIs() {
    for (String last : List.of("", "/bin/web", "x")) {
      assertThatThrownBy(
              () -> CommandLine.parse(Command.RESTART, List.of("-then", "INT", "--", last)))
          .isInstanceOf(StartException.class)
          .hasMessage("--then needs a value; see daimon help restart");
    }
  }

  @Test
  @Tag("torture")
  void eachIsUnderstoodOrRefused() throws Exception {
    String[] samples = new String[SAMPLES.length];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = SAMPLES[i].replace(' ', '\0');
    }
    NearlyValid.of(samples)
        .check(input -> {
          List<String> words = Arrays.asList(NearlyValid.text(input).split("\0", -1));
          Command command = command(words.get(0));
          List<String> rest = words.subList(1, words.size());
          try {
            CommandLine line = CommandLine.parse(command, rest);
            if (command.takesProgram()) {
              checkProgram(StartOptions.request(command, line), rest);
            } else if (command == Command.STOP) {
              assertThat(ControlOptions.policy(line).steps()).isNotEmpty();
            }
            return true;
          } catch (StartException refused) {
            assertThat(refused.exitCode()).isEqualTo(64);
            assertThat(refused.getMessage()).isNotEmpty();
            return false;
          }
        });
  }

  private static Command command(String word) {
    for (Command command : Command.values()) {
      if (command.toString().equals(word)) {
        return command;
      }
    }
    return Command.START;
  }

  /** A program and its arguments are the last words, as they were typed. */
  private static void checkProgram(Request request, List<String> words) {
    int program = words.size() - request.command.size();
    assertThat(request.command).isEqualTo(words.subList(program, words.size()));
    int dashes = words.indexOf("--");
    if (program > 0 && dashes >= 0 && dashes < program - 1) {
      // Only as the value of an option, which stands before it.
      assertThat(words.get(dashes - 1)).startsWith("-");
    }
  }
}
