#!/bin/sh
# Lays out the distribution: make-dist.sh SOURCES JAR VERSION JDK TARGET
# The jar's name contains its digest, and so does the name of its AOT cache. Otherwise a JVM would use
# the cache with another jar, without a message (JDK-8377932).
set -eu
sources=$1 jar=$2 version=$3 jdk=$4 target=$5

digest=$(sha256sum "$jar")
digest=$(printf %.12s "$digest")

# Made beside the old distribution, then exchanged: somebody may be starting a daemon with the old one.
rm -rf "$target.new" "$target.old"
mkdir -p "$target.new"
cp -R "$sources/." "$target.new"
cp "$jar" "$target.new/lib/daimon-$version-$digest.jar"
chmod 755 "$target.new/bin/daimon" "$target.new/bin/daimonize" "$target.new/lib/make-cache"
if [ -e "$target" ]; then mv "$target" "$target.old"; fi
mv "$target.new" "$target"
rm -rf "$target.old"

JAVA_HOME=$jdk "$target/lib/make-cache"

# For ./daimon in the checkout: a line of shell for each input, which tells whether it is newer than the
# distribution.
cd "$sources/../../../.."
find pom.xml .mvn ./*/pom.xml ./*/src/main cli/src/build |
    sed 's|.*|[ "$root/&" -nt "$home" ] \&\& stale=yes|' >"$target.inputs"
