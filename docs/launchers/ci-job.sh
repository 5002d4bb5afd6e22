#!/bin/sh
# Start the server, wait for its port, test it, stop it.
set -eu

pidfile=$PWD/server.pid
trap 'daimon stop -p "$pidfile"' EXIT
# A job that is cancelled, too: dash runs the EXIT trap only at an exit.
trap 'exit 130' INT
trap 'exit 143' TERM
daimon start -p "$pidfile" -o "$PWD/server.log" -c "$PWD" --ready tcp:8080 --ready-timeout 60s -- \
    python3 -m http.server --bind 127.0.0.1 8080

# The tests. If they fail, the job fails, and the server is stopped all the same.
python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8080/").status)'
