#!/bin/sh
# For go test -exec: each fuzz target of one package, for so many executions. It begins
# with the seeds, and keeps nothing that other runs found: a run is what it is anywhere.
# usage: test/fuzztargets.sh TIME BINARY [ARGUMENT]...
set -eu
time=$1
binary=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
targets=$("$binary" -test.list '^Fuzz')
[ -n "$targets" ] || { echo "no fuzz target" >&2; exit 1; }
for target in $targets; do
	"$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" -test.fuzzcachedir "$work" -test.parallel 1 >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
	executions=$(sed -n 's/^fuzz: elapsed: .*execs: \([0-9]*\).*/\1/p' "$work/out" | tail -n 1)
	[ "${executions:-0}" -gt 0 ] || { echo "$target: nothing was executed"; cat "$work/out"; exit 1; }
	echo "$target: $executions executions"
done
