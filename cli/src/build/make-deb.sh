#!/bin/sh
# Lays out the files of the Debian package, and removes what an earlier build has packed:
# make-deb.sh DISTRIBUTION SOURCES VERSION MAINTAINER TIME TARGET
set -eu
dist=$1 sources=$2 version=$3 maintainer=$4 time=$5 target=$6

rm -rf "$target"
# Packages of another version would be taken for this one's.
rm -f "${target%/*}"/daimon_*_all.deb "${target%/*}"/daimon-*.tar.gz
mkdir -p "$target/usr/lib/daimon" "$target/usr/share/doc/daimon"
cp -R "$dist/bin" "$dist/lib" "$target/usr/lib/daimon"
# The caches fit one JDK build: the package makes its own where it is installed.
rm -f "$target"/usr/lib/daimon/lib/*.aot "$target/usr/lib/daimon/lib/jdk"
cp -R "$dist/share/." "$target/usr/share"
# Debian has a place of its own for what packages complete.
mv "$target/usr/share/zsh/site-functions" "$target/usr/share/zsh/vendor-completions"
# The plugin has the links; from here it would take copies.
find "$target" -type l -exec rm {} +
find "$target/usr/share" -path '*/man/man*' -type f -exec gzip -9n {} +

overrides=$target/usr/share/lintian/overrides
mkdir -p "$overrides"
cp "$sources/lintian-overrides" "$overrides/daimon"
doc=$target/usr/share/doc/daimon
cp "$sources/copyright" "$doc"
# As the plugin writes it: Debian sorts a version with ~ before the release, and one with - behind it.
gzip -9n >"$doc/changelog.gz" <<END
daimon ($(printf %s "$version" | sed 's/-SNAPSHOT/~snapshot/')) unstable; urgency=medium

  * Built from the sources of this version; their CHANGELOG.md has the changes.

 -- $maintainer  $(LC_ALL=C date -u -R -d "$time")
END
