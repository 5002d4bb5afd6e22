# The launcher script: the body of bin/daimon. $home and $command are set, and quit is defined.
#
# run:      java replaces this shell, and the program replaces java: the process id stays the same.
# the rest: java runs as a child, so that it leads no process group and may call setsid; this shell
#           passes signals on, waits, and ends with java's exit code or by the signal.
#
# In both cases java reads the caller's environment, descriptors and working directory from /proc:
# from this shell, or from a copy of it that waits. The environment that a shell passes on is not
# the caller's: variables whose names are no shell names are missing, and some are added. Java itself
# runs in /, since it cannot start in a directory that was removed.
#
# The properties that this script sets (-Ddaimon...) and the exit statuses that it reads are
# described in ScriptProtocol.java.

# A shell that cannot go on, since a fork fails for instance, exits with 2, and with 126 or 127 if it cannot become
# java. The command has no such exit codes, so they mean that here.
gave_up() {
    case $1 in
    1)
        # bash says 1 for a script that it cannot read, and a status for a daemon that is dead.
        if [ -n "$chosen" ]; then return; fi
        words="daimon: a script in $home/lib cannot be read"
        ;;
    2) words="daimon: the shell has failed: ${forking:-too few descriptors?}" ;;
    126 | 127) words="daimon: java could not be executed" ;;
    *) return ;;
    esac
    { [ -n "$r" ] && echo "$words" >&"$r"; } 2>/dev/null || echo "$words" >&2
    quit
}
r=2 forking= chosen=
trap 'gave_up $?' EXIT

# fail MESSAGE: reports that nothing was done, and exits.
fail() {
    echo "daimon: $1" >&2
    quit
}

# Checks /proc before anything is read from it: /proc/self must be this shell.
stat=
if [ -e /proc/self/stat ]; then
    # Where no descriptor is left, dash loses the stream that it cannot redirect: so standard error is not redirected.
    read -r stat </proc/self/stat || :
else
    fail "/proc is not mounted"
fi
# The shell can tell what it may read, unless it believes that it may execute nothing (see may in find-jdk.sh).
if [ -z "$stat" ] || { [ -x /bin/sh ] && ! { [ -r /proc/self/fd ] && [ -r /proc/self/environ ]; }; }; then
    fail "/proc/self cannot be read"
elif [ "${stat%% *}" != $$ ]; then
    fail "/proc is of another PID namespace: mount this one's"
fi

# Opens standard streams that are closed: the next file to be opened would get their number.
[ -e /proc/self/fd/0 ] || exec 0</dev/null
[ -e /proc/self/fd/1 ] || exec 1>/dev/null
[ -e /proc/self/fd/2 ] || exec 2>/dev/null

. "$home/lib/jvm.sh"
if [ -z "$chosen" ]; then fail "$home/lib/jvm.sh cannot be read"; fi

case $command in
start | run | restart) cache=$start_cache ;;
list | logs)
    # These may have much to do: a quick compiler pays that begins early and does little.
    cache=$control_cache
    options="$options -XX:TieredStopAtLevel=1 -Xmixed -XX:CompileThresholdScaling=0.5 -XX:C1MaxInlineSize=10"
    ;;
*) cache=$control_cache ;;
esac
if ! may -r "$cache"; then cache=; fi

# become_java PROPERTIES WORD...: replaces this shell by the JVM, which runs the command of these words.
# The JVM ignores a cache that does not fit it, and prints nothing about that.
become_java() {
    properties=$1
    shift
    cd /
    exec "$jdk/bin/java" $options -Xlog:disable "-Xlog:all=warning,aot*=off,cds*=off,os*=off:stderr" \
        ${cache:+"-XX:AOTCache=$cache"} $properties -cp "$jar" dev.daimon.cli.Main "$@"
}

# Finds two free descriptors, $r and $w, of one digit, since a shell can name no others. If there is
# only one, it is $r.
find_descriptors() {
    r= w=
    for n in 3 4 5 6 7 8 9; do
        if ! [ -e /proc/self/fd/$n ]; then
            w=$r r=$n
            if [ -n "$w" ]; then return 0; fi
        fi
    done
    return 1
}

