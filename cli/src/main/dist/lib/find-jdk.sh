# find_jdk TOOL: sets $jdk to the home of a JDK 25 or later that has this tool (java or javac), or to
# nothing. Looks at JAVA_HOME, at the java on the PATH and in the usual directories, in this order. The
# version comes from the JDK's "release" file, so that no JVM has to be started.

# may -r|-x FILE: whether this shell may read or execute a file. Where the filter of an old container runtime
# refuses the call for that (faccessat2), the shell may do nothing, it believes, not even execute /bin/sh; then
# what exists is taken for allowed.
may() {
    [ "$1" "$2" ] || { [ -e "$2" ] && ! [ -x /bin/sh ]; }
}

is_jdk() {
    [ -n "$1" ] && may -x "$1/bin/$2" || return 1
    java_feature "$1"
    [ "${feature:-0}" -ge 25 ]
}

# java_feature HOME: sets $feature to the first number of the JDK's version, or to nothing.
java_feature() {
    feature=
    may -r "$1/release" || return 0
    while IFS='="' read -r key _ version _; do
        if [ "$key" = JAVA_VERSION ]; then
            feature=${version%%[!0-9]*}
            return 0
        fi
    done <"$1/release"
}

find_jdk() {
    for jdk in "${JAVA_HOME:-}" "$(java_on_path)" /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
        if is_jdk "$jdk" "$1"; then return 0; fi
    done
    jdk=
    feature=
    return 1
}

java_on_path() {
    java=$(command -v java) || return 0
    java=$(readlink -f "$java") && printf '%s\n' "${java%/bin/java}"
}
