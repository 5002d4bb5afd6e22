# Finds the JVM and what to start it with: sets $jdk, $jar, the caches and $options. $home is set.

. "$home/lib/find-jdk.sh"

# roots_jdk PATH: the path of a JDK without links, if nobody but root can change it, or exchange it on the way there.
# To be called in a process of its own: this one's directory is the program's.
roots_jdk() {
    cd -P -- "$1" 2>/dev/null || return 1
    jdk=$PWD
    # A link of its own has all permissions, so it is none of root's either.
    others=$(command -p find . release bin bin/java lib -prune \( ! -user 0 -o -perm -020 -o -perm -002 \) -print 2>/dev/null) || return 1
    [ -z "$others" ] || return 1
    # In a sticky directory, such as /tmp, nobody else can rename what is root's.
    set --
    above=$jdk
    while [ -n "${above%/}" ]; do
        above=${above%/*}
        set -- "$@" "$above/."
    done
    others=$(command -p find "$@" -prune \( ! -user 0 -o \( -perm -020 -o -perm -002 \) ! -perm -1000 \) -print 2>/dev/null) || return 1
    [ -z "$others" ] || return 1
    printf '%s\n' "$jdk"
}

# Under sudo and the like the variables may be another user's (sudo -E), who must not choose what root runs, nor what any
# other user does. Root may still name a JDK that is root's alone.
advice=", or set JAVA_HOME to it"
if [ -n "${SUDO_UID+set}${DOAS_USER+set}" ] && [ -n "${JAVA_HOME-}" ]; then
    if [ -O / ]; then
        advice=", or set JAVA_HOME to one that root alone can change"
        JAVA_HOME=$(roots_jdk "$JAVA_HOME") || :
    else
        advice=" (under sudo JAVA_HOME is passed over for another user than root)"
        JAVA_HOME=
    fi
fi
# What the user says comes first, then the one that the caches were made with, then any.
jdk=${JAVA_HOME:-}
is_jdk "$jdk" java || {
    jdk=
    if [ -r "$home/lib/jdk" ]; then read -r jdk <"$home/lib/jdk" || :; fi
    { [ -n "$jdk" ] && [ -x "$jdk/bin/java" ] && java_feature "$jdk"; } || find_jdk java || {
        echo "daimon: no JDK 25 or later was found: install one$advice" >&2
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

# Native calls without the JDK's linker take a third off a start (EntryPoint). The first property is the switch; the second one
# only makes the JDK's reflection, which EntryPoint uses, load fewer classes. Each JDK has other internals: java prints a warning
# for a package that it does not have.
if [ "$feature" = 25 ]; then
    options="$options -Ddev.daimon.posix.entryPoint=true -Djdk.reflect.useNativeAccessorOnly=true \
--add-exports=java.base/jdk.internal.access=ALL-UNNAMED \
--add-exports=java.base/jdk.internal.foreign.abi=ALL-UNNAMED"
fi

# Paths are UTF-8 whatever the caller's locale; the program gets the caller's own.
LC_ALL=C.UTF-8
export LC_ALL