# Sets $why to the reason why java cannot start here. For that java is started once more, since the
# messages of the first time went to the null device; the first line that names a reason is taken.
# Fails if java can start, and something else has ended it.
ask_java() {
    { why=$(become_java "" --version 2>&1 >/dev/null </dev/null); } 2>/dev/null
    if [ $? -eq 0 ]; then return 1; fi
    said=": it cannot start here"
    while read -r line; do
        case $line in
        "" | "["* | "Error occurred during initialization"* | "Error: dl failure"* | "Error: Could not create"*) ;;
        *)
            said=": ${line#Error: }"
            break
            ;;
        esac
    done <<END
$why
END
    why=$said
    limit=$(ulimit -v)
    if [ "$limit" != unlimited ]; then why="$why (ulimit -v is $limit)"; fi
}

# java_failed: reports that $status is no exit code of the command, and exits with 71.
# - Below 64: java could not start. 126 and 127: the shell could not execute java.
# - From 128 on: a signal has ended java. Either somebody has sent it, at any moment; or the JVM has
#   crashed, which it does again in ask_java if it has too little memory.
java_failed() {
    why= unknown=
    case $status in
    129 | 130 | 137 | 143) unknown=yes ;;
    *) ask_java || if [ $status -ge 128 ]; then unknown=yes; fi ;;
    esac
    case $command in
    start | restart)
        if [ -n "$unknown" ]; then
            why="; whether the program runs is not known"
        elif [ $status -lt 128 ]; then
            why="$why; nothing was started"
        fi
        ;;
    esac
    echo "daimon: java has failed (status $status)$why" >&2
    exit 71
}

# Tells whether the address space is limited, without starting a process.
is_space_limited() {
    while read -r _ first second limit _; do
        if [ "$first $second" = "address space" ]; then
            [ "$limit" != unlimited ]
            return
        fi
    done </proc/self/limits
    return 1
}

# run WORD...: replaces this shell by java. A copy of this shell keeps the caller's environment and
# descriptors until java has read them; then java kills the copy. The copy reads from a pipe that only
# java holds open, so it also ends when java ends. If the caller has left no descriptor of one digit
# for the pipe, the copy stops itself instead.
run() {
    # If java cannot start, this shell is gone and cannot report it. So it tries that first, where the
    # address space is limited.
    if is_space_limited; then
        { why=$(become_java "" --version 2>&1 </dev/null); } 2>/dev/null
        status=$?
        if [ $status -ne 0 ]; then java_failed; fi
    fi
    if find_descriptors; then
        eval "exec $r<<END
a line, which makes every shell use a pipe
END
exec $w>/proc/self/fd/$r"
        (
            trap '' HUP INT TERM
            eval "exec $w>&-; read -r _ <&$r; read -r _ <&$r"
        ) &
        eval "exec $r<&-"
    else
        (read -r pid _ </proc/self/stat && kill -STOP "$pid") &
    fi
    become_java "-Ddaimon.caller=$! -Ddaimon.copy=true" "$@"
}

# A signal has come. As long as java has changed nothing, SIGTERM ends it. After that it ignores signals;
# if it waits until the program is ready, the end of the pipe has it stop the program again; with --all it
# has it interrupt the commands that it has started, and wait for them.
interrupted() {
    signal=$1
    woken=yes
    kill -s TERM "$!" 2>/dev/null
    if [ -n "$cancel" ]; then eval "exec $cancel>&-"; fi
}

# Makes a pipe for a start that waits for the program: java gets the descriptor $waits, and learns by the
# end of the pipe that this shell has closed $cancel, or was killed. If the caller has left no two
# descriptors of one digit, there is no pipe: then java learns of the end of this shell alone.
make_pipe() {
    find_descriptors || return 0
    eval "exec $r<<END
a line, which makes every shell use a pipe
END
exec $w>/proc/self/fd/$r
read -r _ <&$r"
    waits=$r cancel=$w
}

# Tells whether java has written to the pipe that the program is ready. Java has ended.
is_ready() {
    eval "exec $cancel>&-"
    said=
    eval "read -r said <&$waits"
    [ "$said" = ready ]
}

