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

if ! [ -e /proc/self/stat ]; then
    echo "daimon: /proc is not mounted" >&2
    if [ "${1-}" = status ]; then exit 4; fi
    exit 71
fi

# A closed standard stream would be the number of the next file that is opened.
[ -e /proc/self/fd/0 ] || exec 0</dev/null
[ -e /proc/self/fd/1 ] || exec 1>/dev/null
[ -e /proc/self/fd/2 ] || exec 2>/dev/null

. "$home/lib/jvm.sh"

command=${1-}
set -- -cp "$jar" dev.daimon.cli.Main "$@"
case $command in
start | run | restart) cache=$start_cache ;;
*) cache=$control_cache ;;
esac
if [ -r "$cache" ]; then set -- -XX:AOTCache="$cache" "$@"; fi
# A cache that does not fit is left aside without a word.
set -- -Xlog:disable -Xlog:all=warning,aot*=off,cds*=off:stderr "$@"

# Finds two free descriptors of one digit, all that a shell can name: $r and $w.
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

# The copy of this shell waits until java has read what it needs, and kills it. It reads a pipe that
# only java holds open, so it ends with java, too. A caller that has taken every digit gets a copy
# that just stops.
run() {
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
    cd /
    exec "$jdk/bin/java" $options -Ddaimon.caller=$! -Ddaimon.copy=true "$@"
}

interrupted() {
    signal=$1
    woken=yes
    kill -s TERM "$!" 2>/dev/null
}

# Whether the caller has left SIGCHLD blocked: then "wait" would never see a child end.
is_child_signal_blocked() {
    read -r stat </proc/$$/stat
    set -- ${stat##*) }
    [ $((${30} >> 16 & 1)) -eq 1 ]
}

start_and_wait() {
    (cd / && exec "$jdk/bin/java" $options -Ddaimon.caller=$$ "$@") &
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
        (cd / && exec "$jdk/bin/java" $options -Ddaimon.caller=$$ "$@")
        status=$?
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
    0 | 3 | 4 | 64 | 66 | 67 | 69 | 70 | 71 | 73 | 75 | 77) exit $status ;;
    121) exit 1 ;;
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
    case $command in
    start | restart) echo "daimon: java has failed (status $status); whether the program runs is not known" >&2 ;;
    *) echo "daimon: java has failed (status $status)" >&2 ;;
    esac
    exit 71
}

case $command in
run) run "$@" ;;
*) start "$@" ;;
esac
