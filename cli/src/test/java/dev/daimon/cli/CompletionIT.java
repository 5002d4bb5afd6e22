package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.Proc;
import dev.daimon.testing.ProcessSandbox;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the Tab key completes in a real shell, with the distribution's completions. */
class CompletionIT {
  /** What is typed, and what is in the line after the Tab key; the same in all shells. */
  private static final List<List<String>> LINES =
      List.of(
          List.of("daimon sto", "daimon stop "),
          List.of("daimon help rest", "daimon help restart "),
          List.of("daimon stop we", "daimon stop web "),
          List.of("daimon stop my", "daimon stop my\\ web "),
          List.of("daimon stop my\\ w", "daimon stop my\\ web "),
          List.of("daimon stop 'my", "daimon stop 'my web' "),
          List.of("daimon reload 3", "daimon reload 3\\$\\(touch\\ ran\\)\\'\\\" "),
          List.of("daimon status runs", "daimon status runs-only "),
          List.of("daimon status defi", "daimon status defined-only "),
          List.of("daimon start defi", "daimon start defined-only "),
          List.of("daimon stop a:b", "daimon stop a:b:c "),
          List.of("daimon status -dash", "daimon status -dash"),
          List.of("daimon signal web VTAL", "daimon signal web VTALRM "),
          List.of("daimon signal -p x VTAL", "daimon signal -p x VTALRM "),
          List.of("daimon signal web --pid-o", "daimon signal web --pid-only "),
          List.of("daimon start --no-close", "daimon start --no-close-fds "),
          List.of("daimon start -p ./some-f", "daimon start -p ./some-file "),
          List.of("daimon start -vp ./some-f", "daimon start -vp ./some-file "),
          List.of("daimon start --pidfile=./some-f", "daimon start --pidfile=./some-file "),
          List.of("daimon start -c ./some-d", "daimon start -c ./some-dir/"),
          List.of("daimon start --ready ali", "daimon start --ready alive:"),
          List.of("daimon start --ready notify:a", "daimon start --ready notify:all "),
          List.of("daimon start --ready unix:./some-f", "daimon start --ready unix:./some-file "),
          List.of("daimon start --pidfile-owner ro", "daimon start --pidfile-owner root "),
          List.of("daimon start --keep-cap NET_BIND", "daimon start --keep-cap NET_BIND_SERVICE "),
          List.of("daimon start --rlimit nof", "daimon start --rlimit nofile="),
          List.of("daimon stop web --then VTAL", "daimon stop web --then VTALRM:"),
          List.of("daimon start -u x:nogr", "daimon start -u x:nogroup "),
          List.of("daimon start web -- own-comm", "daimon start web -- own-command "),
          List.of("daimon start web -v -- cat ./some-f", "daimon start web -v -- cat ./some-file "),
          List.of("daimon start own-comm", "daimon start own-command "),
          List.of("daimonize --trunc", "daimonize --truncate "));

  /** What fish does not complete. */
  private static final List<String> NOT_IN_FISH =
      List.of("daimon start --ready unix:./some-f", "daimon start -u x:nogr");

  private static final Pattern LAST_WORD = Pattern.compile("((?:\\\\.|'[^']*'|[^ \\\\'])+) ?$");

  private static final char TAB = '\t';
  private static final char CLEAR = 'U' - '@';
  private static final String TELL = "\u0018t";

  @RegisterExtension final Sandbox sandbox = new Sandbox();

  @Test
  void bashCompletes() throws Exception {
    assertLines(
        List.of("bash", "--norc", "--noprofile", "-i"),
        ". $SHARE/bash-completion/completions/daimon",
        "bind 'set bell-style none'",
        "bind -x '\"\\C-xt\": printf %s \"$READLINE_LINE\" >$dir/new; mv $dir/new $dir/told'");
  }

  @Test
  @Tag("zsh")
  void zshCompletes() throws Exception {
    assertLines(
        List.of("zsh", "-f", "-i"),
        "unsetopt beep list_beep prompt_sp; setopt interactive_comments; bindkey -e",
        "fpath=($SHARE/zsh/site-functions $fpath); autoload -Uz compinit; compinit -D -u",
        "tell() { print -rn -- $BUFFER >$dir/new; mv $dir/new $dir/told }",
        "zle -N tell; bindkey '^Xt' tell");
  }

  /** fish is asked for what it would offer: each candidate, a tab, and what it is. */
  @Test
  @Tag("fish")
  void fishCompletes() throws Exception {
    makeFiles();
    List<List<String>> lines = new ArrayList<>(LINES);
    lines.removeIf(line -> NOT_IN_FISH.contains(line.getFirst()));
    List<List<String>> expected = new ArrayList<>();
    List<String> words = asUser("fish", "--no-config", "-c");
    words.add(
        "source $SHARE/fish/vendor_completions.d/daimon.fish\n"
            + "for line in $argv; echo; echo \"? $line\"; complete -C$line; end");
    for (List<String> line : lines) {
      words.add(line.getFirst());
      boolean isCompleted = !line.getFirst().equals(line.getLast());
      expected.add(
          isCompleted
              ? List.of(line.getFirst(), lastWord(line.getLast()))
              : List.of(line.getFirst()));
    }

    ProcessSandbox.Result result = sandbox.run(words, variables());

    List<List<String>> completed = new ArrayList<>();
    for (String answer : result.out().substring("\n? ".length()).split("\n\n\\? ", -1)) {
      completed.add(answer.lines().map(candidate -> candidate.split("\t", -1)[0]).toList());
    }
    assertThat(result.err()).isEmpty();
    assertThat(completed).containsExactlyElementsOf(expected);
    assertThat(sandbox.file("ran")).doesNotExist();
  }

