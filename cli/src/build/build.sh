#!/bin/sh
# Builds without tests, and shows the progress: build.sh PREFIX MAVEN-ARGUMENT...
# Maven itself would print hundreds of lines or, with -q, nothing for minutes. PREFIX begins each line.
set -eu
who=$1
shift
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../../.." && pwd -P)

# Prints a line for each module and for each hundred downloads, and all errors.
in_short() {
    downloads=0
    while IFS= read -r line; do
        case $line in
        *"Downloaded from "*)
            downloads=$((downloads + 1))
            if [ $((downloads % 100)) -eq 0 ]; then echo "$who: $downloads files downloaded"; fi
            ;;
        "[INFO] Building "*"]")
            name=${line#*Building }
            echo "$who: building ${name%% [0-9]*} [${line##*\[}"
            ;;
        "[ERROR]"* | mvnw:*) printf '%s\n' "$line" ;;
        # Maven may have reset the terminal's colours in front of it.
        *"ended with "*) return "${line##*ended with }" ;;
        esac
    done
    return 1
}

{
    status=0
    "$root/mvnw" -B -Dstyle.color=never -Dmaven.test.skip=true -f "$root/pom.xml" "$@" </dev/null 2>&1 || status=$?
    echo "ended with $status"
} | in_short >&2
