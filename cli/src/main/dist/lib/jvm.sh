# Finds the JDK, and chooses the JVM's options: sets $jdk, $jar, $start_cache, $control_cache and
# $options; and at last $chosen, unless a part of this file could not be read. $home is set.

. "$home/lib/find-jdk.sh"
# Its last function.
command -v java_on_path >/dev/null || {
    echo "daimon: $home/lib/find-jdk.sh cannot be read" >&2
    exit 71
}

# roots_jdk PATH: prints the path of a JDK, without symbolic links, if root alone can change the JDK, and
# exchange the directories above it. Call it in a subshell: it changes the working directory.
roots_jdk() {
    cd -P -- "$1" 2>/dev/null || return 1
    jdk=$PWD
    # Symbolic links are found, too, and refused, since their mode is 777.
    others=$(command -p find . release bin bin/java lib -prune \( ! -user 0 -o -perm -020 -o -perm -002 \) -print 2>/dev/null) || return 1
    [ -z "$others" ] || return 1
    # A sticky directory above it, such as /tmp, is fine: there nobody else can rename root's files.
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

# Under sudo and doas the variables may be those of the calling user (sudo -E), who must not choose what
# root, or another target user, executes. Root may still name a JDK that root alone can change.
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
# JAVA_HOME comes first, then the JDK that the caches were made with, then any.
jdk=${JAVA_HOME:-}
is_jdk "$jdk" java || {
    jdk=
    if may -r "$home/lib/jdk"; then read -r jdk <"$home/lib/jdk" || :; fi
    # It was 25 or later once; a JDK without a version is believed.
    { [ -n "$jdk" ] && may -x "$jdk/bin/java" && java_feature "$jdk" && [ "${feature:-25}" -ge 25 ]; } || find_jdk java || {
        echo "daimon: no JDK 25 or later was found: install one$advice" >&2
        exit 71
    }
}

for jar in "$home"/lib/daimon-*.jar; do :; done
if ! may -r "$jar"; then
    echo "daimon: $jar cannot be read" >&2
    exit 71
fi
start_cache=${jar%.jar}-start.aot
control_cache=${jar%.jar}-control.aot

# The caller's options for JVMs are for the program, which gets them. This JVM must not obey them.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS _JAVA_LAUNCHER_DEBUG JDK_AOT_VM_OPTIONS

# For java a colon separates two paths.
case $home in
*:*)
    echo "daimon: java cannot run from a path with a colon: $home" >&2
    exit 71
    ;;
esac

# Diagnostic options are in some of the groups below; this one allows them.
options="-XX:+UnlockDiagnosticVMOptions"

# A newer JDK may have dropped some of the options below. They make the command fast and quiet, and it works without
# them: the JVM must neither refuse them nor print a warning. It reads options in order, so these come first.
if [ "$feature" != 25 ]; then options="$options -XX:+IgnoreUnrecognizedVMOptions -XX:-PrintWarnings"; fi

# A short life: a JVM that lives for 40 ms gains nothing from a compiler, whose work would cost a fifth more
# time; the serial collector starts no threads; performance data would be a file in /tmp.
options="$options -Xint -XX:+UseSerialGC -XX:-UsePerfData"

# Little memory, and few addresses, which may be limited (ulimit -v): a start needs 600 MB of addresses in
# place of 1.6 GB.
options="$options -Xms8m -Xmx64m -XX:CompressedClassSpaceSize=16m -XX:ReservedCodeCacheSize=16m"

# The AOT cache: its profiles are not prepared, since only a compiler needs them, which saves 6 to 9 % of the
# CPU time; it is mapped at the address it was made for, since relocating it takes milliseconds.
options="$options -XX:-AOTReplayTraining -XX:ArchiveRelocationMode=0"

# Signals end the JVM at once, or are ignored: it installs no handlers (-Xrs). With -Xrs alone it would open a
# socket in /tmp, to be attached to.
options="$options -Xrs -XX:+DisableAttachMechanism"

# Standard output is for the command's results, and a crash leaves no file: the JVM's own messages go to
# standard error, and it writes no hs_err file.
options="$options -XX:+DisplayVMOutputToStderr -XX:+SuppressFatalErrorMessage"

# The program inherits from the JVM's process what it inherits from the caller: the JVM changes neither the
# limit of descriptors nor what a core dump contains.
options="$options -XX:-MaxFDLimit -XX:-DumpPrivateMappingsInCore -XX:-DumpSharedMappingsInCore"

# Calls of the C library without a warning.
options="$options --enable-native-access=ALL-UNNAMED"

# Native calls without the JDK's linker take a third off a start (EntryPoint). The first property is the switch; the second one
# only makes the JDK's reflection, which EntryPoint uses, load fewer classes. Each JDK has other internals: java prints a warning
# for a package that it does not have.
if [ "$feature" = 25 ]; then
    options="$options -Ddev.daimon.posix.entryPoint=true -Djdk.reflect.useNativeAccessorOnly=true \
--add-exports=java.base/jdk.internal.access=ALL-UNNAMED \
--add-exports=java.base/jdk.internal.foreign.abi=ALL-UNNAMED"
fi

# The JVM takes paths as UTF-8, whatever the caller's locale is. The program gets the caller's locale.
LC_ALL=C.UTF-8
export LC_ALL

chosen=yes
