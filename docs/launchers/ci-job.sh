#!/bin/sh
# Start the server, wait for its port, test it, stop it.
set -eu

pidfile=$PWD/server.pid
trap 'daimon stop -p "$pidfile"' EXIT
daimon start -p "$pidfile" -o "$PWD/server.log" --ready tcp:8080 --ready-timeout 60s -- \
    python3 -m http.server 8080

# The tests. If they fail, the job fails, and the server is stopped all the same.
python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8080/").status)'
