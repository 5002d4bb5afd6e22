package dev.daimon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.daimon.testing.ProcessSandbox.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Daemons that have a name, and their definitions, of an ordinary user with own directories. */
class NamesIT {
  /** Becomes an ordinary user, if the test is root's. */
  private static final List<String> AS_USER =
      List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--");

  @RegisterExtension private final Sandbox sandbox = new Sandbox();

  /**
   * Runs a script as an ordinary user: {@code $daimon} is the command, {@code $conf}, {@code
   * $state} and {@code $run} are the directories of names.
   */
  private Result names(String script) throws Exception {
    Path home = Files.createDirectories(sandbox.file("home"));
    Path daimon = sandbox.publicDaimon();
    List<String> command = new ArrayList<>();
    if (isRoot()) {
      assertThat(
              sandbox.run(List.of("chown", "-R", "65534:65534", home.toString()), Map.of()).err())
          .isEmpty();
      command.addAll(AS_USER);
    }
    command.addAll(List.of("/bin/bash", "-c", "mkdir -p -m 700 $HOME/run; " + script));
    return sandbox.run(
        command,
        Map.of(
            "daimon", daimon.toString(),
            "PATH", "/usr/bin:/bin",
            "HOME", home.toString(),
            "XDG_RUNTIME_DIR", home + "/run",
            "XDG_CONFIG_HOME", home + "/config",
            "XDG_STATE_HOME", home + "/state",
            "conf", home + "/config/daimon",
            "state", home + "/state/daimon",
            "run", home + "/run/daimon"));
  }

  private static boolean isRoot() throws Exception {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  private String home() {
    return sandbox.file("home").toString();
  }

  @Test
  void aNameIsEnoughToControlADaemonAndToStartItAgain() throws Exception {
    Result result =
        names(
            """
            $daimon start --nice 3 web -E A='b c' -- sh -c 'echo "said $A"; exec sleep 1000' || exit 11
            stat -c '%a %n' $state $run $state/web.started $run/web.pid $state/web.log
            $daimon status web >/dev/null || exit 12
            $daimon start web -- sleep 1000 2>/dev/null; [ $? = 69 ] || exit 13
            one=$(cat $run/web.pid)
            $daimon restart web || exit 14
            two=$(cat $run/web.pid)
            [ $one != $two ] || exit 15
            [ $(cut -d' ' -f19 /proc/$two/stat) = 3 ] || exit 16
            tail -n +2 $state/web.started
            $daimon signal web CONT || exit 17
            $daimon stop web || exit 18
            $daimon status web >/dev/null; [ $? = 3 ] || exit 19
            cat $state/web.log
            """);

    assertThat(result.err()).isEmpty();
    assertThat(result.out().replace(home(), "~"))
        .isEqualTo(
            """
            700 ~/state/daimon
            700 ~/run/daimon
            600 ~/state/daimon/web.started
            644 ~/run/daimon/web.pid
            644 ~/state/daimon/web.log
            nice 3
            env 'A=b c'
            program /usr/bin/sh -c 'echo "said $A"; exec sleep 1000'
            said b c
            said b c
            """);
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void aDefinitionIsStartedAndWhatIsTypedReplacesItsLines() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            printf '%s\\n' '# web' 'umask 027' 'env A=1' 'env B=2' 'signal KILL' 'truncate' '' \\
                'program sh -c "echo $A,$B,$(umask); exec sleep 1000"' >$conf/web.conf
            $daimon start web -o $HOME/out || exit 11
            $daimon stop web || exit 12
            $daimon start web --append -E C=3 -o $HOME/out || exit 13
            $daimon stop web || exit 14
            cat $HOME/out
            $daimon run web </dev/null -E A=x >$HOME/ran &
            until [ -s $HOME/ran ]; do sleep 0.01; done
            cat $HOME/ran
            $daimon stop web
            """);

    assertThat(result.err()).isEmpty();
    assertThat(result.out()).isEqualTo("1,2,0027\n,,0027\nx,,0027\n");
  }

  @Test
  void aWordIsANameOnlyWhereItCannotBeTheProgram() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            echo 'program sleep 1000' >$conf/true.conf
            try() { $daimon "$@"; echo "$?" >&2; }
            try start true --port 80
            try start true x
            try start -- true
            try start -p $HOME/x.pid true
            try start false x
            try start -ap$HOME/y.pid true
            try start nowhere --nice 3
            try start "$(printf 'a\\tb')"
            try start nowhere -x -- true
            try start -p $HOME/x.pid web -- true
            try start web --save true
            try start --save -- true
            try restart nothing
            try restart nothing x
            try restart /bin/true
            try stop -p $HOME/x.pid web
            try stop
            for name in .. a/b '' "$(printf 'a\\tb')" "$(printf '\\377')"; do try status "$name"; done
            try stop -- -x
            LC_ALL=C try start $(printf 'w\\303\\244b') -- sleep 1000
            LC_ALL=C try stop $(printf 'w\\303\\244b')
            ls $state
            """);

    assertThat(result.err().replace(home(), "~"))
        .isEqualTo(
            """
            daimon: true is defined in ~/config/daimon/true.conf; to start the program of that name, \
            type -- before it
            64
            daimon: true is defined in ~/config/daimon/true.conf; to start the program of that name, \
            type -- before it
            64
            0
            0
            0
            0
            daimon: nowhere: not found in PATH; nor is there a definition \
            ~/config/daimon/nowhere.conf
            66
            daimon: a?b: not found in PATH
            66
            daimon: unknown option -x; if nowhere is the program, and no name, type -- before it
            64
            daimon: the name web and --pidfile exclude each other; to start the program web, \
            type -- before it; see daimon help start
            64
            daimon: web: not found in PATH
            66
            daimon: --save needs a name: it writes the definition of that name; see daimon help start
            64
            daimon: nothing is not defined: there is no ~/config/daimon/nothing.conf; to start a \
            program under this name, type -- and the program behind it
            64
            daimon: unexpected word: "x" behind the name nothing; type -- before a program
            64
            daimon: a name or --pidfile is missing; see daimon help restart
            64
            daimon: unexpected word: "web"; a name and --pidfile exclude each other; see daimon help stop
            64
            daimon: a name or --pidfile is missing; see daimon help stop
            64
            daimon: ".." cannot be a daemon's name: that is a directory
            64
            daimon: "a/b" cannot be a daemon's name: it has a slash
            64
            daimon: "" cannot be a daemon's name: it is empty
            64
            daimon: "a?b" cannot be a daemon's name: it has a character that is not visible
            64
            daimon: "\ufffd" cannot be a daemon's name: it has a character that is not visible
            64
            daimon: "-x" cannot be a daemon's name: it begins with a dash
            64
            0
            0
            """);
    assertThat(result.out()).isEqualTo("w\u00c3\u00a4b.log\nw\u00c3\u00a4b.started\n");
  }