  /** The last word of a line, without its quotes. */
  private static String lastWord(String line) {
    Matcher word = LAST_WORD.matcher(line);
    assertThat(word.find()).isTrue();
    return word.group(1).replaceAll("\\\\(.)|'([^']*)'", "$1$2");
  }

  /** Root's daemons have their files elsewhere. */
  @Test
  @Tag("root")
  void rootIsOfferedTheDaemonsOfRoot() throws Exception {
    ProcessSandbox.Result result =
        sandbox.shell(
            "exec unshare --mount --propagation private bash -c '"
                + "mount -t tmpfs tmpfs /run && mkdir /run/daimon && touch /run/daimon/only-here.pid"
                + " && . \"${daimon%bin/daimon}share/bash-completion/completions/daimon\""
                + " && COMP_LINE=\"daimon stop only\" COMP_WORDS=(daimon stop only) COMP_CWORD=2"
                + " && _daimon && echo \"${COMPREPLY[@]}\"'");

    assertThat(result).isEqualTo(new ProcessSandbox.Result(0, "only-here\n", ""));
  }

  private void assertLines(List<String> shell, String... settings) throws Exception {
    makeFiles();
    Process terminal = start(shell);
    try (OutputStream keyboard = terminal.getOutputStream()) {
      for (String line : settings) {
        type(keyboard, line + "\n");
      }
      type(keyboard, "touch $dir/ready\n");
      Sandbox.await("the shell", () -> Files.exists(sandbox.file("ready")));

      List<List<String>> completed = new ArrayList<>();
      for (List<String> line : LINES) {
        Files.deleteIfExists(sandbox.file("told"));
        type(keyboard, CLEAR + line.getFirst() + TAB + TELL);
        Sandbox.await(line.getFirst(), () -> Files.exists(sandbox.file("told")));
        completed.add(List.of(line.getFirst(), Files.readString(sandbox.file("told"))));
      }

      assertThat(completed).containsExactlyElementsOf(LINES);
      assertThat(sandbox.file("ran")).doesNotExist();
      type(keyboard, CLEAR + "exit\n");
    }
    assertThat(terminal.waitFor()).isZero();
  }

  private static void type(OutputStream keyboard, String text) throws Exception {
    keyboard.write(text.getBytes(StandardCharsets.UTF_8));
    keyboard.flush();
  }

  private Process start(List<String> shell) throws Exception {
    return sandbox
        .prepare(asUser("script", "-qec", String.join(" ", shell), "/dev/null"), variables())
        .redirectErrorStream(true)
        .redirectOutput(sandbox.file("screen").toFile())
        .start();
  }

  /** The words as a command of an ordinary user. */
  private static List<String> asUser(String... command) throws Exception {
    List<String> words = new ArrayList<>();
    if (Proc.status("self", "Uid").startsWith("0\t")) {
      words.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    }
    words.addAll(List.of(command));
    return words;
  }

  /** The variables of a user whose directories are those of the test. */
  private Map<String, String> variables() throws Exception {
    Path share = sandbox.publicDaimon().resolveSibling("../share").normalize();
    Sandbox.openToAll(sandbox.directory(), "rwxrwxrwx");
    return Map.of(
        "dir", sandbox.directory().toString(),
        "HOME", sandbox.directory().toString(),
        "XDG_CONFIG_HOME", sandbox.file("config").toString(),
        "XDG_STATE_HOME", sandbox.file("state").toString(),
        "XDG_RUNTIME_DIR", sandbox.file("runtime").toString(),
        "SHARE", share.toString(),
        "PATH", sandbox.file("bin") + ":" + System.getenv("PATH"),
        "TERM", "xterm");
  }

  private void makeFiles() throws Exception {
    for (String file :
        List.of(
            "config/daimon/web.conf",
            "config/daimon/defined-only.conf",
            "config/daimon/a:b:c.conf",
            "config/daimon/-dash.conf",
            "runtime/daimon/my web.pid",
            "runtime/daimon/web.pid",
            "runtime/daimon/3$(touch ran)'\".pid",
            "state/daimon/runs-only.started",
            "state/daimon/run/other.pid",
            "bin/own-command",
            "some-dir/file",
            "some-file")) {
      Path path = sandbox.file(file);
      Files.createDirectories(path.getParent());
      Files.createFile(path);
    }
    Sandbox.openToAll(sandbox.file("bin/own-command"), "rwxr-xr-x");
  }
}
