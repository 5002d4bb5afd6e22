#!/bin/sh
# Archives the classes that every child JVM of the tests loads (ChildJvm.java), which takes a third off its
# start: make-archive.sh JDK VERSION JAR TEST-CLASSES. The archive is JAR.VERSION.jsa.
set -eu
java=$1/bin/java jar=$3 tests=$4
archive=$jar.$2.jsa
options="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED"

if [ "$archive" -nt "$jar" ]; then exit 0; fi
# A JVM complains of one that is not this jar's.
rm -f "$jar".*.jsa
# Without tests there are no children.
if ! [ -d "$tests/dev" ]; then exit 0; fi
"$java" $options -XX:DumpLoadedClassList="$archive.list" -cp "$jar:$tests" dev.daimon.posix.call.Archived
# Of the classes of the tests, which are in no jar, it says that it leaves them out.
"$java" $options -Xshare:dump -XX:SharedClassListFile="$archive.list" -XX:SharedArchiveFile="$archive.new" \
    -cp "$jar" >"$archive.log" 2>&1 || {
    cat "$archive.log" >&2
    exit 1
}
mv "$archive.new" "$archive"
rm -f "$archive.list" "$archive.log"
