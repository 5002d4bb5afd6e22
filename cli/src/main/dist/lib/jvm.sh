# Finds the JVM and what to start it with: sets $jdk, $jar, the caches and $options. $home is set.

. "$home/lib/find-jdk.sh"

# own_jdk PATH: the path of a JDK without links, if all of it and of the way there is this user's own. To be called in a
# process of its own: this one's directory is the program's.
own_jdk() {
    cd -P -- "$1" 2>/dev/null || return 1
    jdk=$PWD
    for file in . bin bin/java lib; do [ -O "$file" ] || return 1; done
    while [ "$PWD" != / ]; do cd -P .. && [ -O . ] || return 1; done
    printf '%s\n' "$jdk"
}

# Under sudo and the like the variables may be another user's (sudo -E), who must not choose what root runs.
hint=
if [ -n "${SUDO_UID+set}${DOAS_USER+set}" ] && [ -O / ] && [ -n "${JAVA_HOME-}" ]; then
    JAVA_HOME=$(own_jdk "$JAVA_HOME") || hint=", under sudo to one that is root's"
fi
# What the user says comes first, then the one that the caches were made with, then any.
jdk=${JAVA_HOME:-}
is_jdk "$jdk" java || {
    jdk=
    if [ -r "$home/lib/jdk" ]; then read -r jdk <"$home/lib/jdk" || :; fi
    { [ -n "$jdk" ] && [ -x "$jdk/bin/java" ] && java_feature "$jdk"; } || find_jdk java || {
        echo "daimon: no JDK 25 or later was found: install one, or set JAVA_HOME to it$hint" >&2
        exit 71
    }
}

for jar in "$home"/lib/daimon-*.jar; do :; done
start_cache=${jar%.jar}-start.aot
control_cache=${jar%.jar}-control.aot

# The caller's are the program's, and would steer this JVM.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS _JAVA_LAUNCHER_DEBUG JDK_AOT_VM_OPTIONS

# A path with a colon is several to java.
case $home in
*:*)
    echo "daimon: java cannot run from a path with a colon: $home" >&2
    exit 71
    ;;
esac

# A short life on little memory, and on few addresses, which may be limited (ulimit -v); signals left alone (with which java would
# open a socket in /tmp, to be attached to), and no words on standard output; and nothing changed in itself that the program would inherit:
# neither the limit of descriptors nor what a core dump holds. A cache's profiles are for a compiler, and there is none.
options="-Xint -Xrs -XX:+DisableAttachMechanism -XX:+UseSerialGC -XX:-UsePerfData -Xms8m -Xmx64m \
-XX:CompressedClassSpaceSize=16m -XX:ReservedCodeCacheSize=16m \
-XX:-MaxFDLimit -XX:+DisplayVMOutputToStderr -XX:+SuppressFatalErrorMessage \
-XX:+UnlockDiagnosticVMOptions -XX:-AOTReplayTraining -XX:ArchiveRelocationMode=0 -XX:-DumpPrivateMappingsInCore -XX:-DumpSharedMappingsInCore \
--enable-native-access=ALL-UNNAMED"

# A way into native code that takes a third off a start (EntryPoint). It is the JDK's own, and every version has another one:
# to name what a later one does not have would make java say so.
if [ "$feature" = 25 ]; then
    options="$options -Djdk.reflect.useNativeAccessorOnly=true \
--add-exports=java.base/jdk.internal.access=ALL-UNNAMED \
--add-exports=java.base/jdk.internal.foreign.abi=ALL-UNNAMED"
fi

# Paths are UTF-8 whatever the caller's locale; the program gets the caller's own.
LC_ALL=C.UTF-8
export LC_ALL