  @Test
  void whatIsWrongInADefinitionIsToldWithFileAndLine() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            n=0
            while IFS= read -r line; do
              n=$((n + 1))
              printf '# a comment\\n%s\\nprogram sleep 1000\\n' "$line" >$conf/d$n.conf
              $daimon check d$n; echo "$?" >&2
            done <<END
            stdot /x
            umask 999
            rlimit nofle=3
            stdout relative
            stdout /nowhere/x
            user nobody-of-this-name
            timeout soon
            nice 5
            END
            printf 'self\\nstdout /dev/null\\nprogram sleep\\n' >$conf/d9.conf
            $daimon start d9; echo "$?" >&2
            echo 'program /nowhere/x' >$conf/e.conf
            $daimon start e; echo "$?" >&2
            printf 'umask 022\\nnice -20\\nprogram sleep\\n' >$conf/f.conf
            $daimon check f; echo "$?" >&2
            printf 'rlimit core=0\\nrlimit nofile=1:99999999\\nprogram sleep\\n' >$conf/f.conf
            $daimon check f; echo "$?" >&2
            rm $conf/d[1-7].conf $conf/f.conf
            $daimon check; echo "$?" >&2
            """);

    assertThat(result.err().replace(home() + "/config/daimon/", ""))
        .isEqualTo(
            """
            daimon: d1.conf:2: unknown option "stdot"
            64
            daimon: d2.conf:2: --umask wants an octal mode from 0 to 777, not "999"
            64
            daimon: d3.conf:2: --rlimit: no such resource: "nofle"
            64
            daimon: d4.conf:2: --stdout wants an absolute path, not "relative"
            64
            daimon: d5.conf:2: --stdout: /nowhere/x: its directory does not exist
            73
            daimon: d6.conf:2: unknown user: nobody-of-this-name
            67
            daimon: d7.conf:2: --timeout wants a time such as 10s, 500ms or 2m, not "soon"
            64
            0
            daimon: d9.conf:1: --self and --stdout exclude each other: the program does that itself
            64
            daimon: e.conf:1: /nowhere/x: No such file or directory (ENOENT, 2)
            66
            daimon: f.conf:2: --nice: setpriority -20: Permission denied (EACCES, 13)
            77
            daimon: f.conf:2: --rlimit: prlimit nofile=1:99999999: Operation not permitted (EPERM, 1)
            77
            daimon: d9.conf:1: --self and --stdout exclude each other: the program does that itself
            daimon: e.conf:1: /nowhere/x: No such file or directory (ENOENT, 2)
            66
            """);
    assertThat(result.out()).isEqualTo("d8: ok\nd8: ok\n");
  }

  @Test
  void savedIsWhatHasWorkedAndWhatItReplacesIsKept() throws Exception {
    Result result =
        names(
            """
            $daimon start web --save --nice 99 -- sleep 1000 2>/dev/null; [ $? = 64 ] || exit 11
            $daimon start web --save -- /nowhere/x 2>/dev/null; [ $? = 66 ] || exit 12
            $daimon start --dry-run --save web -- sleep 1 >/dev/null || exit 13
            [ ! -e $conf ] || exit 14
            $daimon start web --save --nice 3 -- sleep 1000 || exit 15
            stat -c '%a' $conf $conf/web.conf
            cat $conf/web.conf
            $daimon start web --save -- sleep 1 2>/dev/null; [ $? = 69 ] || exit 16
            echo '# kept' >>$conf/web.conf
            $daimon restart web --save || exit 17
            [ ! -e $conf/web.conf.old ] || exit 18
            $daimon restart web --save --nice 4 || exit 19
            cat $conf/web.conf $conf/web.conf.old
            $daimon stop web || exit 20
            $daimon run web --save -E A=b -- true || exit 21
            cat $conf/web.conf
            for i in 5 6; do $daimon start web --save --nice $i -- sleep 1000 2>/dev/null & done; wait
            [ "$(tail -n +2 $state/web.started)" = "$(cat $conf/web.conf)" ] || exit 22
            ls -A $conf $state
            """);

    assertThat(result.err()).isEmpty();
    assertThat(result.out().replace(home(), "~"))
        .isEqualTo(
            """
            700
            600
            nice 3
            program /usr/bin/sleep 1000
            nice 4
            program /usr/bin/sleep 1000
            nice 3
            program /usr/bin/sleep 1000
            # kept
            env A=b
            program /usr/bin/true
            ~/config/daimon:
            web.conf
            web.conf.old

