#!/bin/bash
# instructions.sh DAEMON...: how many instructions in user mode an ordinary message costs
# each of these tollgate binaries, relative to the first, counted by callgrind (Debian:
# valgrind): however busy the machine is, the count is the same to a few in a thousand. What
# the kernel does is not in it. MESSAGES: how many are judged (2000).
#
#	go build -trimpath -o /tmp/now ./cmd/tollgate    # and /tmp/before, of another commit
#	test/instructions.sh /tmp/before /tmp/now
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,9s/^#\t\?//p' "$0"; exit 64; }
messages=${MESSAGES:-2000}
dir=$(mktemp -d /dev/shm/tollgate-instructions.XXXXXX)
daemon=
trap 'rm -rf "$dir"; [ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null || :' EXIT
go build -o "$dir/play" ./test/profile

policy() {
	printf '[gateway]\nname = "count"\nlisten = ["unix:%s/m.sock"]\nstate_dir = "%s/state"\n' "$1" "$1"
	printf '[recipients]\nmode = "known"\n[[client]]\nid = "c"\naddresses = ["@example.org"]\n[journal]\ndir = "%s/journal"\n' "$1"
	for i in $(seq 100); do
		printf "[[rule]]\nname = \"r%d\"\nstage = \"headers\"\nmatch.subject = '\\\\bcheap-%d-(\\\\w+)-pills\\\\b'\nweight = 1\n" "$i" "$i"
	done
}

first=
for binary; do
	at=$(mktemp -d "$dir/XXXXXX")
	policy "$at" >"$at/policy.toml"
	# Callgrind knows no signals that interrupt a goroutine.
	GOMAXPROCS=1 GODEBUG=asyncpreemptoff=1 valgrind --tool=callgrind --callgrind-out-file="$at/out" \
		"$binary" serve --policy "$at/policy.toml" >"$at/log" 2>&1 &
	daemon=$!
	for _ in $(seq 600); do [ ! -S "$at/m.sock" ] || break; sleep 0.1; done
	"$dir/play" -play "$at/m.sock" -c 1 -n 500 # caches and the heap find their size
	sleep 1
	callgrind_control -z "$daemon" >/dev/null 2>&1
	"$dir/play" -play "$at/m.sock" -c 1 -n "$messages"
	sleep 1 # records are on their way into the store
	callgrind_control -d "$daemon" >/dev/null 2>&1
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null || :
	daemon=
	total=$(awk '/^(totals|summary):/ { print $2; exit }' "$at/out.1")
	first=${first:-$total}
	awk -v b="$binary" -v t="$total" -v f="$first" -v n="$messages" 'BEGIN { printf "%s\t%d\t%.3f\n", b, t / n, t / f }'
done