# Tells whether the caller has blocked SIGCHLD: then "wait" would never notice that a child has ended.
is_child_signal_blocked() {
    set -- ${stat##*) }
    [ $((${30} >> 16 & 1)) -eq 1 ]
}

# Starts java as a child. Its standard error is the null device until it runs the command, so that the
# JVM's many lines about a failed start are not seen; then java replaces it by the descriptor $r.
spawn_java() {
    find_descriptors || :
    forking="no process can be started"
    own=-Ddaimon.caller=$$
    if [ -n "$waits" ]; then own="exec $cancel>&-; become_java \"$own -Ddaimon.cancel=$waits"; else own="become_java \"$own"; fi
    if [ -n "$r" ]; then
        eval "{ ($own -Ddaimon.error=$r\" \"\$@\") $background } $r>&2 2>/dev/null"
    else
        eval "($own\" \"\$@\") $background"
    fi
    status=$?
    forking=
}

start_and_wait() {
    background='&'
    spawn_java "$@"
    # The shell could not even try.
    if [ $status -ne 0 ]; then return; fi
    # Unless "wait" says otherwise: it says 127 as well if it knows already how java has ended.
    status=127
    # A signal that came before java was started.
    if [ -n "$signal" ]; then interrupted "$signal"; fi
    await_java
    # A signal interrupts "wait", while java goes on.
    while [ -n "$woken" ]; do
        woken=
        await_java
    done
}

# Waits for java, and sets $status to how it has ended; leaves it alone if that is known already. The shell's own
# message about that is dropped: start reports it. If it cannot be dropped, since the null device cannot be opened,
# the shell has not waited, and says 2, which java never does.
await_java() {
    wait "$!" 2>/dev/null
    again=$?
    if [ $again -eq 2 ]; then
        wait "$!"
        again=$?
    fi
    if [ $again -ne 127 ]; then status=$again; fi
}

# start WORD...: runs java as a child, and ends as it has ended. A signal that comes before java has
# changed anything ends it. After that java ignores signals, and completes the command.
start() {
    signal= woken= waits= cancel=
    # A word of the program may look the same; and a definition, which is read only without "--", may have no
    # such option. Then the pipe is made in vain: java writes to it as soon as the program runs.
    case $command:" $* " in
    start:*" --ready"* | start:*" --wait"* | restart:*" --ready"* | restart:*" --wait"*) make_pipe ;;
    stop:*" --all"*) make_pipe ;;
    # Nothing follows: the definition is read.
    start:*" -- " | restart:*" -- ") make_pipe ;;
    *" -- "*) ;;
    start:* | restart:*) make_pipe ;;
    esac
    trap 'interrupted INT' INT
    trap 'interrupted TERM' TERM
    trap 'interrupted HUP' HUP
    if is_child_signal_blocked; then
        background=';'
        spawn_java "$@"
    else
        start_and_wait "$@"
    fi
    if [ $status -eq 122 ]; then
        # start --foreground: java asks to be run by exec. From here on a signal ends this process. The pipe
        # would be taken for the caller's.
        trap - INT TERM HUP
        if [ -z "$signal" ]; then
            if [ -n "$waits" ]; then eval "exec $waits<&- $cancel>&-"; fi
            run "$@"
        fi
    else
        # Java has ended: a signal that comes now changes nothing.
        trap '' INT TERM HUP
    fi
    case $status in
    # Success, or an exit code of sysexits.h.
    0 | 6[4-9] | 7[0-8]) exit $status ;;
    # Java has stopped the program again, since a signal has come.
    125)
        if [ -n "$signal" ]; then
            trap - "$signal"
            kill -s "$signal" $$
        fi
        ;;
    # The exit codes 1, 3 and 4 of init scripts, moved away from java's own small codes.
    121 | 123 | 124) exit $((status - 120)) ;;
    122 | 129 | 130 | 143)
        if [ -n "$signal" ]; then
            case $command in
            start) echo "daimon: interrupted; nothing was started" >&2 ;;
            stop) echo "daimon: interrupted; what was sent to the daemon is not taken back" >&2 ;;
            restart)
                # With --overlap the new daemon is ready before the old one gets a signal.
                started="nothing was started"
                if [ -n "$waits" ] && is_ready; then started="the new daemon is not stopped"; fi
                echo "daimon: interrupted; what was sent to the daemon is not taken back, and $started" >&2
                ;;
            esac
            trap - "$signal"
            kill -s "$signal" $$
        fi
        ;;
    esac
    # Java leads the process group of a program that it was waiting for. If the program is ready, java has
    # written a line to the pipe.
    if [ -n "$waits" ] && [ $status -ge 128 ] && ! is_ready && kill -s KILL -- "-$!" 2>/dev/null; then
        echo "daimon: java has failed (status $status); the program, which was not ready, was killed" >&2
        exit 71
    fi
    java_failed
}

case $command in
run) run "$@" ;;
*) start "$@" ;;
esac
