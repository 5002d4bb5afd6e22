# The body of bin/daimon. $home is set.
#
# start:  java runs as a child, so that it leads no process group and may call setsid; this shell
#         passes signals on, and dies or exits as the start has gone.
# run:    java takes this process's place, and the program takes java's: one process id throughout.
#
# The commands that control a daemon are run as start is.
#
# Either way java reads the caller's environment, descriptors and directory from /proc: those of
# this shell, or of a copy of it that waits. A shell passes on only variables whose names it knows
# how to spell, and adds some. Java itself stands in /, since it cannot start in a directory that is
# gone.
#
# The properties that this script sets (-Ddaimon...) and the exit statuses that it reads are
# described in ScriptProtocol.java.

command=${1-}

# What ends a shell, such as a fork that fails, ends it with 2, which is no code of the command's.
gave_up() {
    if [ "$1" -ne 2 ]; then return; fi
    words="daimon: the shell has failed: ${forking:-too few descriptors?}"
    { echo "$words" >&"$r"; } 2>/dev/null || echo "$words" >&2
    exit 71
}
r=2 forking=
trap 'gave_up $?' EXIT

# fail MESSAGE: ends without having done anything.
fail() {
    echo "daimon: $1" >&2
    if [ "$command" = status ]; then exit 4; fi
    exit 71
}

# Before anything is read from there; and "self" must be who this shell takes itself for.
stat=
if [ -e /proc/self/stat ]; then
    { read -r stat </proc/self/stat; } 2>/dev/null
else
    fail "/proc is not mounted"
fi
if [ -z "$stat" ] || ! [ -r /proc/self/fd ] || ! [ -r /proc/self/environ ]; then
    fail "/proc/self cannot be read"
elif [ "${stat%% *}" != $$ ]; then
    fail "/proc is of another PID namespace: mount this one's"
fi

# A closed standard stream would be the number of the next file that is opened.
[ -e /proc/self/fd/0 ] || exec 0</dev/null
[ -e /proc/self/fd/1 ] || exec 1>/dev/null
[ -e /proc/self/fd/2 ] || exec 2>/dev/null

. "$home/lib/jvm.sh"

case $command in
start | run | restart) cache=$start_cache ;;
*) cache=$control_cache ;;
esac
if ! [ -r "$cache" ]; then cache=; fi

# become_java PROPERTIES WORD...: becomes the JVM, with these words of the command. A cache that does
# not fit is left aside without a word.
become_java() {
    properties=$1
    shift
    cd /
    exec "$jdk/bin/java" $options -Xlog:disable "-Xlog:all=warning,aot*=off,cds*=off:stderr" \
        ${cache:+"-XX:AOTCache=$cache"} $properties -cp "$jar" dev.daimon.cli.Main "$@"
}

# Finds two free descriptors of one digit, all that a shell can name: $r and $w. If there is only
# one, it is $r.
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

# Why java cannot start here, in its first words that say something: $why. It is tried once more, since
# nobody has listened to the first time. Fails if it can start, and something else has ended it.
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

# Below 64 java itself ends if it cannot start, and with 126 or 127 the shell that cannot execute it: the
# command's own codes are others. Everything above is a signal: somebody's, whenever it came, or the
# JVM's own, which can be seen to come again if it comes of how little it may have.
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

# Whether the address space is limited; asked without a process of its own.
is_space_limited() {
    while read -r _ first second limit _; do
        if [ "$first $second" = "address space" ]; then
            [ "$limit" != unlimited ]
            return
        fi
    done </proc/self/limits
    return 1
}

# The copy of this shell waits until java has read what it needs, and kills it. It reads a pipe that
# only java holds open, so it ends with java, too. A caller that has taken every digit gets a copy
# that just stops.
run() {
    # There is nobody to tell of a JVM that does not fit in.
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

interrupted() {
    signal=$1
    woken=yes
    kill -s TERM "$!" 2>/dev/null
}

# Whether the caller has left SIGCHLD blocked: then "wait" would never see a child end.
is_child_signal_blocked() {
    set -- ${stat##*) }
    [ $((${30} >> 16 & 1)) -eq 1 ]
}

# Java as a child. Until it runs the command its standard error is the null device, so that a JVM that
# cannot start is told of in one line; then it takes the descriptor $r in its place.
spawn_java() {
    find_descriptors || :
    forking="no process can be started"
    if [ -n "$r" ]; then
        eval "{ (become_java \"-Ddaimon.caller=$$ -Ddaimon.error=$r\" \"\$@\") $background } $r>&2 2>/dev/null"
    else
        eval "(become_java -Ddaimon.caller=$$ \"\$@\") $background"
    fi
    status=$?
    forking=
}

start_and_wait() {
    background='&'
    spawn_java "$@"
    # One that came before there was anybody to tell.
    if [ -n "$signal" ]; then interrupted "$signal"; fi
    # How it ended is told below, not by the shell.
    wait "$!" 2>/dev/null
    status=$?
    # A signal ends the first wait only; java is still there, and decides.
    while [ -n "$woken" ]; do
        woken=
        wait "$!" 2>/dev/null
        again=$?
        if [ $again -ne 127 ]; then status=$again; fi
    done
}

# Until java ignores signals nothing was changed, and one ends it; from then on it goes on to the end.
start() {
    signal= woken=
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
        # "start --foreground": run me in your place. A signal that comes now ends this process.
        trap - INT TERM HUP
        if [ -z "$signal" ]; then run "$@"; fi
    else
        # The verdict is there: a signal that comes now is too late to change it.
        trap '' INT TERM HUP
    fi
    case $status in
    # A verdict: success, or one of sysexits.h.
    0 | 6[4-9] | 7[0-8]) exit $status ;;
    # One of an init script, moved out of the range in which java's own are.
    121 | 123 | 124) exit $((status - 120)) ;;
    122 | 129 | 130 | 143)
        if [ -n "$signal" ]; then
            case $command in
            start) echo "daimon: interrupted; nothing was started" >&2 ;;
            stop) echo "daimon: interrupted; what was sent to the daemon is not taken back" >&2 ;;
            restart)
                echo "daimon: interrupted; what was sent to the daemon is not taken back," \
                    "and nothing was started" >&2
                ;;
            esac
            trap - "$signal"
            kill -s "$signal" $$
        fi
        ;;
    esac
    java_failed
}

case $command in
run) run "$@" ;;
*) start "$@" ;;
esac