            ~/state/daimon:
            web.log
            web.started
            """);
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void aDefinitionWithTheProgramOfAnotherDirectoryIsReplaced() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf $HOME/new
            ln -s /usr/bin/sleep $HOME/new/sleep
            echo 'program sleep 1000' >$conf/web.conf
            $daimon start web --save -- sleep 1000 || exit 11
            $daimon restart web --save || exit 12
            [ ! -e $conf/web.conf.old ] || exit 13
            $daimon restart web --save -- $HOME/new/sleep 1000 || exit 14
            cat $conf/web.conf $conf/web.conf.old
            $daimon restart web --save -- sleep 1000 || exit 15
            cat $conf/web.conf $conf/web.conf.old
            """);

    assertThat(result.err()).isEmpty();
    assertThat(result.out().replace(home(), "~"))
        .isEqualTo(
            """
            program ~/new/sleep 1000
            program sleep 1000
            program /usr/bin/sleep 1000
            program ~/new/sleep 1000
            """);
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void whatAFullDiskHasLostIsAFailure() throws Exception {
    Result result =
        names(
            """
            $daimon start web --save -- sleep 1000 || exit 11
            lost() {
                $daimon "$@" >/dev/full
                [ $? = 71 ] || exit 12
            }
            lost status web; lost status web --json; lost list; lost list --json; lost show web
            lost check; lost check web; lost --help; lost help stop; lost --version
            $daimon list | : || exit 13
            $daimon stop --all >/dev/full || exit 14
            $daimon status web >/dev/null; [ $? = 3 ] || exit 15
            lost start web --dry-run; lost start --all --dry-run
            """);

    assertThat(result)
        .isEqualTo(
            new Result(0, "", "daimon: standard output: No space left on device\n".repeat(13)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-o $conf/web.conf | --stdout | the definition of web",
        "-o $conf/../daimon/web.conf | --stdout | the definition of web",
        "-o $conf/web.conf.old | --stdout | the former definition of web",
        "-e $conf/web.conf | --stderr | the definition of web",
        "-o $state/web.started | --stdout | the record of web",
        "-l $state/web.started | --lock | the record of web",
        "--guard $conf/web.conf | --guard | the definition of web",
        "--ready file:$conf/web.conf | --ready file: | the definition of web",
        "-o $HOME/link | --stdout | the definition of web",
        "-l $HOME/link | --lock | the definition of web",
        "-o $HOME/conf/web.conf.old | --stdout | the former definition of web",
        "-o $HOME/state/daimon/../daimon/web.started | --stdout | the record of web",
        "--guard $HOME/conf/web.conf | --guard | the definition of web",
        "--listen unix:$HOME/conf/web.conf.old | --listen | the former definition of web",
        "--ready file:$HOME/ready | --ready file: | the record of web",
      })
  void noOptionHasAFileThatTheStartWrites(String fault) throws Exception {
    String[] parts = fault.split("\\|", -1);

    Result result =
        names(
            """
            mkdir -p $conf
            echo 'program sleep 1000' >$conf/web.conf
            ln $conf/web.conf $HOME/link
            ln -s $conf $HOME/conf
            ln -s $state/web.started $HOME/ready
            for save in '' --save; do
                $daimon start web OPTIONS $save -- sh -c 'echo lost; exec sleep 1000'
                [ $? = 64 ] || exit 11
            done
            cat $conf/web.conf
            ls -A $state $run 2>/dev/null
            true
            """
                .replace("OPTIONS", parts[0].strip()));

    assertThat(result.exitCode()).isZero();
    assertThat(result.out()).isEqualTo("program sleep 1000\n");
    assertThat(result.err().lines())
        .hasSize(2)
        .allMatch(line -> line.contains(parts[1].strip()) && line.contains(parts[2].strip()));
  }

  @Test
  void aCheckFindsThatARuntimeDirectoryCannotBeMade() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            echo 'program sleep 1000' >$conf/web.conf
            mkdir -m 500 $HOME/fixed
            export XDG_RUNTIME_DIR=$HOME/fixed
            for words in 'check web' 'start web --dry-run' 'start web'; do
                $daimon $words
                echo $?
            done
            """);

    assertThat(result.out()).as(result.err()).isEqualTo("73\n73\n73\n");
    assertThat(result.err()).hasLineCount(3);
  }

  @Test
  void whatHasChangedSinceTheStartIsTold() throws Exception {
    Result result =
        names(
            """
            $daimon start web --save --nice 3 -- sleep 1000 || exit 11
            $daimon status web >/dev/null || exit 12
            printf 'umask 027\\nprogram sleep 1000\\n' >$conf/web.conf
            $daimon status web >/dev/null || exit 13
            $daimon show web | tail -n +2 | tee $HOME/shown
            $daimon restart web || exit 14
            grep -v '^#' $HOME/shown >$conf/web.conf
            $daimon check web || exit 15
            $daimon restart web || exit 16
            $daimon stop web || exit 17
            $daimon show web | head -n 1
            rm $conf/web.conf $state/web.started
            $daimon show web; [ $? = 64 ] || exit 18
            """);

    String changed =
        "daimon: web was started with other options than ~/config/daimon/web.conf has now: ";
    assertThat(result.err().replace(home(), "~"))
        .isEqualTo(
            changed
                + "umask, nice\n"
                + changed
                + "umask, nice\n"
                + changed
                + "stdout\n"
                + "daimon: web is not defined: there is no ~/config/daimon/web.conf; to write one,"
                + " type daimon start web --save -- and the program\n");
    assertThat(result.out().replace(home(), "~"))
        .isEqualTo(
            """
            # started without: umask
            # started with: nice 3
            # the name's default: pidfile ~/run/daimon/web.pid
            # ~/config/daimon/web.conf:1
            umask 027
            # the name's default, but for run
            stdout ~/state/daimon/web.log
            # ~/config/daimon/web.conf:2
            program sleep 1000
            web: ok
            # web: not running: there is no ~/run/daimon/web.pid
            """);
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void aDaemonThatHasLostItsPidfileIsNotStartedASecondTime() throws Exception {
    Result result =
        names(
            """
            $daimon start web -- sleep 1000 || exit 11
            pid=$(cat $run/web.pid)
            rm -r $run
            for command in 'status web' 'start web -- sleep 1' 'restart web' 'signal web TERM' 'wait web' \\
                'logs web -fn0 --until-exit' 'stop web'; do
              $daimon $command 2>&1 | sed "s/$pid/PID/g"; echo "${PIPESTATUS[0]}"
            done
            kill $pid
            until $daimon status web >/dev/null 2>&1; [ $? = 3 ]; do :; done
            $daimon restart web || exit 12
            $daimon status web >/dev/null
            """);

    String lost =
        "daimon: web was started as process PID, which still runs, but its pidfile"
            + " ~/run/daimon/web.pid is gone, was replaced, or is in another XDG_RUNTIME_DIR;"
            + " to end it, type kill PID\n4\n";
    assertThat(result.out().replace(home(), "~")).isEqualTo(lost.repeat(7));
    assertThat(result.err()).isEqualTo("daimon: it was not running\n");
    assertThat(result.exitCode()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "4194304\\n", "1\\n", "no pidfile", "directory", "link"})
  void norIfAnotherFileIsInItsPlace(String content) throws Exception {
    Result result =
        names(
            """
            $daimon start web -- sleep 1000 || exit 11
            pid=$(cat $run/web.pid)
            for command in 'status web' 'list' 'start web -- sleep 1' 'run web -- sleep 1' 'restart web' \\
                'signal web TERM' 'wait web' 'start web --no-lock -- sleep 1' 'stop web'; do
              rm -rf $run/web.pid
              case 'CONTENT' in
              directory) mkdir $run/web.pid ;;
              link) ln -s other $run/web.pid ;;
              *) printf 'CONTENT' >$run/web.pid ;;
              esac
              echo "$command"
              $daimon $command 2>&1 | grep -o "process $pid, .*still runs"; echo "${PIPESTATUS[0]}"
            done
            kill -0 $pid
            """
                .replace("CONTENT", content));

    // What is no file is refused before anybody is looked for.
    boolean file = !content.equals("directory") && !content.equals("link");
    String refused = file ? "4" : "73";
    assertThat(result.out().lines().filter(line -> !line.startsWith("process ")))
        .containsExactly(
            "status web", "4",
            "list", "0",
            "start web -- sleep 1", refused,
            "run web -- sleep 1", refused,
            "restart web", refused,
            "signal web TERM", "4",
            "wait web", "4",
            "start web --no-lock -- sleep 1", "4",
            "stop web", "4");
    assertThat(result.out().lines().filter(line -> line.startsWith("process ")))
        .hasSize(file ? 9 : 6);
    assertThat(sandbox.running("sleep")).hasSize(1);
    assertThat(result.exitCode()).isZero();
  }

  /** Nor is a daemon stopped of which no other one could take the place. */
  @Test
  void norIsTheDaemonOfAnotherStartStopped() throws Exception {
    Result result =
        names(
            """
            $daimon start web -- sleep 1000 || exit 11
            rm $run/web.pid
            $daimon start -p $run/web.pid -- sleep 2000 || exit 12
            for option in '' "--overlap --listen unix:$HOME/s --ready alive:10ms"; do
              $daimon restart web $option -- sleep 1 2>$HOME/err; [ $? = 4 ] || { cat $HOME/err; exit 13; }
              grep -q 'was started as process' $HOME/err || exit 14
            done
            $daimon status web >/dev/null
            """);

    assertThat(result.exitCode()).as(result.toString()).isZero();
    assertThat(sandbox.running("sleep")).hasSize(2);
  }

  /** A lock file is still locked then; it says less than the record. */
  @Test
  void itIsNamedThoughItHasALockFile() throws Exception {
    Result result =
        names(
            """
            $daimon start web -l $HOME/lock -- sleep 1000 || exit 11
            rm $run/web.pid
            $daimon start web -l $HOME/lock -- sleep 1; [ $? = 4 ] || exit 12
            ls $run
            """);

    assertThat(result.err()).contains("web was started as process ");
    assertThat(result.out()).isEqualTo("web.guard\n");
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void theLogOfAnEarlierStartIsNotThatOfARun() throws Exception {
    Result result =
        names(
            """
            $daimon start web -- echo old && $daimon wait web 2>/dev/null || exit 11
            [ "$($daimon logs web)" = old ] || exit 12
            $daimon run web -- sh -c '$daimon logs web; echo $?'
            $daimon start web -- echo new && $daimon wait web 2>/dev/null || exit 13
            $daimon logs web
            """);

    assertThat(result)
        .isEqualTo(
            new Result(
                0,
                "66\nold\nnew\n",
                "daimon: web was started by run: its output goes where that was called\n"));
  }

  /** Its record tells here that the process with the id in the pidfile is not the daemon. */
  @Test
  void theGuardFileOfTheDefinitionCountsForEveryCommand() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            printf 'setsid sleep 1000 >/dev/null 2>&1 & echo $! >%s\n' $run/web.pid >$HOME/program
            printf '%s\n' "guard $HOME/other" pid-only self "program /bin/sh $HOME/program" >$conf/web.conf
            $daimon start web && $daimon status web >/dev/null || exit 11
            sed -i -E 's/(time:\\[[0-9]+\\] [0-9]+ )[0-9]+/\\11/' $HOME/other
            $daimon signal web TERM 2>/dev/null; echo $?
            $daimon wait web --timeout 100ms 2>/dev/null; echo $?
            $daimon status web >$HOME/said; echo $?
            $daimon list | grep -o dead
            sed -i /pid-only/d $conf/web.conf
            $daimon list | grep -o dead
            kill $(cat $run/web.pid) || exit 12
            grep -o 'its id is that of process' $HOME/said
            """);

    assertThat(result)
        .isEqualTo(new Result(0, "3\n0\n1\ndead\ndead\nits id is that of process\n", ""));
  }

  @Test
  void theGuardFileOfTheDefinitionCountsForRun() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            echo 'cut -d " " -f 4 $HOME/other; echo $$' >$HOME/program
            printf '%s\n' "guard $HOME/other" "program /bin/sh $HOME/program" >$conf/web.conf
            $daimon run web >$HOME/said || exit 11
            [ ! -e $run/web.guard ] || exit 12
            uniq -c $HOME/said | grep -c ' 2 '
            $daimon run web --guard $HOME/typed >/dev/null || exit 13
            [ -s $HOME/typed ] || exit 14
            """);

    assertThat(result).isEqualTo(new Result(0, "1\n", ""));
  }

  @Test
  void aRecordThatCannotBeBelievedStopsNothing() throws Exception {
    Result result =
        names(
            """
            $daimon start web -- sleep 1000 || exit 11
            chmod 666 $state/web.started
            $daimon restart web -- sleep 1; [ $? = 73 ] || exit 12
            $daimon status web >/dev/null || exit 13
            rm $run/web.pid
            $daimon start web --no-lock -- sleep 1; [ $? = 73 ] || exit 14
            rm $state/web.started
            $daimon start web -- sleep 1000
            """);

    assertThat(result.err()).matches("(daimon: .*web.started.*\\n){2}");
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void aDefinitionThatMayNotBeReadIsNotMissing() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            echo 'program sleep 1000' >$conf/true.conf
            chmod 0 $conf
            for command in start run stop; do
              $daimon $command true; [ $? = 73 ] || exit 11
            done
            $daimon run -- true && $daimon run true x || exit 12
            chmod 700 $conf
            """);

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.err()).contains("; to start the program true, type -- before it");
    assertThat(result.err()).matches("(daimon: .*true.conf.*[Pp]ermission denied.*\\n){3}");
  }

  @Test
  void aPidfileThatMayNotBeReadIsNotMissing() throws Exception {
    Result result =
        names(
            """
            mkdir -p -m 700 $state/run
            $daimon start -p $state/run/web.pid -- sleep 1000 || exit 11
            chmod 0 $state
            $daimon status web >/dev/null; [ $? = 4 ] || exit 12
            for command in stop wait reload; do
              $daimon $command web; [ $? = 73 ] || exit 13
            done
            chmod 700 $state
            $daimon stop web || exit 14
            """);

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.err()).contains("web.pid").contains("Permission denied");
  }

  @Test
  void aCheckFindsTheDirectoriesAndTheRecordThatAStartWouldRefuse() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            echo 'program sleep 1000' >$conf/web.conf
            $daimon start web && $daimon stop web || exit 11
            fails() {
              $daimon check web; [ $? = 73 ] || exit 12
              $daimon start web --dry-run; [ $? = 73 ] || exit 13
              $daimon start web; [ $? = 73 ] || exit 14
            }
            chmod 666 $state/web.started
            fails
            chmod 600 $state/web.started
            chmod 775 $run
            fails
            chmod 700 $run
            $daimon check web || exit 15
            """);

    assertThat(result).extracting(Result::exitCode).as(result.err()).isEqualTo(0);
    assertThat(result.out()).isEqualTo("web: ok\n");
  }

  /** As sshd does. Its pidfile is in its place. */
  @Test
  void oneThatHasClosedItsLockIsNotSaidToHaveLostItsPidfile() throws Exception {
    Result result =
        names(
            """
            $daimon start web -- sh -c 'for fd in 3 4 5 6 7 8 9; do eval "exec $fd>&-"; done; exec sleep 1000'
            until [ "$(cat /proc/$(cat $run/web.pid)/comm)" = sleep ]; do sleep 0.01; done
            for command in start run restart; do
              $daimon $command web -- sleep 1 2>&1 | grep -c 'gone or'; echo "${PIPESTATUS[0]}"
            done
            """);

    assertThat(result.out()).isEqualTo("0\n4\n0\n4\n0\n4\n");
  }

  @Test
  void whatIsTooLongForARecordIsRefusedAndNotStarted() throws Exception {
    Result result =
        names(
            """
            word=$(printf '%0100000d' 0)
            $daimon start web -- sleep $word $word $word $word $word $word $word $word $word $word $word
            """);

    assertThat(result.exitCode()).as(result.toString()).isEqualTo(64);
    assertThat(result.err()).contains("too long for a daemon with a name");
    assertThat(sandbox.running("sleep")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"start web -- sleep 1", "restart web", "stop web"})
  void aDaemonThatLosesItsPidfileWhileACommandWaitsIsNamed(String command) throws Exception {
    Result result =
        names(
            """
            $daimon start web -- sleep 1000 || exit 11
            exec 9>>$run/web.guard
            flock 9
            $daimon COMMAND 9>&- 2>$HOME/err &
            until grep -q waiting $HOME/err; do sleep 0.01; done
            rm $run/web.pid
            exec 9>&-
            wait $!
            echo $?
            sed 1d $HOME/err
            """
                .replace("COMMAND", command));

    assertThat(result.out())
        .matches("4\ndaimon: web was started as process [0-9]+, which still runs, but .*\n");
    assertThat(sandbox.running("sleep")).hasSize(1);
  }

  @Test
  void aRestartThatCannotWriteItsFilesStopsNothing() throws Exception {
    Result result =
        names(
            """
            $daimon start web -- sleep 1000 || exit 11
            pid=$(cat $run/web.pid)
            mkdir -m 500 -p $conf
            $daimon restart web --save; [ $? = 73 ] || exit 12
            $daimon start other --save --dry-run -- sleep 1; [ $? = 73 ] || exit 13
            [ $pid = $(cat $run/web.pid) ] && kill -0 $pid || exit 14
            chmod 700 $conf
            cp $state/web.started $HOME
            $daimon restart web --rlimit stack=4096 -- true $(seq 40000) 2>&1 | grep -o ';.*'
            cmp $state/web.started $HOME/web.started || exit 15
            ls -A $conf $state
            """);

    assertThat(result.err().replace(home() + "/config/daimon/", ""))
        .isEqualTo(
            """
            daimon: web.conf: no permission to create it
            daimon: other.conf: no permission to create it
            """);
    assertThat(result.out().replace(home(), "~"))
        .isEqualTo(
            """
            ; the old daemon is stopped
            ~/config/daimon:

            ~/state/daimon:
            web.log
            web.started
            """);
    assertThat(result.exitCode()).isZero();
  }

  @Test
  @Tag("python3")
  void anOverlappingRestartThatIsTakenBackLeavesTheFilesAsTheyWere() throws Exception {
    Result result =
        names(
            """
            ready='
            import os, signal, socket
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            address = os.environ["NOTIFY_SOCKET"].replace("@", chr(0), 1)
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", address)
            '
            options="--save --ready notify --listen unix:$HOME/socket"
            $daimon start web $options -- python3 -c "$ready
            while True: signal.pause()" || exit 11
            cp $conf/web.conf $state/web.started $HOME
            restart="$daimon restart web --overlap --umask 077 --timeout 1m --then none $options"
            $restart -- python3 -c "$ready
            while open('$run/web.pid').read() != str(os.getpid()) + chr(10): pass"
            [ $? = 70 ] || exit 12
            cmp $conf/web.conf $HOME/web.conf || exit 13
            cmp $state/web.started $HOME/web.started || exit 14
            ls -A $conf
            $daimon status web >/dev/null || exit 15
            $restart -- python3 -c "$ready
            while 'umask' not in open('$conf/web.conf').read(): pass
            open('$conf/web.conf', 'a').write('# edited')" 2>$HOME/told
            [ $? = 70 ] || exit 16
            grep -q 'warning: .*/web.conf was changed meanwhile, and stays' $HOME/told || exit 17
            grep -q '# edited' $conf/web.conf || exit 18
            cmp $conf/web.conf.old $HOME/web.conf || exit 19
            cmp $state/web.started $HOME/web.started || exit 19
            $daimon stop web --timeout 100ms --then KILL:5s 2>/dev/null || exit 20
            """);

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out()).isEqualTo("web.conf\n");
  }

  /** In another directory, and with another search path, others of the same name are found. */
  @ParameterizedTest
  @ValueSource(strings = {"--save", ""})
  void whatReadsTheOutputIsFoundOnce(String save) throws Exception {
    Result result =
        names(
            """
            mkdir $HOME/a $HOME/b
            for d in a b; do
                printf '#!/bin/sh\necho $0 $* >>%s/read\nexec cat >/dev/null\n' $HOME >$HOME/$d/rd
                chmod +x $HOME/$d/rd
            done
            cd $HOME/a
            $daimon start web SAVE -o '|./rd "one two"' -- sleep 1000 || exit 11
            PATH=$HOME/a:$PATH $daimon start db SAVE -e '|rd x' -- sleep 1000 || exit 12
            cd $HOME/b
            PATH=$HOME/b:$PATH
            $daimon restart web || exit 13
            $daimon restart db || exit 14
            $daimon status web >/dev/null || exit 15
            $daimon stop web || exit 16
            $daimon stop db || exit 17
            cat $HOME/read
            """
                .replace("SAVE", save));

    assertThat(result).isEqualTo(new Result(0, expectedReaders(), ""));
  }

  private String expectedReaders() {
    String a = home() + "/a/";
    return (a + "./rd one two\n" + a + "rd x\n").repeat(2);
  }

  @Test
  void whatADaemonWasStartedWithCountsUntilItIsStopped() throws Exception {
    Result result =
        names(
            """
            deaf='trap "" TERM; echo deaf; exec sleep 1000'
            deaf() { until [ "$(grep -c deaf $state/web.log)" = $1 ]; do sleep 0.01; done; }
            $daimon restart web --signal KILL -- sh -c "$deaf" || exit 11
            deaf 1
            $daimon restart web -- sh -c "$deaf; :" || exit 12
            deaf 2
            $daimon stop web || exit 13
            $daimon start -p $run/web.pid -- sleep 1000 || exit 14
            pid=$(cat $run/web.pid)
            $daimon restart web; [ $? = 64 ] || exit 15
            $daimon show web; [ $? = 64 ] || exit 15
            kill -0 $pid || exit 16
            $daimon restart web -- sleep 1000 || exit 17
            mkdir -p $conf
            echo 'progam sleep' >$conf/web.conf
            $daimon status web >/dev/null || exit 18
            $daimon stop web || exit 19
            $daimon status web; [ $? = 4 ] || exit 20
            $daimon stop web; [ $? = 64 ] || exit 21
            """);

    String wrong = "~/config/daimon/web.conf:1: unknown option \"progam\"";
    String warning = "daimon: warning: " + wrong + "; used is what web was started with\n";
    assertThat(result.err().replace(home(), "~"))
        .isEqualTo(
            "daimon: it was not running\n"
                + "daimon: web runs, but was not started by its name; to restart it, type -- and"
                + " the program behind the name\n"
                + "daimon: web runs, but was not started by its name, and is not defined\n"
                + (warning + warning)
                + ("daimon: " + wrong + "\n").repeat(2));
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void aDefinitionThatIsNotToBeBelievedIsRefused() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            try() { $daimon start $1; echo "$?" >&2; }
            echo 'program sleep 1000' >$HOME/other
            ln -s $HOME/other $conf/link.conf; try link
            ln -s /dev/zero $conf/zero.conf; try zero
            mkfifo $conf/fifo.conf; try fifo
            mkdir $conf/dir.conf; try dir
            truncate -s 1G $conf/giga.conf; try giga
            printf 'program sle\\0ep\\n' >$conf/nul.conf; try nul
            printf 'program sleep\\r\\n' >$conf/crlf.conf; try crlf
            : >$conf/empty.conf; try empty
            echo 'program sleep 1000' >$conf/open.conf; chmod g+w $conf/open.conf; try open
            $daimon stop open; echo "$?" >&2
            $daimon status open; echo "$?" >&2
            ls -A $state 2>/dev/null
            """);

    assertThat(result.err().replace(home() + "/config/daimon/", ""))
        .isEqualTo(
            """
            daimon: link.conf is a symbolic link, which is not followed
            73
            daimon: zero.conf is a symbolic link, which is not followed
            73
            daimon: fifo.conf is not a regular file
            73
            daimon: dir.conf is not a regular file
            73
            daimon: giga.conf is longer than 1048576 bytes
            73
            daimon: nul.conf:1: column 12: a control character; in a word it is written \\x00
            64
            daimon: crlf.conf:1: the line ends with a carriage return: save it with the line ends of \
            Unix
            64
            daimon: empty.conf: the last line must be: program PROGRAM [ARG...]
            64
            daimon: open.conf is not trusted: others may write to it; type chmod go-w open.conf
            73
            daimon: open.conf is not trusted: others may write to it; type chmod go-w open.conf
            73
            daimon: open.conf is not trusted: others may write to it; type chmod go-w open.conf
            4
            """);
    assertThat(result.out()).isEmpty();
  }

  /** The launcher script does not know that the definition has a condition of readiness. */
  @Test
  void aSignalStopsAProgramForWhichADefinitionWaits() throws Exception {
    Result result =
        names(
            """
            mkdir -p $conf
            cat >$conf/web.conf <<END
            ready file:$HOME/ready
            program sh -c "echo \\$\\$ >$HOME/pid; exec sleep 1000"
            END
            $daimon start web &
            until [ -s $HOME/pid ]; do sleep 0.01; done
            kill -TERM $!
            wait $!; echo $?
            until ! kill -0 $(cat $HOME/pid) 2>/dev/null; do sleep 0.01; done
            ls $state
            $daimon status web >/dev/null; [ $? = 3 ]
            """);

    assertThat(result.out()).isEqualTo("143\n");
    assertThat(result.exitCode()).isZero();
  }

  /** The last moment at which a run can fail: its limit leaves no room for the arguments. */
  @Test
  void aRunThatFailsInItsExecRestoresWhatItHasWritten() throws Exception {
    Result result =
        names(
            """
            fails() { $daimon run web --save --rlimit stack=4096 -- true $(seq 40000); }
            fails; [ $? = 71 ] || exit 11
            ls -A $conf $state
            $daimon run web --save -- true || exit 12
            chmod 640 $conf/web.conf
            same() { cd $conf; stat -c '%n %a' * $state/web.started; cat * $state/web.started; }
            before=$(same)
            fails; [ $? = 71 ] || exit 13
            [ "$(same)" = "$before" ] || exit 14
            $daimon run web --save --nice 1 -- true || exit 15
            chmod 644 $conf/web.conf.old
            before=$(same)
            fails; [ $? = 71 ] || exit 16
            [ "$(same)" = "$before" ] || exit 17
            """);

    assertThat(result.exitCode()).as(result.err()).isZero();
  }

  /** Root would not notice: the permissions do not hold it up. */
  @Test
  void theOwnerCanOpenTheFilesAgainWhateverTheUmaskIs() throws Exception {
    Result result =
        names(
            """
            umask 0777
            $daimon start -p $HOME/b.pid -- sleep 1000 || exit 11
            $daimon restart -p $HOME/b.pid -l $HOME/b.lock -m 0777 -- sleep 1000 || exit 12
            $daimon start --no-lock -p $HOME/n.pid -m 0777 -- sleep 1000 || exit 13
            $daimon start web -m 0777 -- sleep 1000 || exit 14
            cd $HOME; stat -c '%a %n' b.* n.pid run/daimon/* state/daimon/*
            $daimon restart web || exit 15
            $daimon stop web && $daimon stop -p $HOME/b.pid || exit 16
            $daimon stop --pid-only -p $HOME/n.pid || exit 17
            """);

    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .isEqualTo(
            """
            600 b.guard
            600 b.lock
            600 b.pid
            600 n.pid
            600 run/daimon/web.guard
            600 run/daimon/web.pid
            600 state/daimon/web.log
            600 state/daimon/web.started
            """);
    assertThat(result.exitCode()).isZero();
  }

  /** As run and check do: only what is typed together is refused. */
  @Test
  void inTheForegroundAndInADryRunADefinitionsReadinessIsPassedOver() throws Exception {
    Result result =
        names(
            """
            set -o pipefail; mkdir -p $conf; chmod 700 $conf
            printf 'ready tcp:80\nready-timeout 5s\nprogram /usr/bin/true\n' >$conf/a.conf
            printf 'wait 5s\nprogram /usr/bin/true\n' >$conf/b.conf
            printf 'self\nstart-timeout 5s\nprogram /usr/bin/true\n' >$conf/c.conf
            printf 'ready exit\nprogram /usr/bin/true\n' >$conf/d.conf
            for name in a b c d; do
              $daimon start -f $name || exit 11
              $daimon start $name --dry-run || exit 12
              $daimon start -f $name --dry-run >/dev/null || exit 13
            done | grep -e ready -e stdout || exit 10
            $daimon start --all --dry-run >/dev/null || exit 14
            for options in '-f a --ready tcp:80' '-f a --wait 1s' '-f a --self' '-f c --ready exit' \
                '-f a --ready-timeout 1s' 'c --self --dry-run' 'a --ready exit --dry-run'; do
              $daimon start $options && exit 15
            done
            flock --no-fork $run/c.pid sh -c 'echo $$ >$run/c.pid; exec sleep 1000' &
            until $daimon status c >/dev/null 2>&1; do :; done
            $daimon start c --dry-run; [ $? = 69 ] || exit 16
            kill $!; wait $!
            exit 0
            """);

    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out().replace(home(), "~"))
        .isEqualTo(
            """
            stdout: ~/state/daimon/a.log (append)
            ready: tcp:80, within 5 s
            stdout: ~/state/daimon/b.log (append)
            ready: alive:5s
            stdout: as it is
            ready: exit, within 5 s
            stdout: as it is
            ready: exit, within 30 s
            """);
    assertThat(result.err().lines().toList())
        .satisfiesExactly(
            line -> assertThat(line).contains("--ready and --foreground exclude each other"),
            line -> assertThat(line).contains("--wait and --foreground exclude each other"),
            line -> assertThat(line).contains("--self and --foreground exclude each other"),
            line -> assertThat(line).contains("--ready exit and --foreground exclude each other"),
            line -> assertThat(line).contains("--ready and --foreground exclude each other"),
            line -> assertThat(line).contains("--self and --dry-run exclude each other"),
            line -> assertThat(line).contains("--ready exit and --dry-run exclude each other"),
            line -> assertThat(line).startsWith("daimon: already running: process "));
  }

  /** In a mount namespace, so that the machine's own directories are not touched. */
  @Test
  @Tag("root")
  void rootsDaemonsHaveTheirPlacesAndAFullDiskPreventsTheStart() throws Exception {
    Result result =
        sandbox.shell(
            """
            exec unshare -m --propagation private /bin/bash -c '
            mount -t tmpfs -o mode=755 none /run && mount -t tmpfs -o mode=755 none /var/log || exit 10
            mount -t tmpfs -o mode=755 none /mnt || exit 10
            cp -a /etc/. /mnt; test -s /mnt/passwd && mount --bind /mnt /etc || exit 10
            rm -rf /etc/daimon
            $daimon start web --save -u nobody -- sleep 1000 || exit 11
            stat -c "%a %U %n" /run/daimon /run/daimon/* /var/log/daimon/* /etc/daimon/*
            $daimon restart web || exit 12
            $daimon stop web || exit 13
            chown nobody /etc/daimon/web.conf; $daimon start web; [ $? = 73 ] || exit 14
            chown root /etc/daimon/web.conf; chmod 777 /etc/daimon
            $daimon start web; [ $? = 73 ] || exit 15
            chmod 755 /etc/daimon
            cp /run/daimon/web.started /etc/before
            mount -t tmpfs -o nr_blocks=4,mode=755 none /etc/daimon || exit 16
            printf "program sleep 1000\\n" >/etc/daimon/web.conf
            head -c 1000000 /dev/zero >/etc/daimon/full 2>/dev/null
            $daimon start web --save -- sleep 999; [ $? = 73 ] || exit 17
            cat /etc/daimon/web.conf; ls -A /etc/daimon /run/daimon
            umount /etc/daimon
            cmp /etc/before /run/daimon/web.started
            '
            """);

    assertThat(result.err())
        .isEqualTo(
            """
            daimon: /etc/daimon/web.conf is not trusted: it belongs to user id 65534, and not to root
            daimon: /etc/daimon/web.conf is not trusted: others than root may exchange it or a \
            directory above it
            daimon: write /etc/daimon/web.conf: No space left on device (ENOSPC, 28)
            """);
    assertThat(result.out())
        .isEqualTo(
            """
            755 root /run/daimon
            600 root /run/daimon/web.guard
            644 nobody /run/daimon/web.pid
            600 root /run/daimon/web.started
            644 nobody /var/log/daimon/web.log
            600 root /etc/daimon/web.conf
            program sleep 1000
            /etc/daimon:
            full
            web.conf

            /run/daimon:
            web.guard
            web.started
            """);
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void theNameOfADaemonWithoutADefinitionIsNoProgramByItself() throws Exception {
    Result result =
        names(
            """
            $daimon start true -- sleep 1000 || exit 10
            $daimon start true; [ $? = 64 ] || exit 11
            $daimon status true >/dev/null || exit 12
            $daimon stop true || exit 13
            $daimon start true; [ $? = 64 ] || exit 14
            $daimon run true -v; [ $? = 64 ] || exit 15
            $daimon start -- true || exit 16
            """);

    String line =
        "daimon: true is not defined: there is no ~/config/daimon/true.conf; to start the program of"
            + " this name, type -- before it\n";
    assertThat(result.err().replace(home(), "~")).isEqualTo(line.repeat(3));
    assertThat(result.exitCode()).isZero();
  }
}
