#!/bin/sh
# Runs every fuzz target, each for TIME: "30s", or so many executions as "300x" says.
# usage: test/fuzz.sh TIME [FOLDER]...
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
time=$1
shift
[ $# -gt 0 ] || set -- .
dirs=$(grep -rl --include='*_test.go' '^func Fuzz' "$@" | xargs -n 1 dirname | sort -u | sed 's#^\./##')
case $time in
*x)
	# So few executions find nothing by coverage: nothing is instrumented, and one
	# command builds all packages as the tests do. It shows what fails.
	# shellcheck disable=SC2086
	exec "$go" test -vet=off -count=1 -timeout 10m -exec "$PWD/test/fuzztargets.sh $time" $(printf './%s ' $dirs)
	;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cache=$($go env GOCACHE)/fuzz
module=$($go list -m)
root=$PWD
count=0
for dir in $dirs; do
	# Once a package: go test would link it again for each target.
	$go test -c -fuzz . -o "$work/fuzz" "./$dir"
	for target in $(cat "$dir"/*_test.go | sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(f \*testing\.F).*/\1/p'); do
		count=$((count + 1))
		if ! (cd "$dir" && "$work/fuzz" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" -test.fuzzcachedir "$cache/$module/$dir" >"$work/out" 2>&1); then
			echo "$dir $target" >&2
			cat "$work/out" >&2
			exit 1
		fi
		echo "$dir $target: $(sed -n 's/^fuzz: elapsed: .*execs: \([0-9]*\).*/\1 executions/p' "$work/out" | tail -n 1)"
	done
	cd "$root"
done
echo "$count fuzz targets"
