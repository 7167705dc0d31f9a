#!/usr/bin/env bash
# Prints the path of the Go that the module is built with: the one in PATH where it
# is new enough for go.mod, else the one that "go.sh fetch" has put beside the
# user's other caches. fetch does so where it is needed: go.mod's "toolchain" line
# is the one place that names the version, and any Go since 1.13 (Debian 12
# has 1.19) can fetch it as a module, checked against the checksum database.
# "go.sh release" is fetch for what is given to others: a Go older than the toolchain
# line, whose library has faults that are known, does for tests and not for that.
set -eu
cd "$(dirname "$0")/.."

wanted=$(sed -n 's/^go //p' go.mod)
pinned=$(sed -n 's/^toolchain go//p' go.mod)
cached=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/tollgate/go$pinned

# version of a go command; nothing where it does not run.
version() { (cd / && GOTOOLCHAIN=local GO111MODULE=on "$1" version 2>/dev/null) | sed -n 's/^go version go\([0-9.]*\).*/\1/p'; }

[ "${1-}" != release ] || wanted=$pinned

new_enough() {
  local has
  has=$(version "$1")
  [ -n "$has" ] && [ "$(printf '%s\n' "$wanted" "$has" | sort -V | head -n 1)" = "$wanted" ]
}

fetch() {
  local arch zip dir new
  arch=$(cd / && GOTOOLCHAIN=local go env GOARCH)
  case $arch in
    amd64 | arm64) ;;
    *) echo "Go $(version go) is older than $wanted, see go.mod: install a newer one" >&2; return 1 ;;
  esac
  echo "fetching Go $pinned (the machine's $(version go) is older than $wanted, see go.mod)" >&2
  zip=$(mktemp -d)
  # An empty folder: no go.mod that this Go would stumble over.
  if ! (cd "$zip" && GOTOOLCHAIN=local GO111MODULE=on GOFLAGS=-modcacherw go mod download -json \
    "golang.org/toolchain@v0.0.1-go$pinned.linux-$arch") > "$zip/out" 2> "$zip/err"; then
    cat "$zip/out" "$zip/err" >&2
    return 1
  fi
  dir=$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p' "$zip/out")
  rm -rf "$zip"
  # What is half copied never has the name of a whole one.
  mkdir -p "$(dirname "$cached")"
  new=$(mktemp -d "$cached.XXXXXX")
  cp -R "$dir/." "$new"
  chmod -R u+w "$new"
  chmod 755 "$new"
  # A module has no executables and no go.mod of others: newer Go puts both right
  # by itself when it switches toolchains.
  chmod +x "$new"/bin/* "$new"/pkg/tool/*/*
  find "$new/src" -name _go.mod -execdir mv {} go.mod \;
  rm -rf "$cached"
  mv "$new" "$cached"
}

if command -v go >/dev/null && new_enough go; then
  command -v go
  exit
fi
if [ -n "${1-}" ] && ! new_enough "$cached/bin/go"; then
  fetch
fi
echo "$cached/bin/go"
